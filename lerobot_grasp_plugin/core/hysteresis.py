"""Turns a curve into success ranges, with hysteresis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet


def success_ranges(
    curve: NDArray[np.floating[Any]], *, enter: float, leave: float, min_length: int
) -> IntervalSet:
    """Turns probabilities, or another measure of success, into success ranges.

    A range begins where the curve is over ``enter`` and ends where it is no longer over ``leave``. Then gaps
    of fewer than ``min_length`` frames between two ranges are closed, and after that ranges of fewer than
    ``min_length`` frames are dropped. NaN ends a range.

    Args:
        curve: Shape (length,).
        enter: In the unit of ``curve``.
        leave: At most ``enter``.
        min_length: In frames, at least 1.

    Returns:
        Frames 0-based; ranges and the gaps between them are ``min_length`` long or longer.

    Raises:
        ValueError: ``leave`` is over ``enter``, or ``min_length`` is below 1.
    """
    if leave > enter or min_length < 1:
        raise ValueError(f"leave {leave} must be at most enter {enter}, min_length {min_length} at least 1")
    inside = np.zeros(len(curve), dtype=np.bool_)
    active = False
    for frame, value in enumerate(curve.tolist()):
        active = value > (leave if active else enter)
        inside[frame] = active
    joined: list[FrameInterval] = []
    for found in IntervalSet.from_mask(inside):
        if joined and found.start - _stop(joined[-1]) < min_length:
            joined[-1] = FrameInterval(joined[-1].start, found.stop)
        else:
            joined.append(found)
    return IntervalSet(item for item in joined if _stop(item) - item.start >= min_length)


def _stop(interval: FrameInterval) -> int:
    assert interval.stop is not None  # ranges of a mask are closed
    return interval.stop
