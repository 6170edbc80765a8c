"""The page in a real browser: labelled by mouse and keyboard, and applied."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from factories import data_table

pytestmark = pytest.mark.xdist_group("processes")  # they need the machine to themselves


def select(page: Any, episode: int) -> None:
    page.click(f"#episode-{episode}")
    page.wait_for_selector(f'#strip[data-complete="{episode}"]')
    page.locator("#strip").focus()


def place(page: Any, frame: int) -> tuple[float, float]:
    """Where a frame of the first line is on the screen."""
    box = page.locator("#strip canvas").first.bounding_box()
    width = float(page.input_value("#zoom"))
    return box["x"] + (frame + 0.5) * width, box["y"] + 40


def wait_said(page: Any, text: str) -> None:
    from playwright.sync_api import expect

    expect(page.locator("#said")).to_have_text(text, timeout=8000)


def file_says(page: Any, path: Path, line: str) -> None:
    for _ in range(100):
        if line in path.read_text().splitlines():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{line!r} is not in {path.read_text()!r}")


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
    # by mouse: frames 2 to 4 (numbered from 1), then 3 cleared by a click
    x, y = place(page, 1)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(place(page, 2)[0], y)
    page.mouse.move(place(page, 3)[0], y)
    page.mouse.up()
    wait_said(page, "2-4")
    file_says(page, path, "00: 2-4")
    page.mouse.click(place(page, 2)[0], y)
    wait_said(page, "2, 4")
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
    file_says(page, path, "02: 1-2")
    path.write_text(path.read_text().replace("01: 3-", "01: 4-  # edited"))
    page.keyboard.press("f")
    page.wait_for_selector("#outside:not([hidden])")
    page.click("#outside-redo" if page.is_visible("#outside-redo") else "#outside-load")
    page.wait_for_selector("#outside", state="hidden")
    select(page, 2)
    page.keyboard.press("f")
    wait_said(page, "all fail")
    file_says(page, path, "01: 4-  # edited")
    assert path.read_text().startswith("# by hand\n")
    page.click("#show-apply")
    page.fill("#apply-name", "made")
    page.select_option("#apply-unlisted", "fail")
    page.click("#apply-go")
    page.wait_for_selector("#apply-report:has-text('Wrote')")
    table = data_table(tmp_path / "made")
    rewards: dict[int, list[float]] = {}
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
