"""Reads the episodes table of v3.0, as far as possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import nulls, present, to_numpy
from lerobot_grasp_plugin.dataset.tables import TableFile, index_numbers
from lerobot_grasp_plugin.findings.problem import GraspError, Place, Problem, Severity, column_of
from lerobot_grasp_plugin.findings.words import some
from lerobot_grasp_plugin.verify.empty_table import check_empty
from lerobot_grasp_plugin.verify.listed import EpisodeList, Report
from lerobot_grasp_plugin.verify.place import count

_NEEDED = ("episode_index", "length", "data/chunk_index", "data/file_index")
_RANGE = ("dataset_from_index", "dataset_to_index")
_PLACE = re.compile(r"(data|videos/.+|meta/episodes)/(chunk|file)_index")
_SECONDS = re.compile(r"videos/.+/(from|to)_timestamp")


def read_episodes_table(root: Path, report: Report) -> EpisodeList | None:
    """The episodes of ``meta/episodes``; None if none are listed.

    Args:
        root: The dataset's folder.
        report: Collects the errors of the table itself.
    """
    folder = root / layout.EPISODES_DIR
    parts: dict[Path, pa.Table] = {}
    columns_of: dict[Path, list[str]] = {}
    empty: list[Problem] = []
    paths = sorted(folder.glob("*/*.parquet"))
    for path in paths:
        try:
            file = TableFile(path)
            names = [name for name in file.columns if not name.startswith("stats/")]
            parts[path] = file.read(0, file.rows, names)
            columns_of[path] = file.columns
            empty += check_empty(file)
            del file  # a footer of many small row groups takes more memory than all its rows
        except GraspError as error:
            for problem in error.problems:
                report(problem)
    rows = sum(table.num_rows for table in parts.values())
    elsewhere = sorted(set(folder.rglob("*.parquet")) - set(paths))
    if elsewhere:
        report(_unread(elsewhere, rows))
    if not paths or (len(parts) == len(paths) and not rows):
        message = "no episodes are listed: the recording was interrupted, or files were lost"
        hint = (
            "LeRobot cannot read a dataset without this list, which finalize() writes when a recording ends"
        )
        if paths:
            message = "no episodes are listed: the table has no rows"
        report(Problem("missing-episodes-table", message, folder, hint))
    if not rows:
        return None
    for problem in empty:
        report(problem)
    table, unlike = _together(parts, columns_of, report)
    columns = _Columns(table, unlike, folder, report)
    return EpisodeList(
        folder,
        columns.indices(),
        columns.lengths(),
        columns.numbers,
        columns.seconds,
        columns.sentences(),
        [name for name in columns_of[next(iter(parts))] if name.startswith("stats/")],
        list(parts),
    )


def _unread(paths: Sequence[Path], rows: int) -> Problem:
    message = (
        f"LeRobot reads meta/episodes/*/*.parquet only, not {count(len(paths), 'table')} elsewhere in "
        "meta/episodes"
    )
    hint = (
        "move it to meta/episodes/chunk-000 if it lists episodes of this dataset, otherwise out of "
        "the dataset"
    )
    severity: Severity = "warning" if rows else "error"
    return Problem("unread-table", message, paths[0], hint, severity=severity)


def _together(
    parts: Mapping[Path, pa.Table], columns_of: Mapping[Path, Sequence[str]], report: Report
) -> tuple[pa.Table, set[str]]:
    """One table of all files, without the columns of incompatible types, and the names of these columns."""
    first, *others = parts
    known = set(columns_of[first])
    for path in others:
        own = set(columns_of[path])
        if own - known:
            report(_unlike(path, sorted(own - known), first, more=True))
        if known - own:
            report(_unlike(path, sorted(known - own), first, more=False))
    pieces = list(parts.values())
    columns: dict[str, pa.ChunkedArray[Any]] = {}
    unlike: set[str] = set()
    for name in dict.fromkeys(name for piece in pieces for name in piece.column_names):
        have = [piece.select([name]) for piece in pieces if name in piece.column_names]
        lacking = sum(piece.num_rows for piece in pieces if name not in piece.column_names)
        try:
            joined = pa.concat_tables(have, promote_options="permissive").column(0)
        except pa.ArrowException:
            kinds = ", ".join(dict.fromkeys(str(each.schema.field(0).type) for each in have))
            message = f"column {name!r} has incompatible types: {kinds}"
            hint = f"LeRobot reads all files with the schema of the first, {first.name}"
            report(Problem("episodes-columns", message, first.parents[1], hint))
            unlike.add(name)
            continue
        if not lacking:
            columns[name] = joined
        elif name in (*_NEEDED, *_RANGE):
            columns[name] = _filled(pieces, name, joined.type)
    return pa.table(columns), unlike


def _filled(pieces: Sequence[pa.Table], name: str, kind: pa.DataType) -> pa.ChunkedArray[Any]:
    """A column with null for the rows of files that lack it."""
    parts = [
        piece.select([name]) if name in piece.column_names else pa.table({name: nulls(piece.num_rows, kind)})
        for piece in pieces
    ]
    return pa.concat_tables(parts, promote_options="permissive").column(0)


def _unlike(path: Path, names: Sequence[str], first: Path, *, more: bool) -> Problem:
    named = some(map(repr, names))
    if more:
        message = f"the file has {named}, missing in {first.name}"
        hint = "LeRobot reads all files of meta/episodes with the columns of the first, and fails on others"
        return Problem("episodes-columns", message, path, hint)
    message, hint = f"the file lacks {named}, which {first.name} has", "LeRobot fills these with null"
    return Problem("episodes-columns", message, path, hint, severity="warning")


class _Columns:
    """Reads columns of the table and reports their errors."""

    def __init__(self, table: pa.Table, unlike: set[str], folder: Path, report: Report) -> None:
        self._table = table
        self._where = folder
        self._report = report
        names: list[str] = table.column_names
        there = {*names, *unlike}
        lacking = [name for name in (*_NEEDED, *_RANGE) if name not in there]
        if lacking:
            message = f"the episodes table has no column {', '.join(map(repr, lacking))}"
            hint = "LeRobot needs them to find an episode's rows and files"
            report(Problem("missing-column", message, self._where, hint))
        if "tasks" not in there:
            message = "the episodes table has no column 'tasks'"
            hint = "LeRobot can read the dataset, but not edit or merge it"
            report(Problem("missing-column", message, self._where, hint, severity="warning"))
        self.numbers: dict[str, NDArray[np.int64]] = {}
        self.seconds: dict[str, NDArray[np.float64]] = {}
        self._floats: list[str] = []
        for name in names:
            if name in (*_NEEDED, *_RANGE) or _PLACE.fullmatch(name):
                self._take(name, self._number)
            elif _SECONDS.fullmatch(name):
                self._take(name, self._second)
        self._check_floats()

    def _take(self, name: str, take: Callable[[str], None]) -> None:
        try:
            take(name)
        except GraspError as error:
            for problem in error.problems:
                self._report(problem)
        except ValueError as error:
            self._report(Problem("bad-column", str(error), column_of(self._where, name)))

    def _number(self, name: str) -> None:
        column = self._table[name]
        known = present(column)
        if not known.all():
            row = int(np.argmin(known))
            message = f"{name!r} is empty (null) for {count(int((~known).sum()), 'episode')}"
            hint = "LeRobot needs it to find an episode's rows and files"
            self._report(Problem("bad-index-column", message, Place(str(self._where), episode=row), hint))
            if name != "length":
                return
            values = np.full(len(known), -1, dtype=np.int64)
            if known.any():
                values[known] = index_numbers(column.drop_null(), column_of(self._where, name))
            self.numbers[name] = values
            return
        self.numbers[name] = index_numbers(column, column_of(self._where, name))
        if pa.types.is_floating(column.type):
            self._floats.append(name)

    def _check_floats(self) -> None:
        """One finding for all index columns of floats, as pandas writes them."""
        used = [name for name in self._floats if name in _RANGE or _PLACE.fullmatch(name)]
        if not self._floats:
            return
        named = some(map(repr, [*used, *(name for name in self._floats if name not in used)]))
        message = f"{named}: floats instead of integers (int64)"
        hint = "LeRobot builds paths and row ranges from them, and fails on floats" * bool(used)
        severity: Severity = "error" if used else "warning"
        self._report(Problem("index-dtype", message, self._where, hint, severity=severity))

    def _second(self, name: str) -> None:
        values = to_numpy(self._table[name]).reshape(self._table.num_rows).astype(np.float64)
        self.seconds[name] = values
        if len(empty := np.flatnonzero(~np.isfinite(values))):
            message = f"{name!r} is not a number for {len(empty)} episodes"
            hint = "LeRobot cannot find their images"
            self._report(Problem("bad-column", message, Place(str(self._where), episode=int(empty[0])), hint))

    def indices(self) -> NDArray[np.int64]:
        """``episode_index``; the row number if it cannot be read."""
        return self.numbers.pop("episode_index", np.arange(self._table.num_rows, dtype=np.int64))

    def lengths(self) -> NDArray[np.int64]:
        """``length``, or the size of the row range if the column is missing; -1 if unknown."""
        lengths = self.numbers.pop("length", None)
        start, stop = (self.numbers.get(name) for name in _RANGE)
        if lengths is None and start is not None and stop is not None:
            ranges: NDArray[np.int64] = np.maximum(stop - start, -1)
            return ranges
        if lengths is None:
            return np.full(self._table.num_rows, -1, dtype=np.int64)
        negative = np.flatnonzero((lengths < 0) & present(self._table["length"]))
        if len(negative):
            message = f"length is {lengths[negative[0]]}"
            self._report(Problem("empty-episode", message, Place(str(self._where), episode=int(negative[0]))))
        return np.maximum(lengths, -1)

    def sentences(self) -> list[tuple[str, ...]] | None:
        """The tasks of each episode; None if they cannot be read."""
        if "tasks" not in self._table.column_names:
            return None
        try:
            shared: dict[tuple[str, ...], tuple[str, ...]] = {}
            keys = (tuple(map(str, value)) for value in _as_lists(self._table["tasks"]))
            return [shared.setdefault(key, key) for key in keys]
        except UnicodeDecodeError as error:
            self._report(Problem("bad-column", f"'tasks': {error}", self._where))
            return None


def _as_lists(column: pa.ChunkedArray[Any]) -> Iterator[Sequence[Any]]:
    for value in column.to_pylist():
        yield value if isinstance(value, list) else ([] if value is None else [value])
