"""Finds where rows of one dataset occur in another, by their hashes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_PROBES = 8
"""Rows of a sequence that are compared before all are."""


class RowIndex:
    """The rows of a dataset by their hash.

    Args:
        rows: Hash of each row, int64, shape (rows,).
        starts: First row of each episode, and the number of rows, shape (episodes + 1,).
    """

    def __init__(self, rows: NDArray[np.int64], starts: NDArray[np.int64]) -> None:
        self._rows = rows
        self._starts = starts
        self._order = np.argsort(rows, kind="stable")
        self._sorted = rows[self._order]

    def places(self, wanted: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        """Episodes that have a sequence of rows, each with its first frame, 0-based, in order.

        Args:
            wanted: Hash of each row of the sequence, at least one.
        """
        low = np.searchsorted(self._sorted, wanted, side="left")
        high = np.searchsorted(self._sorted, wanted, side="right")
        rarest = int(np.argmin(high - low))
        first = self._order[low[rarest] : high[rarest]] - rarest
        first = first[(first >= 0) & (first + len(wanted) <= len(self._rows))]
        episodes = self.episodes(first)
        first = first[first + len(wanted) <= self._starts[episodes + 1]]
        for probe in np.unique(np.linspace(0, len(wanted) - 1, _PROBES).astype(np.int64)).tolist():
            first = first[self._rows[first + probe] == wanted[probe]]
        for place in first.tolist():
            if np.array_equal(self._rows[place : place + len(wanted)], wanted):
                episode = int(self.episodes(np.array([place]))[0])
                yield episode, place - int(self._starts[episode])

    def shared(self, wanted: NDArray[np.int64]) -> dict[int, int]:
        """How many of some rows each episode has; rows that occur more than once here are not counted.

        Args:
            wanted: Hash of each row.
        """
        low = np.searchsorted(self._sorted, wanted, side="left")
        high = np.searchsorted(self._sorted, wanted, side="right")
        once = self._order[low[high - low == 1]]
        episodes, counts = np.unique(self.episodes(once), return_counts=True)
        return dict(zip(episodes.tolist(), counts.tolist(), strict=True))

    def episodes(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The episode of each row, by the number of the row."""
        found: NDArray[np.int64] = np.searchsorted(self._starts, rows, side="right") - 1
        return found
