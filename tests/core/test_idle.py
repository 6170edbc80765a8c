"""Which frames of an episode are idle."""

from __future__ import annotations

import numpy as np
import pytest

from lerobot_grasp_plugin.core.idle import moving_frames


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
