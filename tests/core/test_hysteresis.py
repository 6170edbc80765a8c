"""Success ranges from probabilities, as laws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.hysteresis import success_ranges
from lerobot_grasp_plugin.core.intervals import IntervalSet

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
def test_ranges_of_ranges_are_the_same(probability, thresholds, min_length):
    leave, enter = thresholds
    once = success_ranges(probability, enter=enter, leave=leave, min_length=min_length)
    mask = once.mask(len(probability)).astype(np.float32)
    assert success_ranges(mask, enter=enter, leave=leave, min_length=min_length) == once


def test_thresholds_the_wrong_way_round_are_refused():
    with pytest.raises(ValueError, match="leave"):
        success_ranges(np.zeros(3, np.float32), enter=0.2, leave=0.5, min_length=1)
