"""A click looks and does not label; keys work after any control was used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.deadline import DEADLINE_S
from tests.support.looking import file_says, frame, labels_in, opened, place, select, wait_said

pytestmark = pytest.mark.in_turn


def test_a_click_looks_and_a_drag_labels(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    path = tmp_path / "labels.txt"
    opened(page, served(long, path))
    x, y = place(page, 4)
    page.mouse.click(x, y)
    page.wait_for_selector("#strip[aria-valuenow='5']")
    # a hand that shakes at the border of two frames
    border = (x + place(page, 5)[0]) / 2
    page.mouse.move(border - 2, y)
    page.mouse.down()
    page.mouse.move(border + 3, y)
    page.mouse.up()
    page.wait_for_selector("#strip[aria-valuenow='5']")
    page.mouse.dblclick(x, y)
    page.mouse.click(*place(page, 2), button="right")
    # a drag that is given up
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(place(page, 7)[0], y)
    wait_said(page, "not labelled")
    page.keyboard.press("f")  # no key labels in the middle of a drag
    page.keyboard.press("Escape")
    page.mouse.up()
    wait_said(page, "not labelled")
    assert not path.exists()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(place(page, 7)[0], y)
    page.mouse.up()
    wait_said(page, "5-8")
    # what stays is the frame, not the pointer's, when the pointer leaves
    page.mouse.move(5, 5)
    page.wait_for_selector("#strip[aria-valuenow='8']")
    page.keyboard.press("]")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("]")
    wait_said(page, "5-7")
    file_says(path, "00: 5-7")


def test_a_drag_does_not_overwrite_what_came_in_the_middle_of_it(
    long: Path, tmp_path: Path, served: Any, page: Any
) -> None:
    path = tmp_path / "labels.txt"
    address = served(long, path)
    opened(page, address)
    other = page.context.new_page()
    opened(other, address)
    page.bring_to_front()
    x, y = place(page, 4)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(place(page, 7)[0], y)
    frame(other, 10)
    other.keyboard.press("s")
    file_says(path, "00: 10-")
    wait_said(page, "10-")
    page.mouse.up()
    page.wait_for_selector("#trouble:has-text('Not saved: episode 0: 5-8')")
    wait_said(page, "10-")
    assert labels_in(path) == {0: "10-"}
    other.close()


def test_a_tap_looks(long: Path, tmp_path: Path, served: Any, browser: Any) -> None:
    path = tmp_path / "labels.txt"
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 844})
    context.set_default_timeout(DEADLINE_S * 1000)
    page = context.new_page()
    page.goto(served(long, path))
    page.wait_for_selector("#strip[data-complete='0']")
    page.eval_on_selector("#strip", "strip => strip.scrollIntoView({ block: 'center' })")
    page.touchscreen.tap(*place(page, 2))
    page.wait_for_selector("#strip[aria-valuenow='3']")
    page.wait_for_selector("#large[data-frame='2']")
    assert page.inner_text("#said") == "not labelled"
    page.tap("[data-act=rest]")
    wait_said(page, "3-")
    file_says(path, "00: 3-")
    context.close()


def test_keys_work_after_any_control_was_used(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    path = tmp_path / "labels.txt"
    opened(page, served(long, path))

    def works(after: str) -> None:
        """An arrow moves, a letter labels, and space plays: none of them works the control."""
        page.keyboard.press("Home")
        for key in ("ArrowRight", "s"):
            page.keyboard.press(key)
        wait_said(page, "2-")
        page.keyboard.press(" ")
        page.wait_for_selector("#play:has-text('Stop')")
        page.keyboard.press(" ")
        page.wait_for_selector("#play:has-text('Play')")
        page.keyboard.press("u")
        wait_said(page, "not labelled")
        assert page.get_attribute("#strip", "data-complete") == "0", after

    controls = ["#fit", "#back", "#forward", "#title", "#large", "#episode-0", "#said", "#progress"]
    for control in controls:
        page.click(control)
        works(control)
    page.click("#zoom")
    works("#zoom")
    page.select_option("#filter", "unlabelled")
    works("#filter")
    page.click("#filter")
    page.keyboard.press("Escape")
    works("#filter, unchanged")
    for dialog in ("keys", "statistics", "apply"):
        page.click(f"#show-{dialog}")
        page.wait_for_selector(f"dialog#{dialog}[open]")
        page.keyboard.press("f")
        page.keyboard.press("Escape")
        page.wait_for_selector(f"dialog#{dialog}[open]", state="hidden")
        works(f"the dialog {dialog}")
    page.click("[data-act=fail]")
    wait_said(page, "all fail")
    page.click("[data-act=undo]")
    wait_said(page, "not labelled")
    page.keyboard.press("Enter")
    works("[data-act=undo]")
    # held keys do not undo again and again
    select(page, 2)
    page.keyboard.press("f")
    page.keyboard.press("s")
    page.keyboard.down("u")
    page.keyboard.down("u")
    page.keyboard.up("u")
    wait_said(page, "all fail")
    # by Tab the controls are reached as everywhere
    page.focus("#filter")
    page.locator("[data-act=fail]").focus()
    page.keyboard.press("u")
    wait_said(page, "not labelled")
    page.keyboard.press("Enter")
    wait_said(page, "all fail")
