"""Finds a camera that repeats the same image while the robot moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.findings.problem import EPISODES, Problem
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.verify.place import Tally
from lerobot_grasp_plugin.verify.rows import Rows

_STEP = 4
"""Levels of 255 by which an image may differ from the one before: a codec repeats a frozen image so."""
_REFRESH = 12.0
"""Levels by which a keyframe may change the means of eight pixels of a frozen image."""
_QUIET = 0.9
"""Part of the steps of a run that change nothing; keyframes make the others."""
_MOVES = 0.1
"""Part of what a dimension covers in the dataset that it covers in a run in which the robot moves."""
_TOGETHER = 2
"""Dimensions that do so, where there are so many: a gripper alone may move where a camera does not see it."""
_LATENCY_S = 0.5
"""The end of a run in which movement does not count: an image is older than the state of its frame."""
_COLUMNS = ("observation.state", "action")


class Movement:
    """Collects ``observation.state`` and ``action`` of every row, to tell when the robot moves."""

    def __init__(self) -> None:
        self._values: dict[str, dict[int, list[NDArray[np.float32]]]] = {name: {} for name in _COLUMNS}

    def see(self, rows: Rows) -> None:
        """Adds the next batch of rows, whose episodes are known."""
        for name in _COLUMNS:
            values = rows.columns.get(name)
            if values is None or values.dtype.kind not in "fiu" or not values.shape[1]:
                continue
            for episode, start, length in zip(
                rows.episodes.tolist(), rows.offsets.tolist(), rows.lengths.tolist(), strict=True
            ):
                part = values[start : start + length].astype(np.float32)
                self._values[name].setdefault(episode, []).append(part)

    def found(self) -> Iterator[Problem]:
        """No findings: the rows are collected for the check of the images."""
        yield from ()

    def column(self) -> str | None:
        """The column that shows the robot's movement: the state, or the action if no state changes."""
        for name in _COLUMNS:
            reach = self._reach(name)
            if reach is not None and (reach > 0).any():
                return name
        return None

    def moves(self, name: str, episode: int, first: int, number: int) -> bool:
        """Whether the robot moves by a large part of its range in the given frames of an episode."""
        parts = self._values[name].get(episode)
        reach = self._reach(name)
        if not parts or reach is None:
            return False
        values = np.concatenate(parts)[first : first + number]
        if len(values) < 2:
            return False
        able = (reach > 0) & np.isfinite(reach)
        moving = able & (np.ptp(values, axis=0) >= _MOVES * reach)
        return 0 < min(_TOGETHER, int(able.sum())) <= int(moving.sum())

    def _reach(self, name: str) -> NDArray[np.float32] | None:
        """The range of each dimension in the dataset; None for a column of varying width or without rows."""
        parts = [part for parts in self._values[name].values() for part in parts if len(part)]
        if not parts or len({part.shape[1] for part in parts}) > 1:
            return None
        high, low = (
            np.array([part.max(axis=0) for part in parts]),
            np.array([part.min(axis=0) for part in parts]),
        )
        reach: NDArray[np.float32] = high.max(axis=0) - low.min(axis=0)
        return reach


class StillRuns:
    """Finds runs of equal images in one file, which are added in presentation order.

    Attributes:
        runs: Episode, first frame (0-based) and number of frames of each run that ended.
    """

    def __init__(self) -> None:
        self.runs: list[tuple[int, int, int]] = []
        self._episode, self._frame = -1, -1
        self._first = self._last = self._quiet = 0
        self._loud = False
        self._anchor: NDArray[np.float64] = np.zeros((0, 0))
        self._before: NDArray[np.int16] = np.zeros((0, 0), np.int16)

    def see(self, episode: int, frame: int, lines: NDArray[np.uint8]) -> None:
        """Adds the next image: some lines of its brightness, uint8, shape (lines, width)."""
        values = lines.astype(np.int16)
        follows = (episode, frame) == (self._episode, self._frame + 1) and values.shape == self._before.shape
        if follows and int(np.abs(values - self._before).max()) <= _STEP:
            self._quiet, self._last, self._loud = self._quiet + 1, frame, False
        elif follows and self._quiet and not self._loud and self._is_refresh(values):
            self._loud = True
        else:
            self.end()
            self._first = self._last = frame
            self._anchor = _means(values)
        self._episode, self._frame, self._before = episode, frame, values

    def _is_refresh(self, values: NDArray[np.int16]) -> bool:
        return float(np.abs(_means(values) - self._anchor).max()) <= _REFRESH

    def end(self) -> None:
        """Ends the run of the last image."""
        steps = self._last - self._first
        if steps and self._quiet >= _QUIET * steps:
            self.runs.append((self._episode, self._first, steps + 1))
        self._quiet, self._loud = 0, False


def _means(values: NDArray[np.int16]) -> NDArray[np.float64]:
    """Means of eight neighbouring pixels of a line."""
    width = max(1, values.shape[1] // 8) * min(8, values.shape[1])
    means: NDArray[np.float64] = (
        values[:, :width].reshape(len(values), -1, min(8, values.shape[1])).mean(axis=2)
    )
    return means


def frozen_runs(
    key: str, path: Path, runs: list[tuple[int, int, int]], movement: Movement, fps: float
) -> Iterator[Problem]:
    """One finding for the runs of a file that last a second or more while the robot moves.

    Args:
        key: The camera.
        path: The file.
        runs: Episode, first frame (0-based) and number of frames of each run of equal images.
        movement: Says whether the robot moves.
        fps: Frames per second.
    """
    name = movement.column()
    tally = Tally()
    for episode, first, number in runs:
        if name is None or number < max(2.0, fps):
            continue
        if movement.moves(name, episode, first, number - int(_LATENCY_S * fps)):
            example = (
                f"{count(number, 'frame')} of episode {episode} ({number / fps:.1f} s), from frame {first} "
                "on, show the same image"
            )
            tally.add(path, episode, first, number, example)
    if tally.rows:
        message = f"{key!r}: {tally.example} while {name!r} moves"
        if len(tally.episodes) > 1 or tally.rows > tally.episodes[tally.place.episode or 0]:
            message += f"; {count(tally.rows, 'frame')} of {EPISODES} in all"
        hint = (
            "the camera froze, unless it does not see the robot: look at the frames with "
            "lerobot-grasp-frames and leave such episodes out"
        )
        yield tally.problem("frozen-camera", message, hint)
