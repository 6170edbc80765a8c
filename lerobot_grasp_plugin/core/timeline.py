"""Converts frame numbers, pts and seconds, with integers and Fraction.

A video of a dataset is a grid: frame ``k`` (0-based) is shown at ``k / fps`` seconds. Nothing here adds
up floats; the one float that leaves is ``k / fps``, rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE_S = 1e-4
"""How far a time may be from a frame for LeRobot to read it (``tolerance_s``), in seconds."""

_SAME_RATE = 1e-9
"""How far two frame rates may differ, as a share, to be one."""

MIN_TIMESCALE = 10_000
"""Ticks per second a mov track has at least (the rule of ffmpeg's mov muxer, so also of LeRobot's files)."""


def exact_fps(fps: float) -> int | Fraction:
    """A frame rate as the fraction that a number such as 9.97 or 29.97002997002997 stands for.

    Raises:
        ValueError: It is not positive.
    """
    if isinstance(fps, bool) or not math.isfinite(fps) or fps <= 0:
        raise ValueError(f"fps must be a positive number of frames per second, not {fps!r}")
    if fps == int(fps):
        return int(fps)
    common = Fraction(fps).limit_denominator(1001)  # 30000 / 1001, and all with two decimals
    is_same = abs(common - Fraction(fps)) <= _SAME_RATE * fps
    return common if is_same else Fraction(fps).limit_denominator(100_000)


def timescale(fps: float) -> int:
    """Ticks per second of a track: ``fps``, as whole ticks, doubled until it is at least 10,000.

    Args:
        fps: Frames per second.
    """
    ticks = exact_fps(fps).numerator
    while ticks < MIN_TIMESCALE:
        ticks *= 2
    return ticks


def ticks_per_frame(fps: float) -> int:
    """Ticks one frame lasts at ``timescale(fps)``; a power of two where ``fps`` is an integer."""
    return int(timescale(fps) / Fraction(exact_fps(fps)))


def timestamp_of(frame: int, fps: float) -> float:
    """Seconds at which 0-based ``frame`` is shown: ``frame / fps``, correctly rounded, a Python float."""
    return float(Fraction(int(frame)) / exact_fps(fps))


def nearest_frame(timestamp: float, fps: float) -> tuple[int, float]:
    """The frame of the grid nearest to a time, and how far off the grid that time is.

    Args:
        timestamp: Seconds.
        fps: Frames per second.

    Returns:
        The 0-based frame (the later one when exactly between two) and ``timestamp - frame / fps`` in
        seconds.

    Raises:
        ValueError: ``timestamp`` is NaN or infinite.
    """
    rate = exact_fps(fps)
    if not math.isfinite(timestamp):
        raise ValueError(f"timestamp {timestamp!r} is not a time")
    exact = Fraction(float(timestamp))
    frame = math.floor(exact * rate + Fraction(1, 2))
    return frame, float(exact - Fraction(frame) / rate)


def frame_of(timestamp: float, fps: float, tolerance_s: float = TOLERANCE_S) -> int:
    """The 0-based frame shown at a time that must lie on the grid.

    Args:
        timestamp: Seconds.
        fps: Frames per second.
        tolerance_s: Seconds the time may be off the grid; the default is LeRobot's own.

    Raises:
        ValueError: The time is further than ``tolerance_s`` from every frame.
    """
    frame, deviation = nearest_frame(timestamp, fps)
    if abs(deviation) > tolerance_s:
        raise ValueError(
            f"timestamp {float(timestamp)!r} s is off the {fps} fps grid: frame {frame} is at "
            f"{timestamp_of(frame, fps)!r} s, {abs(deviation):.6f} s away (allowed: {tolerance_s} s)"
        )
    return frame


def pts_of(frame: int, fps: float, time_base: Fraction) -> int:
    """The tick of a stream nearest to the start of 0-based ``frame``.

    Args:
        frame: Frame number on the grid.
        fps: Frames per second.
        time_base: Seconds per tick.
    """
    return math.floor(Fraction(int(frame)) / exact_fps(fps) / time_base + Fraction(1, 2))


def frame_of_pts(pts: int, fps: float, time_base: Fraction) -> int:
    """The 0-based frame of the grid nearest to a pts given in ticks of ``time_base`` seconds."""
    return math.floor(pts * time_base * exact_fps(fps) + Fraction(1, 2))


def frames_of_pts(
    pts: NDArray[np.int64], fps: float, time_base: Fraction
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The nearest frame of every pts, and what is left over.

    Args:
        pts: Ticks.
        fps: Frames per second.
        time_base: Seconds per tick.

    Returns:
        0-based frame numbers, and the signed remainders in units of ``1 / (time_base.denominator *
        rate.denominator)`` frames, of which one tick is ``time_base.numerator * rate.numerator``; ``rate`` is
        ``exact_fps(fps)``.

    Raises:
        ValueError: A pts is too large to be a time in a video.
    """
    rate = exact_fps(fps)
    up, down = time_base.numerator * rate.numerator, time_base.denominator * rate.denominator
    if len(pts) and max(abs(int(pts.min())), abs(int(pts.max()))) > (2**61) // up:
        raise ValueError(f"pts {int(np.abs(pts).max())} is out of range")
    frames = (2 * up * pts + down) // (2 * down)
    return frames, pts * up - frames * down


def off_grid(stamps: NDArray[np.floating], frames: NDArray[np.int64], fps: float) -> NDArray[np.float64]:
    """How far timestamps are off ``frame / fps``; 0 for those that are on it, as far as LeRobot can see.

    float32 steps by more than LeRobot's tolerance from 1024 s on: there the number next to the nearest one is
    on the grid, too.

    Args:
        stamps: Timestamp of every row, seconds, shape (rows,).
        frames: 0-based frame_index of every row, shape (rows,).
        fps: Frames per second.

    Returns:
        Signed seconds, shape (rows,); NaN where the timestamp is NaN.
    """
    grid = (frames / fps).astype(stamps.dtype)
    deviation: NDArray[np.float64] = stamps.astype(np.float64) - grid
    deviation[np.abs(deviation) <= np.maximum(TOLERANCE_S, np.spacing(grid))] = 0.0
    return deviation


def is_readable(
    stamps: NDArray[np.floating], frames: NDArray[np.int64], fps: float, starts: Sequence[NDArray[np.float64]]
) -> NDArray[np.bool_]:
    """Whether LeRobot finds the frame of every row: it adds ``from_timestamp``, and compares in float32.

    Args:
        stamps: Timestamp of every row, seconds, shape (rows,).
        frames: 0-based frame_index of every row, shape (rows,).
        fps: Frames per second.
        starts: ``from_timestamp`` of the episode of every row, seconds, shape (rows,), of each camera.

    Returns:
        Shape (rows,); NaN is not readable. Without cameras every timestamp on the grid is.
    """
    fits: NDArray[np.bool_] = off_grid(stamps, frames, fps) == 0
    for start in starts:
        asked = (start + stamps.astype(np.float64)).astype(np.float32)
        shown = ((np.round(start * fps) + frames) / fps).astype(np.float32)
        fits &= np.abs(asked - shown) < TOLERANCE_S
    return fits


def moved_stamps(
    stamps: NDArray[Any], frames: NDArray[np.int64], starts: NDArray[np.int64], fps: float
) -> NDArray[Any]:
    """Timestamps of rows for an episode that begins at a later frame.

    What is on the grid stays on it exactly; what is off the grid stays off by as much.

    Args:
        stamps: Timestamp of every row in the old episode, seconds, shape (rows,).
        frames: 0-based frame_index of every row in the new episode, shape (rows,).
        starts: Frame of the old episode with which the new one of every row begins, 0-based, shape (rows,).
        fps: Frames per second.

    Returns:
        Seconds, of the type of ``stamps``, shape (rows,).
    """
    before, after = (((frames + first) / fps).astype(stamps.dtype) for first in (starts, 0))
    deviation = stamps.astype(np.float64) - before
    if np.issubdtype(stamps.dtype, np.floating):
        deviation[np.abs(deviation) <= np.spacing(before)] = 0.0
    moved: NDArray[Any] = (after + deviation).astype(stamps.dtype)
    return moved


def readable_stamps(
    frames: NDArray[np.int64], fps: float, dtype: np.dtype[Any], starts: Sequence[NDArray[np.float64]]
) -> NDArray[Any]:
    """Timestamps LeRobot finds every frame by: ``frame / fps``, or the next number of their type.

    float32 steps by more than the tolerance from 1024 s on. There LeRobot finds a frame only where the sum of
    ``from_timestamp`` and timestamp rounds to the very number that the time of the frame rounds to.

    Args:
        frames: 0-based frame_index of every row, shape (rows,).
        fps: Frames per second.
        dtype: Type of the timestamps.
        starts: As for ``is_readable``.

    Returns:
        Seconds, of type ``dtype``, shape (rows,).
    """
    stamps = (frames / fps).astype(dtype)
    lost = np.flatnonzero(~is_readable(stamps, frames, fps, starts))
    own = [start[lost] for start in starts]
    for towards in (np.inf, -np.inf):
        near = np.nextafter(stamps[lost], dtype.type(towards))
        fits = is_readable(near, frames[lost], fps, own)
        stamps[lost[fits]] = near[fits]
    return stamps
