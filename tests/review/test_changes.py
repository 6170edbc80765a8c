"""What a person marks is what the file says: slow and lossy networks, several tabs, undo and redo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.deadline import wait_until
from tests.support.looking import file_says, frame, labels_in, opened, select, wait_said
from tests.support.relay import Relay

pytestmark = pytest.mark.in_turn


def label_all(page: Any) -> dict[int, str]:
    """Labels the four episodes without waiting for an answer; gives what the file must say."""
    opened(page, page.url, 1)
    frame(page, 101)
    page.keyboard.press("[")
    frame(page, 111)
    page.keyboard.press("]")
    wait_said(page, "101-111")
    page.keyboard.press("n")
    page.keyboard.press("s")
    wait_said(page, "all success")
    page.keyboard.press("f")
    page.keyboard.press("u")
    page.keyboard.press("u")
    wait_said(page, "not labelled")
    page.keyboard.press("y")
    page.keyboard.press("n")
    frame(page, 5)
    page.keyboard.press("s")
    page.keyboard.press("n")
    page.keyboard.press("f")
    wait_said(page, "all fail")
    return {0: "all fail", 1: "101-111", 2: "all success", 3: "5-"}


def saved(path: Path, wanted: dict[int, str]) -> None:
    wait_until(
        lambda: path.exists() and labels_in(path) == wanted,
        lambda: f"{path.read_text()} is not {wanted}",
    )


def shown(page: Any) -> dict[int, str]:
    """What the page says of every episode."""
    said = {}
    for episode in range(4):
        select(page, episode)
        said[episode] = page.inner_text("#said")
    return said


@pytest.mark.parametrize("delay_ms", [0, 50, 300, 2000])
def test_a_mark_before_the_last_one_is_answered_loses_nothing(
    long: Path, tmp_path: Path, served: Any, relayed: Callable[[str], Relay], page: Any, delay_ms: int
) -> None:
    path = tmp_path / "labels.txt"
    relay = relayed(served(long, path))
    page.goto(relay.address)
    page.wait_for_selector("#strip[data-complete]")
    relay.delay_s = lambda asked: delay_ms / 1000 if asked.startswith("api/") else 0.0
    wanted = label_all(page)
    saved(path, wanted)
    page.wait_for_selector("#saved:has-text('saved in labels.txt')")
    assert shown(page) == wanted


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_lost_change_is_sent_again_and_happens_once(
    long: Path, tmp_path: Path, served: Any, relayed: Callable[[str], Relay], page: Any, lost: str
) -> None:
    path = tmp_path / "labels.txt"
    relay = relayed(served(long, path))
    opened(page, relay.address)
    relay.lost = lambda asked: lost if asked == "api/change" else None
    page.keyboard.press("s")
    wait_said(page, "all success")
    page.wait_for_selector("#gone:has-text('Not saved: episode 0: all success')")
    page.keyboard.press("f")  # no mark is taken now
    wait_said(page, "all success")
    relay.lost = lambda asked: None
    page.wait_for_selector("#saved:has-text('saved in labels.txt')")
    assert labels_in(path) == {0: "all success"}
    wait_said(page, "all success")
    page.keyboard.press("u")
    wait_said(page, "not labelled")
    wait_until(lambda: labels_in(path) == {}, "the label is still there")


def test_a_mark_is_kept_when_the_page_is_left_at_once(
    long: Path, tmp_path: Path, served: Any, relayed: Callable[[str], Relay], page: Any
) -> None:
    path = tmp_path / "labels.txt"
    relay = relayed(served(long, path))
    opened(page, relay.address)
    relay.delay_s = lambda asked: 2.0 if asked == "api/change" else 0.0
    page.keyboard.press("s")
    page.keyboard.press("n")
    page.keyboard.press("f")
    wait_said(page, "all fail")
    page.reload()
    page.wait_for_selector("#strip[data-complete]")
    saved(path, {0: "all success", 1: "all fail"})
    page.wait_for_selector("#episode-1.fail")
    assert shown(page) == {0: "all success", 1: "all fail", 2: "not labelled", 3: "not labelled"}


def test_old_news_that_come_late_change_nothing(
    long: Path, tmp_path: Path, served: Any, relayed: Callable[[str], Relay], page: Any
) -> None:
    path = tmp_path / "labels.txt"
    address = served(long, path)
    relay = relayed(address)
    page.goto(relay.address)
    page.wait_for_selector("#strip[data-complete]")
    select(page, 0)
    relay.delay_s = lambda asked: 2.0 if "news" in asked else 0.0
    relay.wait_answered("news")  # what is asked from here on is late
    for key, said in (("s", "all success"), ("f", "all fail"), ("s", "all success")):
        page.keyboard.press(key)
        wait_said(page, said)
    file_says(path, "00: all success")
    for _ in range(2):
        relay.wait_answered("news")
        assert page.inner_text("#said") == "all success"
    assert labels_in(path) == {0: "all success"}


def test_two_tabs_see_each_other_and_undo_their_own(
    long: Path, tmp_path: Path, served: Any, page: Any
) -> None:
    path = tmp_path / "labels.txt"
    address = served(long, path)
    other = page.context.new_page()
    for tab in (page, other):
        opened(tab, address)
    page.keyboard.press("s")
    wait_said(other, "all success")
    select(other, 1)
    other.keyboard.press("f")
    file_says(path, "01: all fail")
    # undo takes back what this tab did, names the episode and goes there
    select(page, 2)
    page.keyboard.press("f")
    select(page, 3)
    page.wait_for_selector("[data-act=undo]:has-text('episode 2')")
    page.keyboard.press("u")
    page.wait_for_selector("#title:has-text('Episode 2')")
    page.wait_for_selector("#saved:has-text('Undone: episode 2: not labelled · saved in labels.txt')")
    page.keyboard.press("Control+z")
    page.wait_for_selector("#saved:has-text('Undone: episode 0: not labelled · saved in labels.txt')")
    wait_said(page, "not labelled")
    page.keyboard.press("u")
    page.wait_for_selector("#saved:has-text('Nothing to undo')")
    page.keyboard.press("Control+Shift+z")
    page.wait_for_selector("#saved:has-text('Redone: episode 0: all success · saved in labels.txt')")
    assert labels_in(path) == {0: "all success", 1: "all fail"}
    # what somebody else changed since is not undone
    select(other, 0)
    wait_said(other, "all success")
    other.keyboard.press("f")
    wait_said(page, "all fail")
    select(page, 3)
    page.keyboard.press("u")
    page.wait_for_selector("#saved:has-text('Episode 0 was changed elsewhere; nothing is undone')")
    assert labels_in(path) == {0: "all fail", 1: "all fail"}
    other.close()


def test_a_refused_change_is_taken_back_in_sight(
    long: Path, tmp_path: Path, served: Any, relayed: Callable[[str], Relay], page: Any
) -> None:
    path = tmp_path / "labels.txt"
    address = served(long, path)
    relay = relayed(address)
    opened(page, relay.address)
    other = page.context.new_page()
    opened(other, address)
    relay.lost = lambda asked: "request" if "news" in asked else None  # this tab hears nothing
    page.wait_for_selector("#gone:not([hidden])")
    other.keyboard.press("f")
    file_says(path, "00: all fail")
    relay.lost = lambda asked: None
    wait_said(page, "all fail")
    page.wait_for_selector("#gone", state="hidden")
    relay.lost = lambda asked: "request" if "change" in asked else None
    page.keyboard.press("s")
    page.wait_for_selector("#gone:not([hidden])")  # the mark was made on "all fail"
    frame(other, 7)
    other.keyboard.press("s")
    file_says(path, "00: 7-")
    relay.lost = lambda asked: None
    page.wait_for_selector("#trouble:has-text('Not saved: episode 0: all success')")
    wait_said(page, "7-")
    assert page.is_disabled("[data-act=undo]")
    assert labels_in(path) == {0: "7-"}
    other.close()
