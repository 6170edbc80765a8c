"""Finds the frames in which the arm waits at the start and at the end of an episode."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def moving_frames(
    places: NDArray[np.floating], threshold: float, kept: Iterable[int] = ()
) -> tuple[int, int]:
    """The frames without those at both ends in which nothing moves.

    Args:
        places: Positions in each frame, shape (frames, dimensions).
        threshold: Largest distance of a dimension from its value in the first frame that counts as not moved
            yet, and from its value in the last frame that counts as at rest again.
        kept: 0-based frames that belong to the result, whether or not anything moves.

    Returns:
        Start and stop, 0-based, half-open. One frame of rest is kept at either end. All frames where nothing
        moves at all.
    """
    length = len(places)
    if not length:
        return 0, 0
    away = np.abs(places - places[0]).max(axis=1, initial=0.0) > threshold
    if not away.any():
        return 0, length
    still = np.abs(places - places[-1]).max(axis=1, initial=0.0) <= threshold
    start = int(away.argmax()) - 1
    stop = length - int((~still[::-1]).argmax()) + 1 if not still.all() else length
    inside = [frame for frame in kept if frame < length]
    return min([start, *inside]), max([min(stop, length), *(frame + 1 for frame in inside)])
