from __future__ import annotations

import numpy as np
import pytest

from lerobot_grasp_plugin.core.gripper_events import held_ranges
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.marks import Marks


def pressed(lag: int, *presses: tuple[str, int]) -> Marks:
    marks = Marks(lag)
    for action, frame in presses:
        marks.press(action, frame, frame / 30)
    return marks


@pytest.mark.parametrize(
    ("lag", "presses", "expected"),
    [
        (0, [], []),
        (0, [("toggle", 4)], [(4, 10)]),
        (3, [("toggle", 4)], [(1, 10)]),
        (3, [("toggle", 2)], [(0, 10)]),
        (3, [("toggle", 1), ("toggle", 2)], []),
        (1, [("toggle", 2), ("toggle", 5), ("toggle", 8)], [(1, 4), (7, 10)]),
        (0, [("toggle", 2), ("fail_rest", 6)], [(2, 6)]),
        (0, [("toggle", 2), ("fail_rest", 6), ("toggle", 8)], [(2, 6)]),
        (0, [("toggle", 2), ("fail_rest", 6), ("undo", 8)], [(2, 10)]),
        (0, [("toggle", 2), ("undo", 3), ("toggle", 5)], [(5, 10)]),
        (0, [("undo", 1), ("toggle", 2)], [(2, 10)]),
        (0, [("toggle", 10)], []),
        (2, [("toggle", 10)], [(8, 10)]),
    ],
)
def test_marks_become_ranges(lag, presses, expected):
    ranges = IntervalSet(FrameInterval(*pair) for pair in expected)
    assert pressed(lag, *presses).success(10) == ranges


def test_every_press_is_logged_with_what_it_did():
    marks = pressed(2, ("undo", 1), ("toggle", 5), ("fail_rest", 7), ("toggle", 8), ("undo", 9))
    assert [(event.from_frame, event.success, event.changed) for event in marks.events] == [
        (0, False, False),
        (3, True, True),
        (5, False, True),
        (6, False, False),
        (5, True, True),
    ]
    assert marks.active


def test_a_gripper_kept_from_closing_holds_something():
    goal = np.array([60, 40, 20, 5, 5, 5, 5, 5, 5, 60, 60, 60], float)
    holding = np.array([60, 45, 30, 25, 25, 25, 25, 25, 25, 40, 60, 60], float)
    options = {"gap": 4.0, "still": 1.0, "min_length": 3}
    assert held_ranges(holding, goal, **options) == IntervalSet([FrameInterval(4, 9)])
    closing_on_air = np.array([60, 45, 30, 15, 5, 5, 5, 5, 5, 40, 60, 60], float)
    assert not held_ranges(closing_on_air, goal, **options)
    slipping = np.array([60, 45, 30, 25, 25, 25, 25, 5, 5, 40, 60, 60], float)
    assert held_ranges(slipping, goal, **options) == IntervalSet([FrameInterval(4, 7)])
