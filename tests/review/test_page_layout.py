"""Nothing moves under the pointer: every control has one box from the beginning of a session to its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.looking import file_says, frame, opened, select, wait_said
from tests.support.relay import Relay

pytestmark = pytest.mark.in_turn

BOXES = """() => Object.fromEntries([...document.querySelectorAll(
    "header h1, header button, header input, main button, main select, main input, #messages, nav, #episodes,"
    + "#strip, #overview, #legend, #look, #large, #large figure, #where, #said, #suggestion, #title, #noted,"
    + "#task, #boundary, #boundary figure, #near")].map((element, at) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const fixed = getComputedStyle(element).position === "sticky";
    const box = fixed || !width ? [width, height] : [left + scrollX, top + scrollY, width, height];
    const name = `${at} ${element.id || element.dataset.act || element.tagName}`;
    return [name, box.map((value) => Math.round(value * 10) / 10).join()];
}))"""


@pytest.mark.parametrize("size", [(1280, 720), (2560, 1440), (820, 1180), (390, 844)])
def test_every_control_keeps_its_box(
    long: Path,
    tmp_path: Path,
    served: Any,
    relayed: Callable[[str], Relay],
    page: Any,
    size: tuple[int, int],
) -> None:
    path = tmp_path / "labels.txt"
    relay = relayed(served(long, path))
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(relay.address)
    page.wait_for_selector("#strip[data-complete]")
    page.wait_for_selector("#large[data-frame]")
    page.wait_for_selector("#hint:not([hidden])")
    first = page.evaluate(BOXES)
    assert len(first) > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]

    def still(when: str) -> None:
        now = page.evaluate(BOXES)
        moved = {name: (first.get(name), box) for name, box in now.items() if first.get(name) != box}
        assert not moved, f"{when}: {moved}"

    for episode, length in enumerate((40, 120, 12, 66)):
        select(page, episode)
        still(f"episode {episode} is chosen")
        page.wait_for_selector("#large[data-frame='0']")
        still("the large images are there")
        page.keyboard.press("End")
        page.wait_for_selector(f"#large[data-frame='{length - 1}']")
        still("the last frame")
    select(page, 1)
    page.wait_for_selector("#take:enabled")
    still("a suggestion is there")
    for number in (99, 100, 101, 102):
        frame(page, number)
        still(f"frame {number}")
    page.keyboard.press("t")
    still("it is taken")
    for number in range(2, 120, 6):
        frame(page, number)
        page.keyboard.press("[")
        page.keyboard.press("]")
    still("many ranges")
    page.keyboard.press("u")
    page.keyboard.press("n")
    still("the next episode")
    page.keyboard.press("x")
    page.fill("#flag-words", "it is dark and the camera was moved before the arm had come to rest")
    page.keyboard.press("Enter")
    page.wait_for_selector("#noted:has-text('⚑ it is dark')")
    still("it is flagged")
    page.fill("#definition", "the cube is held by both fingers and does not touch the table any more, " * 3)
    page.press("#definition", "Enter")
    page.wait_for_selector("#saved:not([hidden])")
    still("success is defined")
    page.keyboard.press("l")
    page.wait_for_selector("#loop[aria-pressed='true']")
    page.keyboard.press(".")
    still("it plays")
    page.keyboard.press("l")
    page.keyboard.press("v")
    page.keyboard.press("Escape")
    still("the image was as large as the window")
    page.select_option("#filter", "unlabelled")
    page.keyboard.press("f")
    wait_said(page, "all fail")
    still("an episode is labelled that is listed as unlabelled")
    file_says(path, "02: all fail")
    path.write_text(path.read_text() + "# a word\n")
    page.wait_for_selector("#outside:not([hidden])")
    still("the file is another one")
    page.click("#outside-load")
    page.wait_for_selector("#outside", state="hidden")
    still("it is loaded")
    relay.lost = lambda asked: "request" if "news" in asked else None
    page.wait_for_selector("#gone:not([hidden])")
    still("the server does not answer")
    relay.lost = lambda asked: None
    page.wait_for_selector("#gone", state="hidden")
    still("it answers again")


def test_the_list_keeps_its_rows_while_labels_change(
    long: Path, tmp_path: Path, served: Any, page: Any
) -> None:
    opened(page, served(long, tmp_path / "labels.txt"))
    page.select_option("#filter", "unlabelled")
    rows = "all => all.map((row) => `${row.id} ${row.getBoundingClientRect().top}`)"
    before = page.eval_on_selector_all("#episodes li", rows)
    page.keyboard.press("f")
    page.wait_for_selector("#episode-0.fail")
    assert page.eval_on_selector_all("#episodes li", rows) == before
    page.select_option("#filter", "fail")
    page.select_option("#filter", "unlabelled")
    assert page.eval_on_selector_all("#episodes li", "all => all.map((row) => row.id)") == [
        "episode-1",
        "episode-2",
        "episode-3",
    ]
