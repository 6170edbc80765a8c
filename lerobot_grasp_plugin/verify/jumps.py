"""Finds jumps of the state inside an episode: several attempts saved as one episode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import median
from lerobot_grasp_plugin.findings.problem import Place, Problem
from lerobot_grasp_plugin.findings.words import count, some
from lerobot_grasp_plugin.verify.rows import Rows

_STATE = "observation.state"
_FAR = 8.0
"""A jump is at least this many times a dimension's usual step (the median of nonzero steps)."""
_OF_THE_RANGE = 0.1
"""Minimum share of a dimension's range in the episode that a jump covers."""
_TOGETHER = 3
"""Dimensions that jump in the same frame; half of them where a state has fewer than six."""
_SHOWN = 20


class JumpCheck:
    """Checks the steps of ``observation.state`` from row to row of an episode."""

    def __init__(self) -> None:
        self._frames: dict[tuple[Path, int], list[int]] = {}

    def see(self, rows: Rows) -> None:
        values = rows.columns.get(_STATE)
        if values is None or values.dtype.kind != "f" or values.shape[1] < 2:
            return
        for run in _candidates(values, rows).tolist():
            start = int(rows.offsets[run])
            episode = int(rows.episodes[run])
            frames = jumps(values[start : start + int(rows.lengths[run])].astype(np.float64))
            if len(frames):
                self._frames[rows.files[run], episode] = frames.tolist()

    def found(self) -> Iterator[Problem]:
        for (path, episode), frames in self._frames.items():
            shown = some(frames, _SHOWN)
            message = (
                f"{_STATE!r} jumps back to its start value in {count(len(frames), 'frame')} "
                f"(0-based): {shown}"
            )
            hint = "usually several attempts saved as one episode: split it at these frames with "
            hint += "lerobot-grasp-edit --operation.type split --operation.at state_jump"
            yield Problem(
                "state-jump",
                message,
                Place(str(path), episode=episode, frame=frames[0]),
                hint,
            )


def _candidates(values: NDArray[Any], rows: Rows) -> NDArray[np.int64]:
    """Runs with a row in which enough dimensions step over a part of their range: few have one."""
    reach = np.maximum.reduceat(values, rows.offsets) - np.minimum.reduceat(values, rows.offsets)
    wide = np.abs(np.diff(values, axis=0)) > np.repeat(reach * _OF_THE_RANGE, rows.lengths, axis=0)[1:]
    together = np.add.reduce(wide, axis=1, dtype=np.int8 if values.shape[1] < 128 else np.int64)
    together[rows.offsets[1:] - 1] = 0  # from one run to the next
    found = np.flatnonzero(together >= _enough(values.shape[1]))
    return np.unique(np.searchsorted(rows.offsets, found, side="right") - 1)


def _enough(dimensions: int) -> int:
    return max(2, min(_TOGETHER, (dimensions + 1) // 2))


def jumps(state: NDArray[np.float64]) -> NDArray[np.int64]:
    """Frames (0-based) before which several dimensions jump at once, back to near the first frame.

    Args:
        state: Shape (frames, dimensions).
    """
    if len(state) < 4 or not np.isfinite(state).all():
        return np.empty(0, np.int64)
    steps = np.abs(np.diff(state, axis=0))
    covered = np.ptp(state, axis=0)
    with np.errstate(all="ignore"):
        moving = [each[each > 0] for each in steps.T]
        usual = np.array([median(each) if len(each) > 8 else np.inf for each in moving])
    back = np.abs(state[1:] - state[0]) < 0.5 * np.abs(state[:-1] - state[0])
    far = (steps > _FAR * usual) & (steps > _OF_THE_RANGE * covered) & back
    found: NDArray[np.int64] = np.flatnonzero(far.sum(axis=1) >= _enough(state.shape[1])) + 1
    return found
