"""Compares the statistics a source stores with those of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import MOMENTS, combine, describe, differing
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.file_format import format_of
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.merging.sources import Source
from lerobot_grasp_plugin.verify.place import episodes_text
from lerobot_grasp_plugin.verify.statistics import code_of
from lerobot_grasp_plugin.verify.stored_stats import read_overall

_COMPARED = (*MOMENTS, "count")


class SourceStats:
    """The stored statistics of a source's columns that are copied unchanged.

    The output does not depend on them, but training on the source did.

    Args:
        source: The dataset.
        names: The columns, by their output names.
    """

    def __init__(self, source: Source, names: Sequence[str]) -> None:
        self._source = source
        reader = source.reader
        self._names = {name: source.original[name] for name in names if name in source.original}
        own = list(self._names.values())
        # statistics of a whole episode do not apply to a part
        self._episodes = {} if source.parts else reader.stats(source.episodes, own, _COMPARED)
        self._path = reader.root / layout.STATS_PATH
        # stats.json covers all rows, so it does not apply to some episodes.
        is_whole = sorted(source.episodes) == list(range(len(reader.lengths)))
        self._overall = (read_overall(self._path, []) if is_whole and self._path.is_file() else None) or {}

    def compare(self, name: str, true: Mapping[str, NDArray[Any]]) -> Iterator[Problem]:
        """A warning if the stored statistics of a column differ from those of its rows.

        Args:
            name: A column, by its output name; one that is not copied is ignored.
            true: ``MOMENTS`` and ``count`` of the rows, shape (chosen episodes, dims).
        """
        source, own = self._source, self._names.get(name)
        if own is None:
            return
        wrong = differing(_fitting(self._episodes.get(own, {}), true), true, true["count"][:, 0])
        if wrong:
            rows = {row for found in wrong.values() for row, _, _ in found}
            episodes = episodes_text(source.episodes[row] for row in rows)
            where = format_of(source.reader.info.codebase_version).episode_stats
            message = f"{describe(wrong)} (statistics of {episodes})"
            yield self._problem(name, message, source.reader.root / where)
        flat = {each: values.reshape(1, -1) for each, values in self._overall.get(own, {}).items()}
        total = {each: values.reshape(1, -1) for each, values in combine(true).items()}
        wrong = differing(_fitting(flat, total), total, total["count"][:, 0])
        if wrong:
            yield self._problem(name, describe(wrong), self._path)

    def _problem(self, name: str, message: str, where: Path) -> Problem:
        message = f"{self._source.title}: {self._names[name]!r}: {message}"
        hint = "the output has the correct ones; a policy trained on the source was normalised wrongly"
        return Problem(code_of(name), message, where, hint, severity="warning")


def _fitting(
    stored: Mapping[str, NDArray[Any]], true: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.float64]]:
    """The statistics with as many values as the true ones."""
    return {
        statistic: values.astype(np.float64)
        for statistic, values in stored.items()
        if statistic in _COMPARED and values.shape == true[statistic].shape
    }
