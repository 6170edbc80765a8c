"""What a person judges by: the large image, the frames at the boundary, playing, and ways to get there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.deadline import wait_until
from tests.support.looking import file_says, frame, opened, place, select, wait_said
from tests.support.relay import Relay

pytestmark = pytest.mark.in_turn

SEEN = """boxes => boxes.filter((box) => box.offsetWidth).map((box) => {
    const image = box.querySelector("img"), { width, height } = box.getBoundingClientRect();
    return Math.min(width, height * image.naturalWidth / image.naturalHeight);
})"""


def pair(page: Any) -> list[str]:
    return page.eval_on_selector_all(
        "#boundary figure", "all => all.map((one) => `${one.dataset.frame} ${one.className}`)"
    )


def test_the_image_is_large_and_its_camera_chosen(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    opened(page, served(long, tmp_path / "labels.txt"))
    page.wait_for_selector("#large[data-frame='0']")
    names = "#large figure:not([hidden]) figcaption"
    (width,) = page.eval_on_selector_all("#large figure", SEEN)
    assert width >= 640
    first = page.inner_text(names)
    page.keyboard.press("c")
    page.wait_for_selector("#strip[data-complete='0']")
    assert page.inner_text(names) != first
    page.keyboard.press("c")
    wait_until(lambda: len(page.eval_on_selector_all("#large figure", SEEN)) == 2, "not both are shown")
    page.click("#cameras button >> nth=0")
    assert page.inner_text(names) == first
    # the whole window, and back
    page.wait_for_selector("#large[data-frame='0']")
    page.dblclick("#large")
    box = page.locator("#large").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 1280, "height": 720}
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#large[data-frame='1']")
    page.keyboard.press("Escape")
    assert page.locator("#large").bounding_box()["width"] < 700
    page.keyboard.press("v")
    assert page.locator("#large").bounding_box()["width"] == 1280
    page.dblclick("#large")
    assert page.locator("#large").bounding_box()["width"] < 700


def test_the_frames_at_the_boundary(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    opened(page, served(long, tmp_path / "labels.txt"), 1)
    page.wait_for_selector("#pair-after[data-frame='56']")  # of the suggestion
    assert pair(page) == ["55 ", "56 "]
    frame(page, 101)
    page.keyboard.press("s")
    page.wait_for_selector("#pair-after.success[data-frame='100']")
    assert pair(page) == ["99 failure", "100 success"]
    frame(page, 31)
    page.keyboard.press("[")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("]")
    wait_said(page, "31-32")
    frame(page, 2)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_selector("#pair-after.success[data-frame='30']")
    frame(page, 36)
    page.wait_for_selector("#pair-before.success[data-frame='31']")
    assert pair(page) == ["31 success", "32 failure"]
    page.click("#pair-before")
    page.wait_for_selector("#strip[aria-valuenow='32']")
    box = page.locator("#near").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    number = int(page.get_attribute("#strip", "aria-valuenow"))
    assert abs(number - 32) <= 2
    page.mouse.move(5, 5)
    page.keyboard.press("f")
    wait_said(page, "all fail")  # and a click has labelled nothing before


def test_a_long_episode_is_in_sight_and_exact(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    path = tmp_path / "labels.txt"
    opened(page, served(long, path), 1)
    step = float(page.get_attribute("#strip", "data-step"))
    assert step < 20
    assert page.eval_on_selector("#strip", "strip => strip.scrollHeight <= strip.clientHeight")
    x, y = place(page, 100)
    page.mouse.click(x, y)
    page.wait_for_selector("#strip[aria-valuenow='101']")
    page.mouse.move(*place(page, 60))
    page.mouse.down()
    page.mouse.move(*place(page, 70))
    page.mouse.move(*place(page, 80))
    page.mouse.up()
    wait_said(page, "61-81")
    file_says(path, "01: 61-81")
    page.keyboard.press("+")
    assert float(page.get_attribute("#strip", "data-step")) > 40
    page.keyboard.press("0")
    assert float(page.get_attribute("#strip", "data-step")) == step


def test_rates_and_the_loop_around_the_boundary(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    page.clock.install()
    opened(page, served(long, tmp_path / "labels.txt"), 1)
    page.wait_for_selector("#take:enabled")
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)

    def now() -> int:
        return int(page.get_attribute("#strip", "aria-valuenow"))

    for rate, key, frames in ((1.0, None, 20), (4.0, "..", 80), (0.25, ",,,,", 5)):
        for one in key or "":
            page.keyboard.press(one)
        assert float(page.input_value("#rate")) == rate
        page.keyboard.press("Home")
        page.keyboard.press(" ")
        page.clock.run_for(2000)
        assert abs(now() - 1 - frames) <= 1
        page.keyboard.press(" ")
    page.select_option("#rate", "4")
    page.keyboard.press("l")  # a second before and after the suggested boundary, at frame 57
    seen = set()
    for _ in range(60):
        page.clock.run_for(60)
        seen.add(now())
    assert (min(seen), max(seen)) == (47, 66)
    assert page.get_attribute("#loop", "aria-pressed") == "true"
    page.keyboard.press("l")
    assert page.get_attribute("#loop", "aria-pressed") == "false"
    assert page.inner_text("#play") == "Play"


def test_go_to_and_search(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("# flag 3: the cube fell\n00: 3-\n02: all fail\n")
    opened(page, served(long, path), 1)

    def find(words: str) -> None:
        page.keyboard.press("g")
        page.keyboard.type(words)
        page.keyboard.press("Enter")

    find("3")
    page.wait_for_selector("#strip[data-complete='3']")
    find("1/60")
    page.wait_for_selector("#strip[data-complete='1'][aria-valuenow='60']")
    find("/7")
    page.wait_for_selector("#strip[aria-valuenow='7']")
    find("9")
    page.wait_for_selector("#saved:has-text('Episode 9 does not exist: the last one is 3')")
    page.keyboard.press("Escape")
    find("1/500")
    page.wait_for_selector("#saved:has-text('Episode 1 has the frames 1 to 120')")
    page.keyboard.press("Escape")
    rows = "all => all.map((row) => row.id)"
    for words, found in (("CUBE fell", [3]), ("all fail", [2]), ("", [0, 1, 2, 3])):
        page.keyboard.press("g")
        page.fill("#find", words)
        page.keyboard.press("Enter")
        assert page.eval_on_selector_all("#episodes li[id]", rows) == [f"episode-{one}" for one in found]
    page.keyboard.press("f")  # the keys are the page's again
    wait_said(page, "all fail")
    file_says(path, "01: all fail")


def test_the_definition_of_success_is_in_sight_and_in_the_file(
    long: Path, tmp_path: Path, served: Any, page: Any
) -> None:
    path = tmp_path / "labels.txt"
    address = served(long, path)
    opened(page, address)
    other = page.context.new_page()
    opened(other, address)
    page.bring_to_front()
    assert page.inner_text("#task")
    page.fill("#definition", "it is held and lifted")
    page.keyboard.press("Enter")
    file_says(path, "# success: it is held and lifted")
    wait_until(lambda: other.input_value("#definition") == "it is held and lifted", "no other tab shows it")
    other.close()
    page.keyboard.press("f")
    file_says(path, "00: all fail")
    # what would contradict the numbers of frames is refused
    page.fill("#definition", "frames are counted from 0")
    page.keyboard.press("Enter")
    page.wait_for_selector("#trouble:has-text('Not saved: success is “frames are counted from 0”')")
    assert "# success: it is held and lifted\n" in path.read_text()
    page.reload()
    page.wait_for_selector("#strip[data-complete]")
    assert page.input_value("#definition") == "it is held and lifted"


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_definition_is_sent_until_there_is_an_answer(
    long: Path, tmp_path: Path, served: Any, relayed: Callable[[str], Relay], page: Any, lost: str
) -> None:
    path = tmp_path / "labels.txt"
    relay = relayed(served(long, path))
    opened(page, relay.address)
    relay.lost = lambda asked: lost if asked == "api/definition" else None
    page.fill("#definition", "it is held")
    page.keyboard.press("Enter")
    page.wait_for_selector("#gone:has-text('Not saved: success is “it is held”')")
    assert page.input_value("#definition") == "it is held"
    relay.lost = lambda asked: None
    page.wait_for_selector("#gone", state="hidden")
    file_says(path, "# success: it is held")
    assert page.input_value("#definition") == "it is held"
    page.fill("#definition", "frames are counted from 0")
    page.keyboard.press("Enter")
    page.wait_for_selector("#trouble:has-text('Not saved: success is “frames are counted from 0”')")
    assert page.input_value("#definition") == "it is held"


def test_only_marks_are_offered_to_be_made_again(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    path = tmp_path / "labels.txt"
    opened(page, served(long, path))
    page.keyboard.press("f")
    file_says(path, "00: all fail")
    page.fill("#definition", "it is held")
    path.write_text(path.read_text() + "# by hand\n")
    page.keyboard.press("Enter")
    page.wait_for_selector("#outside:has-text('Not saved: success is “it is held”')")
    assert page.is_hidden("#outside-redo")
    page.click("#outside-load")
    page.wait_for_selector("#outside", state="hidden")
    assert page.input_value("#definition") == ""


def test_an_episode_is_flagged_and_noted(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    path = tmp_path / "labels.txt"
    opened(page, served(long, path), 2)
    page.keyboard.press("x")
    page.check("#flag-1")
    page.fill("#flag-note", "the camera was moved")
    page.click("#flag-save")
    page.wait_for_selector("#noted:has-text('⚑ look again · the camera was moved')")
    file_says(path, "# flag 02: look again")
    file_says(path, "# note 02: the camera was moved")
    page.keyboard.press("s")
    wait_said(page, "all success")
    file_says(path, "02: all success")
    page.wait_for_selector("#episode-2:has-text('⚑')")
    select(page, 1)
    assert page.inner_text("#noted") == ""
    page.keyboard.press("x")
    page.fill("#flag-words", "too dark")
    page.keyboard.press("Enter")
    page.wait_for_selector("#noted:has-text('⚑ too dark')")
    file_says(path, "# flag 01: too dark")
    page.select_option("#filter", "flagged")
    rows = page.eval_on_selector_all("#episodes li[id]", "all => all.map((row) => row.id)")
    assert rows == ["episode-1", "episode-2"]
    page.keyboard.press("x")
    page.check("#flag-none")
    page.click("#flag-save")
    page.wait_for_selector("#flag", state="hidden")
    assert "too dark" not in path.read_text()
    assert path.read_text().endswith(
        "# flag 02: look again\n# note 02: the camera was moved\n02: all success\n"
    )


def test_dark_and_light(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    page.emulate_media(color_scheme="dark")
    opened(page, served(long, tmp_path / "labels.txt"))
    ground = "e => getComputedStyle(e).backgroundColor"
    dark = page.eval_on_selector("header", ground)
    page.keyboard.press("d")
    light = page.eval_on_selector("header", ground)
    assert (dark, light) == ("rgb(26, 32, 40)", "rgb(255, 255, 255)")
    page.reload()
    page.wait_for_selector("#strip[data-complete]")
    assert page.eval_on_selector("header", ground) == light
    page.click("#scheme")
    assert page.eval_on_selector("header", ground) == dark
