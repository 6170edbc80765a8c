"""Agreement of two sets of labels, against figures counted frame by frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.agreement import (
    Agreement,
    boundary_distance,
    cohens_kappa,
    most_differing,
    share_agreeing,
)
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30).map(
    lambda pairs: np.array(pairs, dtype=np.bool_)
)


def agreement(first: np.ndarray, second: np.ndarray, index: int = 0) -> Agreement:
    return Agreement(index, len(first), IntervalSet.from_mask(first), IntervalSet.from_mask(second))


@given(st.lists(PAIRS, min_size=1, max_size=4))
def test_figures_are_those_of_the_frames(episodes: list[np.ndarray]) -> None:
    agreements = [agreement(pairs[:, 0], pairs[:, 1]) for pairs in episodes]
    first, second = np.concatenate(episodes).T
    assert share_agreeing(agreements) == pytest.approx((first == second).mean())
    assert sum(each.differing for each in agreements) == (first != second).sum()
    chance = first.mean() * second.mean() + (1 - first.mean()) * (1 - second.mean())
    kappa = cohens_kappa(agreements)
    if kappa is None:
        assert len({*first.tolist(), *second.tolist()}) == 1
    else:
        assert kappa == pytest.approx(((first == second).mean() - chance) / (1 - chance))


@given(PAIRS)
def test_the_order_of_the_two_does_not_matter(pairs: np.ndarray) -> None:
    one, other = agreement(pairs[:, 0], pairs[:, 1]), agreement(pairs[:, 1], pairs[:, 0])
    assert (one.only_first, one.only_second) == (other.only_second, other.only_first)
    assert sorted(one.distances) == sorted(other.distances)
    assert one.unmatched == other.unmatched
    assert cohens_kappa([one]) == cohens_kappa([other])


def test_boundaries() -> None:
    def ranges(*pairs: tuple[int, int | None]) -> IntervalSet:
        return IntervalSet(FrameInterval(*pair) for pair in pairs)

    later = Agreement(0, 50, ranges((10, None)), ranges((14, 50)))
    assert (later.distances, later.unmatched, boundary_distance([later])) == ((4, 4), 0, 4.0)
    extra = Agreement(1, 50, ranges((10, 20), (30, None)), ranges((12, None)))
    assert sorted(extra.distances) == [2, 2, 18]
    assert extra.unmatched == 1  # success ends at 20 in the first set only
    none = Agreement(2, 50, ranges((10, None)), ranges())
    assert (none.distances, none.unmatched, boundary_distance([none])) == ((), 1, None)
    everything = Agreement(3, 50, ranges((0, None)), ranges((0, 50)))
    assert (everything.distances, everything.unmatched, everything.differing) == ((), 0, 0)
    assert [each.episode_index for each in most_differing([later, extra, none, everything])] == [2, 1, 0]
