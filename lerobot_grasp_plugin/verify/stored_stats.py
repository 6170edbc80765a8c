"""Reads the stored statistics: over all rows, and of each episode."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import STATISTICS
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.dataset.json_lines import read_json_lines
from lerobot_grasp_plugin.dataset.tables import TableFile
from lerobot_grasp_plugin.findings.problem import GraspError, Place, Problem
from lerobot_grasp_plugin.findings.words import short
from lerobot_grasp_plugin.verify.view import View

type Values = dict[str, dict[str, NDArray[np.float64]]]
"""feature -> statistic -> values."""

_NO_TRAINING = "training fails: a policy converts all statistics to tensors, also those it does not use"
_NO_CONVERSION = "LeRobot's converter cannot aggregate it"


@dataclass
class StoredStats:
    """Statistics as stored in the files.

    Attributes:
        where: The file over all rows, and the file or folder of those per episode.
        overall: Over all rows, in their stored shapes; None without the file.
        episodes: Shape (listed episodes, values); NaN for an episode without statistics. None without any.
        problems: Findings about unreadable parts.
    """

    where: tuple[Path, Path]
    overall: Values | None = None
    episodes: Values | None = None
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which of the listed episodes have statistics; all if none has any number."""
        arrays = [array for each in (self.episodes or {}).values() for array in each.values()]
        known = np.zeros(len(arrays[0]) if arrays else 0, dtype=np.bool_)
        for array in arrays:
            known |= np.isfinite(array).any(axis=1)
        return known if known.any() else ~known


def read_stored_stats(view: View) -> StoredStats:
    """Reads all statistics of a dataset."""
    overall = view.root / layout.STATS_PATH
    own = view.root / view.format.episode_stats
    stats = StoredStats((overall, own))
    if overall.is_file():
        stats.overall = read_overall(overall, stats.problems)
    if view.episodes is None:
        return stats
    if not view.legacy:
        stats.episodes = _columns(view, stats.problems)
    elif own.is_file():
        stats.episodes = _lines(view, own, stats.problems)
    return stats


def read_overall(path: Path, problems: list[Problem]) -> Values | None:
    """Reads ``stats.json``, each value in its stored shape.

    Args:
        path: The file.
        problems: Collects findings about unreadable parts.
    """
    try:
        content = read_json(path)
    except GraspError as error:
        problems += error.problems
        return None
    if not isinstance(content, dict):
        message = f"statistics should be an object, not {short(str(content), 40)!r}"
        problems.append(Problem("bad-stats", message, path, "LeRobot cannot open the dataset"))
        return None
    values: Values = {}
    for name, entry in content.items():
        if not isinstance(entry, dict):
            message = f"{name!r} should be an object of statistics, not {short(str(entry), 40)!r}"
            problems.append(Problem("bad-stats", message, path, _NO_TRAINING))
            continue
        for statistic, value in entry.items():
            array = as_numbers(value)
            if array is not None:
                values.setdefault(name, {})[statistic] = array
                continue
            problem = Problem("bad-stats", _no_array(name, statistic, value), path, _NO_TRAINING)
            if isinstance(value, dict) and _all_numbers(value):
                hint = "training ignores it; LeRobot's merge refuses the dataset"
                problem = replace(problem, hint=hint, severity="warning")
            problems.append(problem)
    return values


def as_numbers(value: Any) -> NDArray[np.float64] | None:
    """A value of a JSON file as an array; None if LeRobot would not read numbers from it."""
    try:
        array = np.array(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return array.astype(np.float64) if array.dtype.kind in "biuf" else None


def _all_numbers(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_all_numbers, value.values()))
    return as_numbers(value) is not None


def _no_array(name: str, statistic: str, value: Any) -> str:
    return f"{name!r}: {statistic} is not an array of numbers: {short(json.dumps(value), 40)}"


def _columns(view: View, problems: list[Problem]) -> Values | None:
    listed = view.episodes
    assert listed is not None
    parts: dict[tuple[str, str], list[NDArray[Any]]] = {}
    count = len(listed.indices)
    for path in listed.files:
        try:
            file = TableFile(path)
            names = [name for name in listed.stats_columns if name in file.columns]
            table = file.read(0, file.rows, names)
        except GraspError as error:
            problems += error.problems
            return None
        for column in names:
            if table[column].null_count == table.num_rows:  # also of a file without rows
                continue
            feature, _, statistic = column.removeprefix("stats/").rpartition("/")
            try:
                values = _rows(table[column])
            except ValueError as error:
                problem = Problem("bad-stats", f"column {column!r}: {error}", path, severity="warning")
                problems.append(problem if statistic in STATISTICS else _unread(problem))
                continue
            parts.setdefault((feature, statistic), []).append(values)
    values_: Values = {}
    for (feature, statistic), arrays in parts.items():
        fits = sum(len(array) for array in arrays) == count
        if fits and len({array.shape[1] for array in arrays}) == 1:
            values_.setdefault(feature, {})[statistic] = np.concatenate(arrays)
    return values_ or None


def _rows(column: pa.ChunkedArray[Any]) -> NDArray[np.float64]:
    """Shape (rows, values); NaN for rows that are null as a whole."""
    known = to_numpy(column.is_valid())[:, 0].astype(np.bool_)
    given = to_numpy(column.filter(column.is_valid())).astype(np.float64)
    values = np.full((len(known), *given.shape[1:]), np.nan)
    values[known] = given
    return values


def _lines(view: View, path: Path, problems: list[Problem]) -> Values | None:
    collected: dict[tuple[str, str], dict[int, NDArray[np.float64]]] = {}
    try:
        for number, entry in enumerate(read_json_lines(path), start=1):
            episode, stats = entry.get("episode_index"), entry.get("stats")
            if not isinstance(stats, dict) or not isinstance(episode, (int, float)):
                message = "expected an object with episode_index and stats"
                problems.append(Problem("bad-json", message, Place(str(path), number)))
                continue
            row = view.rows_of.get(int(episode)) if math.isfinite(episode) else None
            if row is not None:
                _line(stats, row, collected, Place(str(path), number), problems)
    except GraspError as error:
        problems += error.problems
    count = 0 if view.episodes is None else len(view.episodes.indices)
    values: Values = {}
    for (feature, statistic), rows in collected.items():
        width = next(iter(rows.values())).size
        array = np.full((count, width), np.nan)
        for row, each in rows.items():
            if each.size == width:
                array[row] = each.reshape(-1)
        values.setdefault(feature, {})[statistic] = array
    return values or None


def _line(
    stats: Mapping[str, Any],
    row: int,
    collected: dict[tuple[str, str], dict[int, NDArray[np.float64]]],
    place: Place,
    problems: list[Problem],
) -> None:
    for feature, entry in stats.items():
        if not isinstance(entry, dict):
            problems.append(Problem("bad-stats", f"{feature!r} is not an object of statistics", place))
            continue
        for statistic, value in entry.items():
            array = as_numbers(value)
            if array is not None:
                collected.setdefault((feature, statistic), {})[row] = array
                continue
            problem = Problem("bad-stats", _no_array(feature, statistic, value), place, _NO_CONVERSION)
            problems.append(problem if statistic in STATISTICS else _unread(problem))


def _unread(problem: Problem) -> Problem:
    return replace(problem, hint="LeRobot does not read a statistic of this name", severity="note")
