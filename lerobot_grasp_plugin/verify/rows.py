"""A batch of rows, and the interface of checks that read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.findings.problem import Problem


@dataclass(frozen=True)
class Rows:
    """Rows of one batch, as runs: neighbouring rows of one episode in one file.

    Attributes:
        files: The file of each run.
        episodes: The episode of each run, by ``episode_index``; -1 if unknown. int64, shape
            (runs,).
        starts: The run's first row in its file, shape (runs,).
        lengths: Rows of each run, shape (runs,).
        columns: Numbers by column name, shape (rows, values per row).
    """

    files: Sequence[Path]
    episodes: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """The run's first row in the batch, shape (runs,)."""
        ends: NDArray[np.int64] = np.cumsum(self.lengths)
        return ends - self.lengths

    @cached_property
    def frames(self) -> NDArray[np.int64]:
        """The row's position in its run, shape (rows,)."""
        rows = int(self.lengths.sum())
        return np.arange(rows, dtype=np.int64) - np.repeat(self.offsets, self.lengths)

    @cached_property
    def known(self) -> Rows | None:
        """The rows whose episode is known; None if none are."""
        known = self.episodes >= 0
        if known.all():
            return self
        if not known.any():
            return None
        own = np.repeat(known, self.lengths)
        return Rows(
            [file for file, each in zip(self.files, known.tolist(), strict=True) if each],
            self.episodes[known],
            self.starts[known],
            self.lengths[known],
            {name: values[own] for name, values in self.columns.items()},
        )

    def per_run(self, wrong: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
        """Run, first frame in it, and number of rows, of every run that has rows marked in ``wrong``."""
        if not wrong.any():
            return
        counts = np.add.reduceat(wrong.astype(np.int64), self.offsets)
        for run in np.flatnonzero(counts).tolist():
            start = int(self.offsets[run])
            first = int(np.argmax(wrong[start : start + int(self.lengths[run])]))
            yield run, first, int(counts[run])


class RowCheck(Protocol):
    """Checks batches of rows, then returns its findings."""

    def see(self, rows: Rows) -> None:
        """Adds the next batch; batches come in the order of the files."""

    def found(self) -> Iterator[Problem]:
        """All findings."""
