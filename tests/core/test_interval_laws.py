"""The laws of interval sets, each compared with plain sets of frames."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet

HORIZON = 60
"""Frames beyond every closed end that is generated: open ends show."""

intervals = st.builds(
    lambda start, size: FrameInterval(start, None if size is None else start + size),
    st.integers(0, 40),
    st.none() | st.integers(1, 12),
)
interval_lists = st.lists(intervals, max_size=8)
sets = interval_lists.map(IntervalSet)
lengths = st.integers(0, HORIZON)


def members(frames: IntervalSet) -> set[int]:
    return {frame for frame in range(HORIZON) if frame in frames}


@settings(deadline=None)
@given(interval_lists)
def test_holds_the_frames_of_what_it_was_made_from(items: list[FrameInterval]) -> None:
    expected = {frame for frame in range(HORIZON) for item in items if frame in item}
    assert members(IntervalSet(items)) == expected


@settings(deadline=None)
@given(interval_lists)
def test_is_in_normal_form(items: list[FrameInterval]) -> None:
    parts = IntervalSet(items).intervals
    for left, right in pairwise(parts):
        assert left.stop is not None
        assert left.stop < right.start


@settings(deadline=None)
@given(interval_lists, st.randoms(use_true_random=False))
def test_does_not_depend_on_order_or_repetition(items: list[FrameInterval], random: object) -> None:
    shuffled = items + items[:3]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert IntervalSet(shuffled) == IntervalSet(items)


@settings(deadline=None)
@given(sets, sets)
def test_equal_exactly_when_the_frames_are(a: IntervalSet, b: IntervalSet) -> None:
    assert (a == b) == (members(a) == members(b))


@settings(deadline=None)
@given(sets, sets)
def test_union_and_difference_are_those_of_sets(a: IntervalSet, b: IntervalSet) -> None:
    assert members(a.union(b)) == members(a) | members(b)
    assert members(a.difference(b)) == members(a) - members(b)


@settings(deadline=None)
@given(sets, sets, sets)
def test_union_is_commutative_and_associative(a: IntervalSet, b: IntervalSet, c: IntervalSet) -> None:
    assert a.union(b) == b.union(a)
    assert a.union(b).union(c) == a.union(b.union(c))


@settings(deadline=None)
@given(sets, sets)
def test_difference_and_union_undo_each_other(a: IntervalSet, b: IntervalSet) -> None:
    assert a.difference(b).union(b) == a.union(b)
    assert not a.difference(a)
    assert a.difference(b).difference(b) == a.difference(b)


@settings(deadline=None)
@given(sets)
def test_everything_is_the_top(a: IntervalSet) -> None:
    top = IntervalSet.everything()
    assert a.union(top) == top
    assert top.difference(top.difference(a)) == a


@settings(deadline=None)
@given(sets, lengths)
def test_mask_clip_and_count_agree(a: IntervalSet, length: int) -> None:
    mask = a.mask(length)
    assert mask.dtype == np.bool_
    assert mask.shape == (length,)
    assert set(np.flatnonzero(mask).tolist()) == {frame for frame in members(a) if frame < length}
    assert a.count(length) == int(mask.sum())
    assert IntervalSet.from_mask(mask) == a.clip(length)
    assert all(item.stop is not None and item.stop <= length for item in a.clip(length))


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=HORIZON))
def test_a_mask_comes_back(values: list[bool]) -> None:
    mask = np.array(values, dtype=np.bool_)
    np.testing.assert_array_equal(IntervalSet.from_mask(mask).mask(len(mask)), mask)
