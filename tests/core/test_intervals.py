from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet


def frames(*pairs: tuple[int, int | None]) -> IntervalSet:
    return IntervalSet(FrameInterval(start, stop) for start, stop in pairs)


def test_overlapping_and_adjacent_intervals_are_joined_whatever_their_order() -> None:
    assert frames((8, 10), (0, 3), (3, 5), (9, 12)).intervals == (FrameInterval(0, 5), FrameInterval(8, 12))


def test_a_gap_of_one_frame_stays_a_gap() -> None:
    assert len(frames((0, 3), (4, 5)).intervals) == 2


def test_an_open_interval_swallows_what_follows() -> None:
    assert frames((5, None), (7, 9), (20, None)).intervals == (FrameInterval(5, None),)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (frames((0, None)), frames((0, 1)), frames((1, None))),
        (frames((0, None)), frames((5, None)), frames((0, 5))),
        (frames((0, 10)), frames((2, 3), (5, 6)), frames((0, 2), (3, 5), (6, 10))),
        (frames((0, 2), (4, 6), (8, None)), frames((1, 9)), frames((0, 1), (9, None))),
        (frames((3, 5)), frames((0, None)), frames()),
        (frames((3, 5)), frames(), frames((3, 5))),
    ],
)
def test_difference(left: IntervalSet, right: IntervalSet, expected: IntervalSet) -> None:
    assert left.difference(right) == expected


def test_clip_closes_open_ends_and_drops_what_lies_behind() -> None:
    assert frames((2, 4), (6, None)).clip(9) == frames((2, 4), (6, 9))
    assert frames((2, 4), (6, None)).clip(6) == frames((2, 4))
    assert frames((2, None)).clip(0) == frames()


def test_within_counts_from_the_first_frame_of_the_part() -> None:
    whole = frames((0, 3), (5, 9), (12, None))
    assert whole.within(2, 14).intervals == frames((0, 1), (3, 7), (10, 12)).intervals
    assert whole.within(6, 8) == frames((0, 2))
    assert not whole.within(3, 5)
    assert whole.within(0, 20) == whole.clip(20)


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (4, 3)])
def test_a_part_that_ends_before_it_begins_is_refused(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="start and stop"):
        frames((0, 3)).within(start, stop)


def test_mask_marks_start_and_not_stop() -> None:
    np.testing.assert_array_equal(frames((1, 3), (4, None)).mask(6), [False, True, True, False, True, True])


def test_count_is_taken_within_the_length() -> None:
    assert frames((1, 3), (4, None)).count(6) == 4
    assert frames((1, 3), (4, None)).count(2) == 1


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (3, 3), (3, 2)])
def test_an_interval_without_frames_is_refused(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        FrameInterval(start, stop)


@given(st.lists(st.booleans(), max_size=30))
def test_a_mask_gives_the_ranges_that_give_it_back(mask: list[bool]) -> None:
    ranges = IntervalSet.from_mask(np.array(mask, dtype=np.bool_))

    assert ranges.mask(len(mask)).tolist() == mask
    assert all(interval.stop is not None for interval in ranges)


def test_from_mask_takes_only_flat_booleans() -> None:
    with pytest.raises(ValueError, match="bool"):
        IntervalSet.from_mask(np.ones((3, 1), dtype=np.bool_))
    with pytest.raises(ValueError, match="bool"):
        IntervalSet.from_mask(np.ones(3))  # type: ignore[arg-type]


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        frames((0, 1)).clip(-1)


def test_pairs_of_json_give_the_set_back() -> None:
    for ranges in (frames(), frames((0, 3), (5, 6)), frames((2, None))):
        assert IntervalSet.of_pairs(ranges.pairs()) == ranges
    assert frames((0, 3), (5, None)).pairs() == [[0, 3], [5, None]]


@pytest.mark.parametrize(
    "pair", [[1], [1, 2, 3], [1.0, 2], [True, 2], [1, False], "12", None, [2, 2], [-1, 3]]
)
def test_pairs_that_are_not_ranges_are_refused(pair: object) -> None:
    with pytest.raises(ValueError, match=r"range|start|stop"):
        IntervalSet.of_pairs([pair])
