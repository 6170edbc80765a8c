"""Compares the stored quantiles of each episode with its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import QUANTILES
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.rows import Rows
from lerobot_grasp_plugin.verify.stored_stats import StoredStats
from lerobot_grasp_plugin.verify.view import View

BINS = 5000
"""Bins of LeRobot's histogram for quantiles."""


class QuantileCheck:
    """Checks the quantiles of each episode by the share of rows below them.

    LeRobot estimates quantiles from a histogram, so they are not compared with exact ones: no more than
    ``q * rows + 1`` rows may be below a quantile, no fewer than ``q * rows - 1`` at or below it, give or
    take a bin.

    Attributes:
        wrong: By column, an example from each episode with a wrong quantile.
    """

    def __init__(self, view: View, stored: StoredStats) -> None:
        self._view = view
        self._stored = stored.episodes or {}
        self.wrong: dict[str, dict[int, str]] = {}

    def see(self, rows: Rows) -> None:
        known = self._view.rows_of
        listed = np.array([known.get(episode, -1) for episode in rows.episodes.tolist()], dtype=np.int64)
        if (listed < 0).all():
            return
        for name, values in rows.columns.items():
            stats = self._stored.get(name, {})
            if values.shape[1] * len(values) == 0 or "min" not in stats or "max" not in stats:
                continue
            for statistic, quantile in QUANTILES.items():
                stored = stats.get(statistic)
                shapes = {values.shape[1], stats["min"].shape[1], stats["max"].shape[1]}
                if stored is None or {stored.shape[1]} != shapes:
                    continue
                width = (stats["max"] - stats["min"])[listed]
                wrong = misplaced(rows, quantile, values, stored[listed], width)
                for run in np.flatnonzero(wrong.any(axis=1) & (listed >= 0)).tolist():
                    example = f"{statistic} is {stored[listed[run]][wrong[run]][0]:.6g}"
                    self.wrong.setdefault(name, {}).setdefault(int(rows.episodes[run]), example)

    def found(self) -> Iterator[Problem]:
        """No findings of its own; see ``check_stored_statistics``."""
        yield from ()


def misplaced(
    rows: Rows,
    quantile: float,
    values: NDArray[Any],
    stored: NDArray[np.float64],
    width: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """The stored quantiles with too many or too few rows below them.

    Args:
        rows: A batch.
        quantile: Between 0 and 1.
        values: One of its columns, shape (rows, values).
        stored: The quantile as stored for each run, shape (runs, values).
        width: From the least to the greatest value of each run, shape (runs, values).
    """
    margin = 1.01 * np.abs(width) / BINS + 1e-6 * np.abs(stored) + 1e-9
    low = np.repeat(stored - margin, rows.lengths, axis=0)
    high = np.repeat(stored + margin, rows.lengths, axis=0)
    below = np.add.reduceat(values < low, rows.offsets, axis=0, dtype=np.int64)
    reached = np.add.reduceat(values <= high, rows.offsets, axis=0, dtype=np.int64)
    wanted = quantile * rows.lengths[:, None]
    wrong: NDArray[np.bool_] = ((below > wanted + 1) | (reached < wanted - 1)) & np.isfinite(stored)
    return wrong
