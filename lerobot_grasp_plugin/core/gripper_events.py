"""Where a gripper seems to hold something: it closed, stalled before it was shut, and opened later."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet


def held_ranges(
    position: npt.NDArray[np.floating],
    goal: npt.NDArray[np.floating],
    *,
    gap: float,
    still: float,
    min_length: int,
) -> IntervalSet:
    """Frames in which the gripper is kept from closing.

    A grasp begins when the fingers have come to rest although they are told to close further: the
    position stays ``gap`` over the goal and moves less than ``still`` a frame. It ends when the
    position follows the goal again: the gap is gone, be it that the goal opened or the object slipped.

    Args:
        position: Gripper position, larger is more open, shape (length,).
        goal: Commanded position in the same unit, shape (length,).
        gap: How far the goal must be below the position.
        still: How little the position may move in a frame of rest.
        min_length: Shorter ranges are left out; in frames.

    Returns:
        Frames 0-based, every end closed.

    Raises:
        ValueError: The arrays differ in shape or are not one-dimensional.
    """
    if position.shape != goal.shape or position.ndim != 1:
        raise ValueError(f"position {position.shape} and goal {goal.shape} must be of one shape (length,)")
    if not len(position):
        return IntervalSet()
    moved = np.abs(np.diff(position, prepend=position[:1]))
    wanting = position - goal > gap
    held = np.zeros(len(position), dtype=np.bool_)
    holding = False
    for frame in range(len(position)):
        holding = bool(wanting[frame]) and (holding or bool(moved[frame] < still))
        held[frame] = holding
    found = IntervalSet.from_mask(held)
    return IntervalSet(item for item in found if _length(item) >= min_length)


def _length(item: FrameInterval) -> int:
    assert item.stop is not None  # ranges of a mask are closed
    return item.stop - item.start
