"""The episodes that a dataset's metadata lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.findings.problem import Problem

type Report = Callable[[Problem], None]
"""Collects a finding."""


@dataclass
class EpisodeList:
    """The episodes in the order they are listed in; n of them.

    Attributes:
        where: The file or folder they are listed in.
        indices: ``episode_index``, int64, shape (n,).
        lengths: Rows, int64, shape (n,); -1 if unknown.
        numbers: Other integer columns of the v3.0 table by name, int64, shape (n,).
        seconds: Its timestamps by name, float64, shape (n,).
        tasks: Sentences of each episode; None if the column is missing.
        stats_columns: Names of the statistics columns of the v3.0 table.
        files: The files of the v3.0 table.
    """

    where: Path
    indices: NDArray[np.int64]
    lengths: NDArray[np.int64]
    numbers: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    seconds: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    tasks: Sequence[tuple[str, ...]] | None = None
    stats_columns: Sequence[str] = ()
    files: Sequence[Path] = ()


def as_count(value: object) -> int | None:
    """A count or index of a JSON file, or None for any other value."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < 2**40 and value == int(value) else None
