from __future__ import annotations

from typing import Any

import pytest

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.marks import Marks


def pressed(lag: int, *presses: tuple[Any, int]) -> Marks:
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
