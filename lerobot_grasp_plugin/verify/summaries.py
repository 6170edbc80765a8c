"""Collects minimum, maximum, mean and standard deviation of every column in every episode, in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.rows import Rows

LABELS = (layout.REWARD, layout.DONE, layout.SUCCESS)
_POSITIONS = (*layout.INDEX_COLUMNS, layout.TIMESTAMP)


class Summary:
    """One column of numbers over the runs that have it.

    Attributes:
        runs: Numbers of the runs, shape (n,).
        low: Least value of each run, float64, shape (n, values per row); high, mean and std likewise.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def add(self, runs: NDArray[Any], values: NDArray[Any], rows: Rows) -> None:
        """Adds the values of a batch."""
        counts = rows.lengths[:, None]
        low = np.minimum.reduceat(values, rows.offsets, axis=0).astype(np.float64)
        high = np.maximum.reduceat(values, rows.offsets, axis=0).astype(np.float64)
        wide = values.astype(np.float64)
        mean = np.add.reduceat(wide, rows.offsets, axis=0) / counts
        wide -= np.repeat(mean, rows.lengths, axis=0)
        np.square(wide, out=wide)
        std = np.sqrt(np.add.reduceat(wide, rows.offsets, axis=0) / counts)
        self._parts.append((runs, low, high, mean, std))

    def finish(self) -> None:
        """Joins the batches."""
        width = self._parts[0][1].shape[1]
        fitting = [part for part in self._parts if part[1].shape[1] == width]
        self.runs, self.low, self.high, self.mean, self.std = (
            np.concatenate(arrays) for arrays in zip(*fitting, strict=True)
        )

    def by_last_axis(self, shape: Sequence[int]) -> Summary:
        """The same for each place of the last axis, over the other axes of a row, as LeRobot has statistics.

        Args:
            shape: Of a row; it has as many values as a row of the column.
        """
        low, high, means, stds = (
            values.reshape(len(values), -1, shape[-1])
            for values in (self.low, self.high, self.mean, self.std)
        )
        merged = Summary()
        merged.runs, merged.low, merged.high = self.runs, low.min(axis=1), high.max(axis=1)
        merged.mean = means.mean(axis=1)
        merged.std = np.sqrt((stds**2 + (means - merged.mean[:, None]) ** 2).mean(axis=1))
        return merged


class Summaries:
    """The figures of the rows that later checks need.

    Attributes:
        episodes: Episode of each run, int64, shape (runs,).
        lengths: Rows of each run, int64, shape (runs,).
        files: File of each run.
        columns: By column name.
        digests: Hash of each run's values, positions and labels left out; None if all are constant.
    """

    def __init__(self) -> None:
        self._episodes: list[NDArray[np.int64]] = []
        self._lengths: list[NDArray[np.int64]] = []
        self.files: list[Path] = []
        self.columns: dict[str, Summary] = {}
        self.digests: list[bytes | None] = []

    def see(self, rows: Rows) -> None:
        runs = np.arange(len(self.files), len(self.files) + len(rows.files))
        self._episodes.append(rows.episodes)
        self._lengths.append(rows.lengths)
        self.files += rows.files
        with np.errstate(invalid="ignore", over="ignore"):
            for name, values in rows.columns.items():
                if not values.shape[1]:
                    continue
                self.columns.setdefault(name, Summary()).add(runs, values, rows)
        self.digests += _digests(rows)

    def found(self) -> Iterator[Problem]:
        """No findings; completes the collected figures."""
        for column in self.columns.values():
            column.finish()
        self.episodes = np.concatenate([*self._episodes, np.empty(0, np.int64)])
        self.lengths = np.concatenate([*self._lengths, np.empty(0, np.int64)])
        yield from ()

    def whole(self) -> NDArray[np.bool_]:
        """Which runs are the only one of their episode, shape (runs,)."""
        _, inverse, counts = np.unique(self.episodes, return_inverse=True, return_counts=True)
        alone: NDArray[np.bool_] = counts[inverse] == 1
        return alone


def _digests(rows: Rows) -> list[bytes | None]:
    skipped = (*_POSITIONS, *LABELS)
    names = sorted(name for name, values in rows.columns.items() if name not in skipped and values.shape[1])
    values = [np.ascontiguousarray(rows.columns[name]) for name in names]
    digests: list[bytes | None] = []
    for start, length in zip(rows.offsets.tolist(), rows.lengths.tolist(), strict=True):
        pieces = [each[start : start + length] for each in values]
        if not any((piece[0] != piece[-1]).any() or (piece != piece[0]).any() for piece in pieces):
            digests.append(None)
            continue
        digest = hashlib.blake2b(digest_size=16)
        for piece in pieces:
            digest.update(memoryview(piece).cast("B"))
        digests.append(digest.digest())
    return digests
