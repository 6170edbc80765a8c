"""Which frames of an episode are idle."""

from __future__ import annotations

import numpy as np
import pytest

from lerobot_grasp_plugin.core.idle import moving_frames, widths, without_idle_ends


@pytest.mark.parametrize(
    ("places", "span"),
    [
        ([0, 0, 0, 1, 2, 3, 3, 3], (2, 6)),
        ([0, 1, 2], (0, 3)),
        ([0, 0.4, 0.1, 0], (0, 4)),
        ([0, 0.4, 0.8, 0.4], (1, 4)),
        ([0, 0, 5, 0, 0, 0], (1, 4)),
        ([0], (0, 1)),
        ([], (0, 0)),
    ],
)
def test_one_frame_of_rest_is_left_at_either_end(places, span):
    both = np.array([[7.0, place] for place in places]).reshape(len(places), 2)
    assert moving_frames(both, 0.5) == span


def test_frames_that_are_to_be_kept_are():
    places = np.array([[0.0]] * 4 + [[1.0]] * 4)
    assert moving_frames(places, 0.5) == (3, 5)
    assert moving_frames(places, 0.5, [1, 6]) == (1, 7)
    assert moving_frames(places, 0.5, [4]) == (3, 5)


def test_only_long_idle_ends_are_cut_off() -> None:
    places = np.array([0.0] * 6 + [1.0, 2.0, 3.0] + [3.0] * 3).reshape(-1, 1)
    assert moving_frames(places, 0.5) == (5, 9)
    assert without_idle_ends(places, 0.5, shortest=0, margin=0) == (5, 9)
    assert without_idle_ends(places, 0.5, shortest=4, margin=0) == (5, 12)
    assert without_idle_ends(places, 0.5, shortest=5, margin=2) == (3, 12)
    assert without_idle_ends(places, 0.5, shortest=6, margin=0) == (0, 12)
    assert without_idle_ends(places, 0.5, shortest=1, margin=9) == (0, 12)


def test_frames_that_are_kept_keep_the_idle_end() -> None:
    places = np.array([0.0] * 6 + [1.0] * 6).reshape(-1, 1)
    assert without_idle_ends(places, 0.5, shortest=2, margin=0, kept=[11]) == (5, 12)
    assert without_idle_ends(places, 0.5, shortest=2, margin=1, kept=[9]) == (4, 11)


def test_an_episode_without_movement_stays_whole() -> None:
    assert without_idle_ends(np.zeros((9, 2)), 0.5, shortest=1, margin=0) == (0, 9)
    assert without_idle_ends(np.zeros((0, 2)), 0.5, shortest=1, margin=0) == (0, 0)
    assert without_idle_ends(np.full((4, 1), np.nan), 0.5, shortest=1, margin=0) == (0, 4)


def test_a_dimension_that_hardly_moves_is_measured_by_the_widest() -> None:
    low, high = np.array([-50.0, 0.0, 3.0]), np.array([50.0, 30.0, 3.1])
    assert widths(low, high).tolist() == [100.0, 30.0, 10.0]
    assert widths(np.zeros(2), np.zeros(2)).tolist() == [1.0, 1.0]
    assert widths(np.array([np.nan, 0.0]), np.array([np.nan, 2.0])).tolist() == [0.2, 2.0]


def test_a_value_that_is_missing_hides_no_movement() -> None:
    """Another dimension moves in frame 1 already, where the first one has no value."""
    places = np.array([[0.0, 0.0], [np.nan, 1.0], [np.nan, 2.0], [3.0, 3.0], [3.0, 3.0], [3.0, 3.0]])
    assert moving_frames(places, 0.5) == (0, 4)
    assert moving_frames(places[::-1], 0.5) == (2, 6)
