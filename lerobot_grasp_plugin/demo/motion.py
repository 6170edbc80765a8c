"""The motion of the drawn arm: reach, close, lift, and sometimes lose the cube.

Lengths are counted in widths of the cube.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.intervals import IntervalSet

Floats = NDArray[np.float64]

HOLDING = 34.0  # gripper.pos where the jaws stall on the cube
SQUEEZE = 16.0  # gripper.pos that is commanded while they do
LIFTED = 0.15  # height in the first frame of a hold


@dataclass(frozen=True, slots=True)
class Motion:
    """One episode, frame by frame.

    Attributes:
        gripper: Where the fingertips are over the table, shape (length, 2).
        height: Of the fingertips: 0 at the table, 1 at the top, shape (length,).
        opening: ``gripper.pos``, 0 closed to 100 open, shape (length,).
        cube: Where the cube is over the table, shape (length, 2).
        held: Whether the gripper holds the cube, bool, shape (length,).
    """

    gripper: Floats
    height: Floats
    opening: Floats
    cube: Floats
    held: NDArray[np.bool_]

    def joints(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """``observation.state`` and ``action``, each float32 of shape (length, 6).

        Degrees, and 0 to 100 for the gripper; the action of a frame is where the arm goes next.
        """
        x, y = self.gripper.T
        down = 1 - self.height
        target = np.stack(
            [
                4.2 * x,
                -38 + 34 * down + 4.0 * y,
                52 - 21 * down - 5.5 * y,
                58 - 11 * down + 1.8 * y,
                -6 + 1.1 * x,
                self.opening,
            ],
            axis=1,
        )
        state = target + rng.normal(0, [0.12, 0.12, 0.12, 0.12, 0.08, 0.25], target.shape)
        action = np.concatenate([target[1:], target[-1:]])
        action[self.held, 5] = SQUEEZE
        return state.astype(np.float32), action.astype(np.float32)


class _Path:
    """Way points of the gripper, joined smoothly."""

    def __init__(self) -> None:
        self._points: dict[int, tuple[float, float, float, float]] = {}

    def at(self, frame: int, place: Floats, height: float, opening: float) -> None:
        """Sets where the gripper is in a frame, 0-based; the later call wins."""
        self._points[frame] = (float(place[0]), float(place[1]), height, opening)

    def place(self, frame: int) -> Floats:
        """Where the gripper is in a frame, 0-based."""
        return self.sample(frame + 1)[frame, :2]

    def sample(self, length: int) -> Floats:
        """x, y, height and opening of frames 0 to ``length``, shape (length, 4)."""
        frames = np.array(sorted(self._points))
        points = np.array([self._points[frame] for frame in frames])
        time = np.arange(length)
        before = np.clip(np.searchsorted(frames, time, side="right") - 1, 0, len(frames) - 1)
        after = np.minimum(before + 1, len(frames) - 1)
        span = np.maximum(frames[after] - frames[before], 1)
        part = np.clip((time - frames[before]) / span, 0, 1)
        eased = (part * part * (3 - 2 * part))[:, None]
        sampled: Floats = points[before] * (1 - eased) + points[after] * eased
        return sampled


def grasp_motion(success: NDArray[np.bool_], rng: np.random.Generator) -> Motion:
    """A motion that holds the cube, over the table, in the frames of ``success`` and no other.

    Args:
        success: Shape (length,); no frame for an attempt that fails.
        rng: Decides everything else.
    """
    length = len(success)
    cube = rng.uniform(-2.2, 2.2, 2)
    path = _Path()
    path.at(0, cube + _aside(rng), rng.uniform(0.85, 1.0), rng.uniform(58, 80))
    cubes = np.tile(cube, (length, 1))
    free_from = 0
    holds = list(IntervalSet.from_mask(success))
    for number, hold in enumerate(holds):
        start, stop = hold.start, hold.stop or length
        _reach(path, free_from, start, cube, rng)
        gap = holds[number + 1].start - stop if number + 1 < len(holds) else length
        _lift(path, start, stop, cube, rng, soon_lost=gap < 6)
        carried = path.sample(length)[start:stop, :2]
        cubes[start:stop] = carried
        if stop < length:
            cube = carried[-1] + (rng.uniform(-0.4, 0.4, 2) if gap >= 6 else 0)
            cubes[stop:] = cube
            path.at(stop, carried[-1], 0.05 if gap < 6 else 0.5, 52)
        free_from = stop
    if not holds:
        _fail(path, length, cube, rng)
    gripper = path.sample(length)
    return Motion(gripper[:, :2], gripper[:, 2], gripper[:, 3], cubes, success.copy())


def _aside(rng: np.random.Generator, nearest: float = 1.7, farthest: float = 3.2) -> Floats:
    """A step away from the cube."""
    angle = rng.uniform(0, 2 * np.pi)
    return rng.uniform(nearest, farthest) * np.array([np.cos(angle), 0.7 * np.sin(angle)])


def _reach(path: _Path, first: int, start: int, cube: Floats, rng: np.random.Generator) -> None:
    """From where it is to closed jaws around the cube, in the frame before ``start``."""
    frames = start - first
    for frame in range(first + 14, start - 18, 14):
        path.at(frame, cube + _aside(rng), rng.uniform(0.5, 0.9), rng.uniform(55, 80))
    if frames >= 18:
        path.at(start - 10, cube, rng.uniform(0.35, 0.5), rng.uniform(60, 72))
    if frames >= 6:
        path.at(start - 5, cube, 0.0, rng.uniform(60, 68))
    path.at(start - 1, cube, 0.0, HOLDING)


def _lift(
    path: _Path, start: int, stop: int, cube: Floats, rng: np.random.Generator, *, soon_lost: bool
) -> None:
    """Holds the cube up in frames ``start`` to ``stop``."""
    path.at(start, cube, LIFTED, HOLDING)
    last = stop - 1
    if last == start:
        return
    top = LIFTED + 0.05 if soon_lost else min(1.0, LIFTED + 0.09 * (last - start))
    up = min(start + 10, last)
    path.at(up, cube + rng.uniform(-0.15, 0.15, 2), top, HOLDING)
    if last > up:
        path.at(last, cube + rng.uniform(-0.9, 0.9, 2), max(LIFTED, top - 0.1), HOLDING)


def _fail(path: _Path, length: int, cube: Floats, rng: np.random.Generator) -> None:
    """Never holds the cube: passes it, closes next to it, or closes in the air above it."""
    way = int(rng.integers(3))
    frame = int(rng.integers(10, 15))
    while frame < length:
        beside = _aside(rng)
        if way == 0 or rng.random() < 0.4:
            path.at(frame, cube + beside, rng.uniform(0.25, 1.0), rng.uniform(45, 80))
            frame += int(rng.integers(9, 15))
            continue
        place, height = (cube + beside, 0.0) if way == 1 else (cube, rng.uniform(0.55, 0.75))
        path.at(frame, place, height, rng.uniform(60, 70))
        path.at(frame + 5, place, height, 3.0)
        away = place + _aside(rng, 0.3, 0.8)
        path.at(frame + 11, away, 0.8, 3.0)
        path.at(frame + 15, away, 0.85, rng.uniform(55, 75))
        frame += 15 + int(rng.integers(9, 15))
