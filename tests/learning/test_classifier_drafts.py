"""Success ranges from probabilities, as laws; and the annotation file made of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.learning.drafts import compare, disagreement_lines, draft_text, success_ranges

PROBABILITIES = st.lists(st.floats(0, 1, width=32), max_size=60).map(lambda p: np.array(p, np.float32))
THRESHOLDS = st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)).map(sorted)
LENGTHS = st.integers(1, 6)


@given(PROBABILITIES, st.floats(0, 0.99))
def test_without_hysteresis_and_minimum_it_is_the_threshold(probability, threshold):
    found = success_ranges(probability, enter=threshold, leave=threshold, min_length=1)
    assert found == IntervalSet.from_mask(np.array([p > threshold for p in probability.tolist()], np.bool_))


@given(PROBABILITIES, THRESHOLDS, LENGTHS)
def test_ranges_and_gaps_are_long_enough(probability, thresholds, min_length):
    leave, enter = thresholds
    ranges = success_ranges(probability, enter=enter, leave=leave, min_length=min_length).intervals
    assert all(item.stop - item.start >= min_length for item in ranges)
    assert all(after.start - before.stop >= min_length for before, after in pairwise(ranges))


@given(PROBABILITIES, THRESHOLDS, LENGTHS)
def test_a_range_begins_over_enter_and_ends_before_leave(probability, thresholds, min_length):
    leave, enter = thresholds
    values = probability.tolist()
    for item in success_ranges(probability, enter=enter, leave=leave, min_length=min_length):
        assert values[item.start] > enter
        assert item.stop == len(values) or values[item.stop] <= leave
        assert values[item.stop - 1] > leave


@given(PROBABILITIES, THRESHOLDS, LENGTHS)
def test_a_draft_of_a_draft_is_the_same(probability, thresholds, min_length):
    leave, enter = thresholds
    once = success_ranges(probability, enter=enter, leave=leave, min_length=min_length)
    mask = once.mask(len(probability)).astype(np.float32)
    assert success_ranges(mask, enter=enter, leave=leave, min_length=min_length) == once


@given(st.lists(st.tuples(PROBABILITIES.filter(len), st.booleans()), min_size=1, max_size=5))
def test_the_file_says_what_the_draft_says(episodes):
    drafts = []
    for index, (probability, labelled) in enumerate(episodes):
        success = success_ranges(probability, enter=0.5, leave=0.3, min_length=2)
        label = np.roll(probability > 0.5, 1) if labelled else None
        drafts.append(compare(index, len(probability), success, label))
    text = draft_text(drafts, dataset="me/grasps", origin="a classifier in a test")
    parsed = parse(text, name="draft")
    assert not parsed.warnings
    listed = parsed.annotations.listed("me/grasps")
    assert [item.success.clip(draft.length) for item, draft in zip(listed, drafts, strict=True)] == [
        draft.success for draft in drafts
    ]


def test_disagreements_come_first_and_the_largest_before_the_others():
    label = np.zeros(20, np.bool_)
    label[10:] = True
    drafts = [
        compare(0, 20, IntervalSet([FrameInterval(10, 20)]), label),
        compare(1, 20, IntervalSet([FrameInterval(12, 20)]), label),
        compare(2, 20, IntervalSet([FrameInterval(2, 5), FrameInterval(15, 20)]), label),
    ]
    assert list(disagreement_lines(drafts)) == [
        "Draft and labels disagree on 10 of 60 frames, in 2 of 3 episodes:",
        "  episode 02: 8 frames differ: 11-15 labelled success, 3-5 labelled failure",
        "  episode 01: 2 frames differ: 11-12 labelled success",
    ]
    lines = draft_text(drafts, dataset="me/grasps", origin="a test of ours").splitlines()
    first = next(number for number, line in enumerate(lines) if "episode 02: 8 frames" in line)
    assert first < lines.index("# dataset path: me/grasps")
    assert "00: 11-" in lines
    assert "02: 3-5, 16-  # 8 frames differ: 11-15 labelled success, 3-5 labelled failure" in lines


def test_thresholds_the_wrong_way_round_are_refused():
    with pytest.raises(ValueError, match="leave"):
        success_ranges(np.zeros(3, np.float32), enter=0.2, leave=0.5, min_length=1)
