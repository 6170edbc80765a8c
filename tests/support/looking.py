"""What tests do with the page, and what they wait for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.deadline import DEADLINE_S, wait_until


def select(page: Any, episode: int) -> None:
    page.click(f"#episode-{episode}")
    page.wait_for_selector(f'#strip[data-complete="{episode}"]')
    page.locator("#strip").focus()


def place(page: Any, frame: int) -> tuple[float, float]:
    """Where a frame of the first line is on the screen, once it stays there."""
    page.wait_for_selector("#legend i")
    boxes: list[Any] = [None]

    def is_laid_out() -> bool:
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        boxes.append(page.locator("#strip canvas").first.bounding_box())
        return boxes[-1] is not None and boxes[-1] == boxes[-2]

    wait_until(is_laid_out, "the strip is not laid out")
    box, width = boxes[-1], float(page.get_attribute("#strip", "data-step") or 0)
    return box["x"] + (frame + 0.5) * width, box["y"] + 30


def until(page: Any, holds: str) -> None:
    """Waits until a function of the strip holds; the page's own policy forbids Playwright's way."""
    wait_until(lambda: page.eval_on_selector("#strip", holds), holds)


def wait_said(page: Any, text: str) -> None:
    from playwright.sync_api import expect

    expect(page.locator("#said")).to_have_text(text, timeout=DEADLINE_S * 1000)


def file_says(path: Path, line: str) -> None:
    wait_until(
        lambda: path.is_file() and line in path.read_text().splitlines(),
        lambda: f"{line!r} is not in {path.read_text()!r}",
    )


def opened(page: Any, address: str, episode: int = 0) -> None:
    """Opens the page and waits until an episode is there."""
    page.goto(address)
    page.wait_for_selector("#strip[data-complete]")
    if page.get_attribute("#strip", "data-complete") != str(episode):
        select(page, episode)


def frame(page: Any, number: int) -> None:
    """Goes to a frame with the keys, counted from 1."""
    page.keyboard.press("Home")
    for _ in range((number - 1) // 10):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range((number - 1) % 10):
        page.keyboard.press("ArrowRight")
    assert page.get_attribute("#strip", "aria-valuenow") == str(number)


def labels_in(path: Path) -> dict[int, str]:
    """The lines of an annotation file by episode."""
    lines = [line.split(":") for line in path.read_text().splitlines() if line[:1].isdigit()]
    return {int(episode): ranges.strip() for episode, ranges in lines}
