"""Reads all rows once, in batches, for every check of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import list_lengths, present, to_numpy
from lerobot_grasp_plugin.dataset.tables import TableFile, index_numbers
from lerobot_grasp_plugin.findings.problem import EPISODES, GraspError, Problem, column_of, the_episodes
from lerobot_grasp_plugin.verify.empty_table import check_empty
from lerobot_grasp_plugin.verify.images import ImageCheck
from lerobot_grasp_plugin.verify.place import Tally, count
from lerobot_grasp_plugin.verify.rows import Rows
from lerobot_grasp_plugin.verify.runs import Runs
from lerobot_grasp_plugin.verify.unseen import Unseen
from lerobot_grasp_plugin.verify.view import View

BATCH_ROWS = 100_000
_WIDE_ROW_BYTES = 2**14
"""Columns that take more per row hold images or point clouds; their values are not checked."""


class Tables:
    """The data files of a dataset, read once.

    Attributes:
        problems: Files that cannot be read, and columns that do not hold numbers or indices.
        schemas: Arrow schemas that occur, each with the first file that has it.
        rows: Rows read.
        unseen: The parts that were not checked.
    """

    def __init__(self, view: View, images: ImageCheck | None = None) -> None:
        """Prepares to read.

        Args:
            view: The dataset.
            images: Checks the images in the tables; None for no check.
        """
        self._look_at = images
        self.problems: list[Problem] = []
        self.schemas: dict[pa.Schema, Path] = {}
        self.rows = 0
        self.unseen = Unseen()
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._view = view
        self._owner: dict[Path, list[int]] = {}
        if view.episodes is not None:
            for episode, path in zip(view.episodes.indices.tolist(), view.data_paths, strict=True):
                if path is not None:
                    self._owner.setdefault(path, []).append(episode)

    def batches(self) -> Iterator[Rows]:
        """All rows, files in the order LeRobot reads them."""
        pending: list[Rows] = []
        rows = 0
        for path in self._view.data_files:
            if self._holds_again(path):
                continue
            for part in self._file(path):
                names = part.columns.keys()
                if pending and (
                    pending[0].columns.keys() != names
                    or any(pending[0].columns[name].dtype != part.columns[name].dtype for name in names)
                    or any(pending[0].columns[name].shape[1] != part.columns[name].shape[1] for name in names)
                ):
                    yield _joined(pending)
                    pending, rows = [], 0
                pending.append(part)
                rows += int(part.lengths.sum())
                if rows >= BATCH_ROWS:
                    yield _joined(pending)
                    pending, rows = [], 0
        if pending:
            yield _joined(pending)

    def _file(self, path: Path) -> Iterator[Rows]:
        try:
            file = TableFile(path)
            self.schemas.setdefault(file.file.schema_arrow.remove_metadata(), path)
            self.problems += check_empty(file, legacy=self._view.legacy)
            if not file.rows:
                return
            self._images(file)
            episodes, starts, stops = self._runs(file)
            runs = Runs(path, episodes, starts, stops)
            self._texts(file, runs)
            if self._look_at is not None:
                self._look_at.see(file, runs)
            names = self._numeric(file)
            limit = max(1, min(BATCH_ROWS, file.batch_rows))
            first = 0
            while first < len(starts):
                last = int(np.searchsorted(stops, starts[first] + limit, side="right"))
                last = max(last, first + 1)
                part = slice(first, last)
                yield self._part(file, names, Runs(path, episodes[part], starts[part], stops[part]))
                first = last
        except GraspError as error:
            self._lost(path, error.problems)
        except UnicodeDecodeError as error:
            message = f"the column names are damaged: {error}"
            self._lost(path, [Problem("bad-parquet", message, path)])

    def _lost(self, path: Path, problems: Iterable[Problem]) -> None:
        """The finding for an unreadable table, with the episodes in it and the others."""
        self.unseen.unread.add(path)
        own = self._owner.get(path, [])
        others = sum(map(len, self._owner.values())) - len(own)
        for problem in problems:
            hint = problem.hint or "copy it again from the dataset's source"
            if own and others:
                kept = "have one episode" if others == 1 else f"have {others} episodes"
                hint += f"; other tables {kept}, which lerobot-grasp-merge can extract"
            if own:
                text = f"{problem.text}; it holds {EPISODES}"
                problem = replace(problem, text=text, episodes=the_episodes(own))
            self.problems.append(replace(problem, hint=hint))

    def _runs(self, file: TableFile) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Episode, first row and end of each run of a file."""
        owners = self._owner.get(file.path, [])
        if layout.EPISODE_INDEX in file.columns:
            column = file.read(0, file.rows, [layout.EPISODE_INDEX]).column(0)
            try:
                values = index_numbers(column, column_of(file.path, "episode_index"))
                breaks = np.flatnonzero(np.diff(values)) + 1
                starts = np.concatenate(([0], breaks))
                if not len(breaks) and self._renamed(file, int(values[0])):
                    return np.array(owners), np.array([0]), np.array([file.rows])
                if (values < 0).any():
                    self._negative(file, values)
                    values = np.maximum(values, -1)
                return values[starts], starts, np.concatenate((breaks, [len(values)]))
            except GraspError as error:
                if present(column).all():  # otherwise see _part
                    self.problems += error.problems
        lengths = [int(self._view.lengths[self._view.rows_of[episode]]) for episode in owners]
        if len(owners) != 1 and (sum(lengths) != file.rows or 0 in lengths):
            message = "without episode_index, the episode of a row is unknown"
            self.problems.append(Problem("unknown-rows", message, file.path))
            self.unseen.unknown.add(file.path)
            return np.array([-1]), np.array([0]), np.array([file.rows])
        ends = np.cumsum(lengths) if len(owners) != 1 else np.array([file.rows])
        return np.array(owners), np.concatenate(([0], ends[:-1])), ends

    def _negative(self, file: TableFile, values: NDArray[np.int64]) -> None:
        """Finds rows with an episode_index below 0."""
        self.unseen.unknown.add(file.path)
        wrong = np.flatnonzero(values < 0)
        message = (
            f"episode_index is {values[wrong[0]]} in row {wrong[0]} of the file (0-based), "
            f"{count(len(wrong), 'row')} in all; episodes count from 0"
        )
        self.problems.append(Problem("bad-index-column", message, file.path))

    def _renamed(self, file: TableFile, episode: int) -> bool:
        """Whether a table of v2.x is a copy under the name of another episode."""
        view, owners = self._view, self._owner.get(file.path, [])
        if not view.legacy or len(owners) != 1 or owners == [episode]:
            return False
        row = view.rows_of.get(episode)
        home = None if row is None else view.data_paths[row]
        if home is not None:
            try:
                if set(TableFile(home).episode_ranges()) != {episode}:
                    return False  # swapped names, see wrong-file
            except GraspError:
                return False
        tally = self._tallies.setdefault(("episode-wrong", layout.EPISODE_INDEX), Tally())
        tally.add(file.path, owners[0], 0, file.rows, f"episode_index is {episode}, expected {owners[0]}")
        return True

    def _images(self, file: TableFile) -> None:
        """Finds images that are not embedded in the table, by the counts of its footer."""
        meta, schema = file.file.metadata, file.file.schema_arrow
        lost = {
            name: file.rows
            for name in self._view.info.keys("image")
            if name in schema.names and pa.types.is_string(schema.field(name).type)
        }
        inside = {f"{name}.bytes": name for name in self._view.info.keys("image")}
        for number in range(meta.num_columns) if inside else ():
            name = inside.get(meta.schema.column(number).path)
            for group in range(meta.num_row_groups) if name is not None else ():
                statistics = meta.row_group(group).column(number).statistics
                if name is not None and statistics is not None and statistics.null_count:
                    lost[name] = lost.get(name, 0) + statistics.null_count
        for name, rows in lost.items():
            message = f"{name!r}: {rows} of {file.rows} images are not in the table, only their paths"
            hint = "LeRobot looks for them in its working folder; lerobot-grasp-merge embeds them"
            self.problems.append(Problem("picture-not-embedded", message, file.path, hint))

    def _numeric(self, file: TableFile) -> list[str]:
        """The columns of numbers that are not too wide."""
        sizes: dict[str, int] = {}
        meta = file.file.metadata
        for group in range(min(meta.num_row_groups, 4)):
            for number in range(meta.num_columns):
                column = meta.row_group(group).column(number)
                name = column.path_in_schema.partition(".")[0]
                sizes[name] = sizes.get(name, 0) + column.total_uncompressed_size
        seen = sum(meta.row_group(group).num_rows for group in range(min(meta.num_row_groups, 4)))
        return [
            field.name
            for field in file.file.schema_arrow
            if _holds_numbers(field.type) and sizes.get(field.name, 0) <= _WIDE_ROW_BYTES * max(1, seen)
        ]

    def _part(self, file: TableFile, names: Sequence[str], runs: Runs) -> Rows:
        table = file.read(int(runs.starts[0]), int(runs.stops[-1]), names)
        columns = {}
        for name in names:
            feature = self._view.info.features.get(name)
            try:
                values = to_numpy(table[name])
                if values.shape[1] or feature is None or 0 not in feature["shape"]:
                    columns[name] = values
            except ValueError as error:
                self._odd_rows(name, table[name], runs, str(error))
        self.rows += table.num_rows
        lengths = runs.stops - runs.starts
        return Rows([file.path] * len(lengths), runs.episodes, runs.starts, lengths, columns)

    def _odd_rows(self, name: str, column: pa.ChunkedArray[Any], runs: Runs, reason: str) -> None:
        """Finds rows of a column with no numbers, or too many."""
        self.unseen.partly.setdefault(name, runs.path)
        known, lengths = present(column), list_lengths(column)
        if not known.all():
            runs.count(~known, self._tallies.setdefault(("null-values", name), Tally()))
        elif lengths is not None:
            feature = self._view.info.features.get(name)
            width = int(lengths[0]) if feature is None else feature["shape"][0]
            tally = self._tallies.setdefault(("uneven-lists", name), Tally())
            runs.count(lengths != width, tally, reason)
        else:
            problem = Problem("bad-column", f"{name!r}: {reason}", runs.path)
            if problem not in self.problems:
                self.problems.append(problem)

    def _texts(self, file: TableFile, runs: Runs) -> None:
        """Finds missing texts, by the counts of the footer."""
        meta = file.file.metadata
        for name in self._view.info.keys("string"):
            numbers = [at for at in range(meta.num_columns) if meta.schema.column(at).path == name]
            parts = [
                meta.row_group(group).column(at) for group in range(meta.num_row_groups) for at in numbers
            ]
            if all(part.statistics is not None and part.statistics.null_count == 0 for part in parts):
                continue
            known = present(file.read(0, file.rows, [name]).column(0))
            if not known.all():
                runs.count(~known, self._tallies.setdefault(("null-values", name), Tally()))

    def _holds_again(self, path: Path) -> bool:
        """Finds an unlisted table whose rows are all of episodes in other files."""
        view = self._view
        if path in self._owner or not self._owner or view.tables.swapped:
            return False
        try:
            file = TableFile(path)
            episodes = file.episode_ranges()
            homes = {view.data_paths[view.rows_of[episode]] for episode in episodes}
            own = {each for home in homes if home is not None for each in TableFile(home).episode_ranges()}
        except (GraspError, KeyError):
            return False
        scattered = any(len(runs) > 1 for runs in episodes.values())
        if not episodes or scattered or not own.issuperset(episodes):
            return False
        home = view.data_paths[view.rows_of[next(iter(episodes))]]
        message = (
            f"no episode refers to this table, and its {count(file.rows, 'row')} of "
            f"{EPISODES} are also in {home and view.named(home)}; LeRobot reads them twice"
        )
        hint = "a copy, or an interrupted conversion: move it out of the dataset"
        found = the_episodes(episodes)
        self.problems.append(Problem("extra-file", message, path, hint, severity="error", episodes=found))
        self.unseen.doubled.add(path)
        return True

    def found(self) -> Iterator[Problem]:
        """All findings, after the rows have been read."""
        yield from self.problems
        for (code, name), tally in self._tallies.items():
            if code == "episode-wrong":
                message = f"{tally.example} by the file's name; {tally.extent}"
                hint = "tables copied into a dataset need its numbering; lerobot-grasp-merge renumbers them"
            elif code == "null-values":
                message = f"{name!r} is empty (null) in {tally.extent}"
                hint = "LeRobot's items contain None, which cannot be batched"
            else:
                message = f"{name!r}: {tally.example}, another number than info.json says, in {tally.extent}"
                hint = "LeRobot cannot load the column"
            yield tally.problem(code, message, hint)


def _holds_numbers(kind: pa.DataType) -> bool:
    while True:
        if isinstance(kind, pa.ExtensionType):
            kind = kind.storage_type
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            kind = kind.value_type
        else:
            return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _joined(parts: Sequence[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    return Rows(
        [file for part in parts for file in part.files],
        np.concatenate([part.episodes for part in parts]),
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
    )
