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
    away = _furthest(places, places[0]) > threshold
    if not away.any():
        return 0, length
    still = _furthest(places, places[-1]) <= threshold
    start = int(away.argmax()) - 1
    stop = length - int((~still[::-1]).argmax()) + 1 if not still.all() else length
    inside = [frame for frame in kept if frame < length]
    return min([start, *inside]), max([min(stop, length), *(frame + 1 for frame in inside)])


def _furthest(places: NDArray[np.floating], rest: NDArray[np.floating]) -> NDArray[np.floating]:
    """The largest distance of a dimension in each frame; of those without a value, such as NaN, none."""
    distances = np.nan_to_num(np.abs(places - rest), nan=0.0, posinf=np.inf)
    furthest: NDArray[np.floating] = distances.max(axis=1, initial=0.0)
    return furthest


def without_idle_ends(
    places: NDArray[np.floating],
    threshold: float,
    *,
    shortest: int,
    margin: int,
    kept: Iterable[int] = (),
) -> tuple[int, int]:
    """The frames without the idle ends that are long enough to be cut off.

    Args:
        places: As of ``moving_frames``.
        threshold: As of ``moving_frames``.
        shortest: Frames of an idle end that is cut off, at least.
        margin: Idle frames that stay next to those that move.
        kept: As of ``moving_frames``.

    Returns:
        Start and stop, 0-based, half-open.
    """
    length = len(places)
    start, stop = moving_frames(places, threshold, kept)
    first = max(0, start - margin) if start >= max(1, shortest) else 0
    last = min(length, stop + margin) if length - stop >= max(1, shortest) else length
    return first, last


def widths(low: NDArray[np.floating], high: NDArray[np.floating]) -> NDArray[np.float64]:
    """How far each dimension of a feature goes, as the measure of its movements.

    A dimension that goes less than a tenth as far as the widest one is measured by that tenth: a joint at
    rest trembles a little, and does not move.

    Args:
        low: Smallest value of each dimension, shape (dimensions,).
        high: Largest value of each dimension, shape (dimensions,).

    Returns:
        Shape (dimensions,), above 0.
    """
    reach = np.nan_to_num(np.asarray(high, np.float64) - np.asarray(low, np.float64), nan=0.0, posinf=0.0)
    widest = float(reach.max(initial=0.0))
    return np.maximum(reach, widest / 10) if widest > 0 else np.ones_like(reach)
