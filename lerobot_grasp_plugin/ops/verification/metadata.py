"""Tasks and episodes as the metadata lists them, of either layout, as far as they can be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.tables import TableFile, open_parquet, whole_numbers
from lerobot_grasp_plugin.dataset.v21 import read_json_lines
from lerobot_grasp_plugin.dataset.v30 import task_rows
from lerobot_grasp_plugin.errors import GraspError, Problem

_EPISODE_COLUMNS = ("episode_index", "length", "data/chunk_index", "data/file_index")
_RANGE_COLUMNS = ("dataset_from_index", "dataset_to_index")


@dataclass
class EpisodeList:
    """The episodes in the order they are listed in; n of them.

    Attributes:
        where: The file or folder they are listed in.
        indices: ``episode_index``, int64, shape (n,).
        lengths: Rows, int64, shape (n,); -1 where the metadata does not say.
        numbers: Other whole-number columns of the v3.0 table by name, int64, shape (n,).
        seconds: Its timestamps by name, float64, shape (n,).
        tasks: Sentences of each episode; None where the column is missing.
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


type Report = Callable[[Problem], None]


def read_tasks(root: Path, legacy: bool, report: Report) -> dict[int, str] | None:
    """``task_index`` -> sentence; None where there is no list."""
    try:
        path = root / (layout.LEGACY_TASKS_PATH if legacy else layout.TASKS_PATH)
        if not legacy:
            _check_index(path, report)
        return _by_index(path, _task_lines(path, report) if legacy else task_rows(path), report)
    except GraspError as error:
        for problem in error.problems:
            report(problem)
    return None


def _by_index(path: Path, rows: Iterable[tuple[int, str]], report: Report) -> dict[int, str]:
    tasks: dict[int, str] = {}
    for index, task in rows:
        if index in tasks:
            message = f"task_index {index} is listed twice or more: {tasks[index]!r} and {task!r}"
            hint = "each task needs its own number, 0, 1, 2, ...; which of the two did the rows with it do?"
            report(Problem("duplicate-task", message, str(path), hint, severity="warning"))
        tasks[index] = task
    return tasks


def _check_index(path: Path, report: Report) -> None:
    """Whether pandas finds the sentences where LeRobot looks for them: in the index."""
    schema = open_parquet(path).schema_arrow
    try:
        stored = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
    except (ValueError, AttributeError):
        stored = []
    if not any(name in schema.names for name in stored if isinstance(name, str)):
        message = "the sentences are an ordinary column, not the table's pandas index"
        hint = "LeRobot takes the row's number for the task; lerobot-grasp-merge writes it right"
        report(Problem("task-index-lost", message, str(path), hint))


def _task_lines(path: Path, report: Report) -> Iterator[tuple[int, str]]:
    for number, entry in enumerate(read_json_lines(path), start=1):
        index, task = _whole(entry.get("task_index")), entry.get("task")
        if index is None or not isinstance(task, str):
            message = "expected an object with task_index and task"
            report(Problem("bad-json", message, f"{path}:{number}"))
        else:
            yield index, task


def read_episodes(root: Path, legacy: bool, report: Report) -> EpisodeList | None:
    """The episodes the metadata lists; None where it lists none."""
    try:
        listed = _legacy(root, report) if legacy else _table(root, report)
    except GraspError as error:
        for problem in error.problems:
            report(problem)
        return None
    if listed is not None:
        _check(listed, legacy, report)
    return listed


def _check(listed: EpisodeList, legacy: bool, report: Report) -> None:
    """Numbering and lengths."""
    where = str(listed.where)
    expected = np.arange(len(listed.indices))
    wrong = np.flatnonzero((np.sort(listed.indices) if legacy else listed.indices) != expected)
    if len(wrong):
        row = int(wrong[0])
        found = int((np.sort(listed.indices) if legacy else listed.indices)[row])
        message = f"entry {row} lists episode {found}; LeRobot takes it for episode {row}"
        hint = "episodes have to be numbered 0, 1, 2, ... without holes"
        report(Problem("episode-numbering", message, where, hint, episode=row))
    for row in np.flatnonzero(listed.lengths == 0)[:20].tolist():
        message = "the metadata lists the episode with a length of 0"
        report(Problem("empty-episode", message, where, episode=int(listed.indices[row])))


# -- v2.0, v2.1 -------------------------------------------------------------------------------------


def _legacy(root: Path, report: Report) -> EpisodeList | None:
    path = root / layout.LEGACY_EPISODES_PATH
    indices, lengths, tasks = [], [], []
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    try:
        for number, entry in enumerate(read_json_lines(path), start=1):
            episode, length = _whole(entry.get("episode_index")), _whole(entry.get("length"))
            if episode is None or length is None:
                message = "expected an object with episode_index, a positive length, and tasks"
                report(Problem("bad-json", message, f"{path}:{number}"))
                if episode is None:
                    continue
            own = entry.get("tasks")
            sentences = tuple(str(task) for task in own) if isinstance(own, list) else ()
            indices.append(episode)
            lengths.append(-1 if length is None else length)
            tasks.append(shared.setdefault(sentences, sentences))
    except GraspError as error:  # the lines before the damaged one count
        for problem in error.problems:
            report(problem)
    if not indices:
        return None
    return EpisodeList(
        path, np.array(indices, dtype=np.int64), np.array(lengths, dtype=np.int64), tasks=tasks
    )


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < 2**40 and value == int(value) else None


# -- v3.0 -------------------------------------------------------------------------------------------


def _table(root: Path, report: Report) -> EpisodeList | None:
    folder = root / layout.EPISODES_DIR
    paths = sorted(folder.glob("*/*.parquet"))
    if not paths:
        message = "no episode is listed: the recording was interrupted, or files were lost"
        hint = "finalize() writes the list when a recording ends; LeRobot cannot read a dataset without it"
        report(Problem("missing-episodes-table", message, str(folder), hint))
        return None
    tables, files = [], []
    for path in paths:
        try:
            file = TableFile(path)
            names = [name for name in file.columns if not name.startswith("stats/")]
            tables.append(file.read(0, file.rows, names))
            files.append(path)
        except GraspError as error:
            for problem in error.problems:
                report(problem)
    if not tables:
        return None
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0]
        report(Problem("bad-parquet", f"its files do not fit together: {reason}", str(folder)))
        table = tables[0]
    return _columns(table, folder, files, report)


def _columns(table: pa.Table, folder: Path, files: Sequence[Path], report: Report) -> EpisodeList:
    names: list[str] = table.column_names
    lacking = [name for name in (*_EPISODE_COLUMNS, *_RANGE_COLUMNS) if name not in names]
    if lacking:
        message = f"the episodes table has no column {', '.join(map(repr, lacking))}"
        hint = "LeRobot finds the rows and files of an episode by them"
        report(Problem("missing-column", message, str(folder), hint))
    numbers: dict[str, NDArray[np.int64]] = {}
    seconds: dict[str, NDArray[np.float64]] = {}
    for name in names:
        where = f"{folder}: column {name!r}"
        try:
            if name.endswith(("_index", "length")):
                numbers[name] = whole_numbers(table[name], where)
            elif name.endswith("_timestamp"):
                seconds[name] = to_numpy(table[name]).reshape(table.num_rows).astype(np.float64)
                if len(empty := np.flatnonzero(~np.isfinite(seconds[name]))):
                    message = f"{name!r} is not a number for {len(empty)} episodes"
                    hint = "LeRobot finds no picture of them"
                    row = int(empty[0])
                    report(Problem("bad-column", message, str(folder), hint, episode=row))
        except GraspError as error:
            for problem in error.problems:
                report(problem)
        except ValueError as error:
            report(Problem("bad-column", str(error), where))
    count = table.num_rows
    indices = numbers.pop("episode_index", np.arange(count, dtype=np.int64))
    lengths = numbers.pop("length", np.full(count, -1, dtype=np.int64))
    negative = np.flatnonzero(lengths < 0)
    if "length" in names and len(negative):
        message = f"length is {lengths[negative[0]]}"
        report(Problem("empty-episode", message, str(folder), episode=int(indices[negative[0]])))
    try:
        sentences = _sentences(table)
    except UnicodeDecodeError as error:
        report(Problem("bad-column", f"'tasks': {error}", str(folder)))
        sentences = None
    stats = [name for name in TableFile(files[0]).columns if name.startswith("stats/")]
    return EpisodeList(folder, indices, np.maximum(lengths, -1), numbers, seconds, sentences, stats, files)


def _sentences(table: pa.Table) -> list[tuple[str, ...]] | None:
    if "tasks" not in table.column_names:
        return None
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    sentences = []
    for value in _as_lists(table["tasks"]):
        key = tuple(str(task) for task in value)
        sentences.append(shared.setdefault(key, key))
    return sentences


def _as_lists(column: pa.ChunkedArray) -> Iterator[Sequence[Any]]:
    for value in column.to_pylist():
        yield value if isinstance(value, list) else ([] if value is None else [value])
