"""The page in a real browser: labelled by mouse and keyboard, and applied."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.deadline import DEADLINE_S, wait_until
from tests.support.factories import data_table
from tests.support.looking import file_says, place, select, until, wait_said

pytestmark = pytest.mark.in_turn


def test_label_three_episodes_and_apply(
    recorded: Callable[[str], Path], tmp_path: Path, served: Callable[..., str], page: Any
) -> None:
    root = Path(shutil.copytree(recorded("av1"), tmp_path / "source"))
    path = tmp_path / "labels.txt"
    path.write_text("# by hand\n")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    address = served(root, path)
    page.goto(address)
    page.wait_for_selector("#strip[data-complete='0']")
    page.wait_for_selector("#legend i")
    # by mouse: frames 2 to 4 (numbered from 1)
    x, y = place(page, 1)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(place(page, 2)[0], y)
    page.mouse.move(place(page, 3)[0], y)
    page.mouse.up()
    wait_said(page, "2-4")
    file_says(path, "00: 2-4")
    page.mouse.click(place(page, 2)[0], y)
    page.wait_for_selector("#strip[aria-valuenow='3']")
    page.keyboard.press("f")
    wait_said(page, "all fail")
    page.keyboard.press("Control+z")
    wait_said(page, "2-4")
    # by keyboard: success from frame 3 on, and all fail
    select(page, 1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("s")
    wait_said(page, "3-")
    select(page, 2)
    page.keyboard.press("f")
    wait_said(page, "all fail")
    page.keyboard.press("u")
    wait_said(page, "not labelled")
    page.keyboard.press("[")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("]")
    wait_said(page, "1-2")
    page.reload()
    page.wait_for_selector("#strip[data-complete]")
    select(page, 2)
    wait_said(page, "1-2")
    # the file is edited outside, and the next change asks
    file_says(path, "02: 1-2")
    path.write_text(path.read_text().replace("01: 3-", "01: 4-  # edited"))
    page.keyboard.press("f")
    page.wait_for_selector("#outside:not([hidden])")
    page.click("#outside-redo" if page.is_visible("#outside-redo") else "#outside-load")
    page.wait_for_selector("#outside", state="hidden")
    select(page, 2)
    page.keyboard.press("f")
    wait_said(page, "all fail")
    file_says(path, "01: 4-  # edited")
    assert path.read_text().startswith("# by hand\n")
    page.click("#show-apply")
    page.fill("#apply-name", "made")
    page.select_option("#apply-unlisted", "fail")
    page.click("#apply-go")
    page.wait_for_selector("#apply-report:has-text('Wrote')")
    table = data_table(tmp_path / "made")
    rewards: dict[Any, list[Any]] = {}
    rows = zip(table["episode_index"].to_pylist(), table["next.reward"].to_pylist(), strict=True)
    for episode, reward in rows:
        rewards.setdefault(episode, []).append(reward)
    wanted = {episode: [0.0] * len(own) for episode, own in rewards.items()}
    wanted[0][1:4] = [1.0] * 3
    wanted[1][3:] = [1.0] * (len(wanted[1]) - 3)  # from frame 4 on, as edited
    assert rewards == wanted
    assert all(url.startswith((address, "data:")) for url in asked)


@pytest.mark.parametrize("size", [(1280, 720), (1024, 768)])
def test_everything_can_be_reached(
    recorded: Callable[[str], Path],
    tmp_path: Path,
    served: Callable[..., str],
    page: Any,
    size: tuple[int, int],
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(served(recorded("av1"), tmp_path / "labels.txt"))
    page.wait_for_selector("#strip[data-complete]")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    for button in page.locator("main button:visible, header button").all():
        assert button.inner_text() or button.get_attribute("aria-label")
    assert page.get_attribute("#strip", "aria-valuetext") == "frame 1, not labelled"
    assert not (tmp_path / "labels.txt").exists()  # nothing is saved unasked


def test_pointing_suggestion_and_the_way_through(
    long: Path, tmp_path: Path, served: Callable[..., str], page: Any
) -> None:
    path = tmp_path / "labels.txt"
    page.goto(served(long, path))
    page.wait_for_selector("#strip[data-complete='0']")
    assert page.is_visible("#hint")
    # the keys work on the frame the mouse points at, and on the one stepped to from there
    x, y = place(page, 4)
    page.mouse.move(x, y)
    page.wait_for_selector("#strip[aria-valuenow='5']")
    page.wait_for_selector("#large[data-frame='4']")
    page.keyboard.press("s")
    wait_said(page, "5-")
    assert not page.is_visible("#hint")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("]")
    wait_said(page, "5-14")
    page.keyboard.press("Home")
    page.keyboard.press("[")
    wait_said(page, "1-14")
    # a mark is cleared by dragging back over it
    page.mouse.move(*place(page, 6))
    page.mouse.down()
    page.mouse.move(*place(page, 2))
    page.mouse.up()
    wait_said(page, "1-2, 8-14")
    page.keyboard.press("n")
    page.wait_for_selector("#strip[data-complete='1']")
    page.wait_for_selector("#suggestion:has-text('Gripper suggests 57-')")
    wait_said(page, "not labelled")
    assert "01:" not in path.read_text()  # never saved unasked
    # the whole episode of 120 frames is in sight without scrolling
    until(page, "strip => strip.scrollHeight <= strip.clientHeight")
    page.keyboard.press("t")
    wait_said(page, "57-")
    file_says(path, "01: 57-")
    for episode in (2, 3):
        page.keyboard.press("n")
        page.wait_for_selector(f"#strip[data-complete='{episode}']")
        page.keyboard.press("f")
        file_says(path, f"0{episode}: all fail")
    page.keyboard.press("n")
    page.wait_for_selector("#saved:has-text('every episode is labelled')")
    # the set as a whole
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("f")
    wait_said(page, "all fail")
    shown = {}
    for kind in ("all", "unlabelled", "labelled", "fail", "changed"):
        page.select_option("#filter", kind)
        shown[kind] = page.eval_on_selector_all("#episodes li[id]", "all => all.map((one) => one.id)")
    every = [f"episode-{episode}" for episode in range(4)]
    fail = [every[0], every[2], every[3]]
    wanted = {"all": every, "unlabelled": [], "labelled": every[1:2], "fail": fail, "changed": every}
    assert shown == wanted
    page.click("#show-statistics")
    page.wait_for_selector("#statistics[open]")
    assert "26.9 %" in page.inner_text("#figures")  # 64 of 238 frames
    assert page.eval_on_selector("#statistics", "e => e.scrollTop") == 0
    page.click("#figures .link >> text='Episode 1'")
    page.wait_for_selector("#title:has-text('Episode 1')")


def test_playing_keeps_time_and_the_cameras_together(
    long: Path, tmp_path: Path, served: Callable[..., str], page: Any
) -> None:
    page.clock.install()
    page.goto(served(long, tmp_path / "labels.txt"))
    page.wait_for_selector("#strip[data-complete='0']")
    page.wait_for_selector("#large[data-frame='0']")
    page.keyboard.press("c")
    page.keyboard.press("c")  # all cameras
    page.wait_for_selector("#large[data-cameras='2'][data-frame='0']")
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    page.keyboard.press("Space")
    page.wait_for_selector("#play:has-text('Stop')")
    for tenth in range(1, 38):  # the page shows frames while their images come, whatever its clock says
        page.clock.run_for(100)
        number = int(page.get_attribute("#strip", "aria-valuenow") or 0)
        assert abs(number - 1 - tenth) <= 1
        page.wait_for_selector(f"#large[data-frame='{number - 1}']")
        frames = page.eval_on_selector_all(
            "#large img", "all => all.map((one) => +one.src.split('/').at(-2))"
        )
        loaded = "all => all.every((one) => one.complete && one.naturalWidth)"
        assert frames == [frames[0]] * 2
        assert page.eval_on_selector_all("#large img", loaded)
    page.clock.run_for(1000)
    page.wait_for_selector("#strip[aria-valuenow='40']")
    page.wait_for_selector("#large[data-frame='39']")
    assert page.inner_text("#play") == "Play"
    page.keyboard.press("Space")
    page.wait_for_selector("#play:has-text('Stop')")
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "Play"


def test_a_finger_marks_sideways_and_scrolls_up_and_down(
    long: Path, tmp_path: Path, served: Callable[..., str], browser: Any
) -> None:
    address = served(long, tmp_path / "labels.txt")
    context = browser.new_context(has_touch=True, viewport={"width": 820, "height": 1180})
    context.set_default_timeout(DEADLINE_S * 1000)
    touched = context.new_page()
    touched.goto(address)
    touched.wait_for_selector("#strip[data-complete='0']")
    assert touched.evaluate("document.documentElement.scrollWidth") <= 820
    finger = context.new_cdp_session(touched)

    def swipe(points: list[tuple[float, float]]) -> None:
        for at, (x, y) in enumerate(points):
            kind = "touchMove" if at else "touchStart"
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    x, y = place(touched, 1)
    wide = place(touched, 2)[0] - x
    swipe([(x + step * wide / 4, y) for step in range(13)])
    wait_said(touched, "2-5")
    touched.evaluate("document.querySelector('#zoom').value = 200")
    touched.eval_on_selector("#zoom", "e => e.dispatchEvent(new Event('input'))")
    until(touched, "strip => strip.scrollHeight > strip.clientHeight + 100")  # it is laid out again

    def scrolls() -> bool:
        x, y = place(touched, 0)
        swipe([(x, y + 120 - step * 20) for step in range(12)])
        place(touched, 0)
        return touched.eval_on_selector("#strip", "strip => strip.scrollTop > 20")

    wait_until(scrolls, "a finger does not scroll")
    wait_said(touched, "2-5")
    context.close()
