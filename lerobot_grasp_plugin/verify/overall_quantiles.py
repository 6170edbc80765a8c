"""Determines the kind of quantiles in ``stats.json``: of all rows, or of the episodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import QUANTILES, bounds_of_quantiles, mean_of_quantiles
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.episode_quantiles import BINS
from lerobot_grasp_plugin.verify.rows import Rows
from lerobot_grasp_plugin.verify.stored_stats import StoredStats

type Kind = Literal["exact", "mean", "bounds", "none", "unknown"]


class OverallQuantiles:
    """Counts the rows below each quantile of ``stats.json``.

    A value is a quantile if the right share of rows is below it. So one pass is enough, and no row is
    kept.

    Args:
        stored: The statistics of the dataset.
        names: The columns to check.
    """

    def __init__(self, stored: StoredStats, names: Sequence[str]) -> None:
        self._stored = stored
        self._rows: dict[str, int] = {}
        self._counts: dict[tuple[str, str], NDArray[np.int64]] = {}
        self._has_nan: dict[str, NDArray[np.bool_]] = {}
        self._values = {
            name: {each: array.reshape(-1) for each, array in (stored.overall or {}).get(name, {}).items()}
            for name in names
        }

    def see(self, rows: Rows) -> None:
        for name, stats in self._values.items():
            values = rows.columns.get(name)
            if values is None or not values.size:
                continue
            self._rows[name] = self._rows.get(name, 0) + len(values)
            columns = np.ascontiguousarray(values.T)
            if any(np.isnan(stats[each]).any() for each in QUANTILES if each in stats):
                self._has_nan[name] = np.isnan(columns).any(axis=1) | self._has_nan.get(name, np.False_)
            for statistic in QUANTILES:
                if stats.get(statistic, np.empty(0)).size == len(columns):
                    limits = self._limits(name, statistic)
                    if values.dtype == np.float32:  # otherwise every row is converted
                        limits = limits.astype(np.float32)
                    counts = [
                        [np.count_nonzero(column < limit) for limit in below]
                        + [np.count_nonzero(column <= limit) for limit in reached]
                        for column, below, reached in zip(columns, limits[:, :2], limits[:, 2:], strict=True)
                    ]
                    key = (name, statistic)
                    self._counts[key] = self._counts.get(key, np.int64(0)) + np.array(counts, dtype=np.int64)

    def _limits(self, name: str, statistic: str) -> NDArray[np.float64]:
        """Values around a stored quantile, shape (dims, 4).

        Below it by float32's precision and by two bins of the histogram, and above it by the same.
        """
        stats = self._values[name]
        value = stats[statistic]
        near = 1e-6 * np.abs(value) + 1e-9
        width = stats["max"] - stats["min"] if {"min", "max"} <= stats.keys() else np.zeros_like(value)
        far = near + 2 * np.abs(width) / BINS if width.size == value.size else near
        return np.stack([value - near, value - far, value + near, value + far], axis=1)

    def found(self) -> Iterator[Problem]:
        """No findings of its own; see ``check_stored_statistics``."""
        yield from ()

    def kind(self, name: str, *, trusted: bool) -> Kind:
        """The kind of a column's quantiles; ``none`` if they match no kind.

        LeRobot's estimates from one histogram of all rows count as exact.

        Args:
            name: The column.
            trusted: Whether the stored quantiles of its episodes match their rows. Otherwise,
                quantiles that are not exact are ``unknown``.
        """
        statistics = [statistic for statistic in QUANTILES if (name, statistic) in self._counts]
        exact = {statistic for statistic in statistics if not self._misplaced(name, statistic).any()}
        if len(exact) == len(statistics):
            return "exact"
        combined = {kind: self._of_episodes(name, kind) for kind in ("mean", "bounds")}
        for kind in ("mean", "bounds"):
            if all(
                each in exact or self._equals(name, each, combined[kind].get(each)) for each in statistics
            ):
                return kind
        return "none" if trusted and self._of_episodes(name, "mean") else "unknown"

    def wrong(self, name: str) -> list[str]:
        """The stored quantiles of a column that differ from those of all rows, such as ``q01``."""
        return [
            each for each in QUANTILES if (name, each) in self._counts and self._misplaced(name, each).any()
        ]

    def _misplaced(self, name: str, statistic: str) -> NDArray[np.bool_]:
        """The values of a row in which the share of rows below differs from the quantile."""
        rows, share = self._rows[name], QUANTILES[statistic]
        below, wide_below, reached, wide_reached = self._counts[name, statistic].T
        row = int((rows - 1) * share) + 1
        is_far = (wide_below > share * rows + 1) | (wide_reached < share * rows - 1)
        misplaced: NDArray[np.bool_] = ((below > row) | (reached < row)) & is_far
        own_nan = np.isnan(self._values[name][statistic]) & self._has_nan.get(name, np.False_)
        misplaced &= ~own_nan  # rows with NaN have no other quantile
        return misplaced

    def _of_episodes(self, name: str, kind: str) -> dict[str, NDArray[np.float64]]:
        """LeRobot's aggregate of the episodes' quantiles, by statistic; empty if unknown."""
        own = (self._stored.episodes or {}).get(name, {})
        if "count" not in own or own["count"].shape[1] != 1:
            return {}
        stats = {each: own[each][self._stored.known] for each in (*QUANTILES, "count") if each in own}
        if kind == "bounds":
            return bounds_of_quantiles(stats)
        return {each: mean_of_quantiles(stats, each) for each in stats if each in QUANTILES}

    def _equals(self, name: str, statistic: str, other: NDArray[np.float64] | None) -> bool:
        stats = self._values[name]
        value = stats[statistic]
        if other is None or other.shape != value.shape:
            return False
        slack = 1e-5 * np.maximum(np.abs(value), np.abs(stats.get("max", value))) + 1e-6
        return bool((np.abs(value - other) <= slack).all())

    def example(self, name: str) -> str:
        """The quantile with the largest error: its value, and the share of rows below it."""
        worst, text = -1.0, ""
        for statistic, share in QUANTILES.items():
            if (name, statistic) not in self._counts:
                continue
            shares = self._counts[name, statistic][:, 0] / self._rows[name]
            off = np.where(self._misplaced(name, statistic), np.abs(shares - share), -1)
            dim = int(np.argmax(off))
            if off[dim] > worst:
                worst = float(off[dim])
                value = self._values[name][statistic][dim]
                text = f"{statistic} is {value:.6g}, but {100 * shares[dim]:.3g} % of the rows are below it"
        return text
