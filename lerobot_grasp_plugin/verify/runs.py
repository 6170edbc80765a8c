"""Runs: neighbouring rows of one episode in one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.verify.place import Tally


@dataclass(frozen=True)
class Runs:
    """Runs of rows of a file.

    Attributes:
        path: The file.
        episodes: Their episodes, shape (runs,).
        starts: First rows, shape (runs,).
        stops: Ends, shape (runs,).
    """

    path: Path
    episodes: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def each(self) -> Iterator[tuple[int, int, int]]:
        """Episode, first row and end of each run."""
        return zip(self.episodes.tolist(), self.starts.tolist(), self.stops.tolist(), strict=True)

    def count(self, wrong: NDArray[np.bool_], tally: Tally, example: str = "") -> None:
        """Counts rows marked in ``wrong``, which has all rows of these runs."""
        first = int(self.starts[0])
        for episode, start, stop in self.each():
            own = wrong[start - first : stop - first]
            if own.any():
                tally.add(self.path, episode, int(np.argmax(own)), int(own.sum()), example)
