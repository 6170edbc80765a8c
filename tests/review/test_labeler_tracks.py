"""Any number of labelers propose on the page: rows, keys, and the list from which many are taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.looking import file_says, labels_in, opened, select, wait_said

pytestmark = pytest.mark.in_turn
NONE = "\N{EN DASH}"


def test_proposals_are_taken_by_key_and_from_the_list(
    long: Path, tmp_path: Path, served: Callable[..., str], page: Any
) -> None:
    labels, theirs = tmp_path / "labels.txt", tmp_path / "theirs.txt"
    labels.write_text(f"# dataset path: {long}\n03: 10-20\n")
    theirs.write_text("00: 31-\n01: 50-\n02: all fail\n03: 10-30\n")
    labelers = f"[{{type: gripper}}, {{type: file, path: {theirs}}}]"
    opened(page, served(long, labels, 0, "--labelers", labelers))
    select(page, 1)
    page.wait_for_selector("#suggestion:has-text('Gripper suggests 57-')")
    page.wait_for_selector("#suggestion-2:has-text('File suggests 50- (as in theirs.txt)')")
    page.keyboard.press("2")
    wait_said(page, "50-")
    file_says(labels, "01: 50-")
    page.keyboard.press("t")
    wait_said(page, "57-")
    # the list of the second labeler: most disagreement first, labelled episodes are not chosen
    page.click("#show-proposals")
    page.wait_for_selector("#proposals-state:has-text('proposals')")
    page.select_option("#proposals-labeler", label="File")
    rows = page.locator("#proposals-rows tr")
    assert [row.split("\t")[1:5] for row in rows.all_inner_texts()] == [
        ["Episode 0", "31-", "not labelled", "10 of 40"],  # the gripper says all fail
        ["Episode 3", "10-30", "10-20", "10 of 66"],
        ["Episode 1", "50-", "57-", "7 of 120"],
        ["Episode 2", "all fail", "not labelled", NONE],
    ]
    assert [box.is_checked() for box in rows.locator("input").all()] == [True, False, False, True]
    assert page.inner_text("#proposals-take") == "Take 2"
    rows.locator("input").nth(1).check()
    assert page.inner_text("#proposals-take") == "Take 3, 1 replacing labels"
    page.click("#proposals-take")
    file_says(labels, "02: all fail")
    assert labels_in(labels) == {0: "31-", 1: "57-", 2: "all fail", 3: "10-30"}
    page.locator("#strip").focus()
    page.keyboard.press("u")
    page.wait_for_selector("#saved:has-text('Undone')")


MANY = """async () => {
    const { Labels } = await import("./labels.js"), requests = [];
    const ask = async (path, body) => {
        requests.push(JSON.stringify(body).length);
        return { serial: requests.length, notes: {}, definition: null, labels: Object.fromEntries(
            body.changes.map(({ episode, after }) => [episode, { ranges: after, changed: true }])) };
    };
    const labels = new Labels(new Array(5000).fill(900), ask, () => {}, () => {});
    for (let episode = 0; episode < 5000; episode++) labels.mark(episode, null, [[100, 200], [300, null]]);
    while (labels.queue.length) await new Promise((done) => setTimeout(done));
    return [Math.max(...requests), labels.confirmed.filter((ranges) => ranges !== null).length];
}"""


def test_many_changes_are_sent_in_requests_that_a_browser_takes(
    long: Path, tmp_path: Path, served: Callable[..., str], page: Any
) -> None:
    opened(page, served(long, tmp_path / "labels.txt"))
    largest, saved = page.evaluate(MANY)
    assert largest < 2**16
    assert saved == 5000
