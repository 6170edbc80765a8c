"""Reads what is whole of a recording that was broken off, as a dataset to take episodes from.

LeRobot writes the footer of a table and the list of episodes when a recording ends. Where it was killed, the
rows are in the pages of the tables, the episodes in the rows, and their places in the videos follow from
``index``, which counts the rows of all episodes as the videos of a camera count their frames.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import STATISTICS
from lerobot_grasp_plugin.core.words import count
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.info import DatasetInfo, read_info
from lerobot_grasp_plugin.dataset.losses import MAX_UNLISTED, Reason, loss_problems
from lerobot_grasp_plugin.dataset.pages import salvage
from lerobot_grasp_plugin.dataset.places import Places
from lerobot_grasp_plugin.dataset.reader import DatasetReader, VideoSpan, open_located
from lerobot_grasp_plugin.dataset.tables import RowRange, TableFile, whole_numbers
from lerobot_grasp_plugin.dataset.v30 import V30Reader
from lerobot_grasp_plugin.errors import DatasetError, GraspError, Problem
from lerobot_grasp_plugin.ops.found_episodes import FoundEpisode, spans_by_index
from lerobot_grasp_plugin.ops.whole_episodes import Cameras, lost_episodes, rescued_warnings
from lerobot_grasp_plugin.writers.data_schema import data_schema


def open_whole(location: Location) -> DatasetReader:
    """A damaged dataset, with every episode lost that is not whole; a sound one as it is.

    Where the list of episodes can be read and every table has a footer, the list says what an episode is.
    Else the rows say it, and the list, where there is one, where their images are, and their statistics.

    Args:
        location: Where it is.

    Raises:
        DatasetError: No episode is whole.
    """
    if location.fetch is not None:
        location.fetch(["data/*", "videos/*"])
    try:
        listed = open_located(location)
    except GraspError:
        return SalvagedReader(location)
    tables = sorted((location.root / "data").glob("*/*.parquet")) if listed.info.is_v3 else []
    if any(map(_has_no_footer, tables)) or (tables and _rows_of(location, listed.lost)):
        return SalvagedReader(location, listed)
    lost = lost_episodes(listed)
    kept = [episode for episode in range(len(listed.lengths)) if episode not in lost]
    if not kept:
        raise DatasetError(loss_problems(lost, others=False))
    if lost:
        listed.lost = lost
        rows = int(listed.lengths[kept].sum())
        source = "the list of episodes says which rows are whose"
        listed.warnings += rescued_warnings(rows, lost, len(kept), str(location.root), source)
    return listed


def _has_no_footer(path: Path) -> bool:
    try:
        TableFile(path)
    except DatasetError as error:
        return any(problem.code == "bad-parquet" for problem in error.problems)
    return False


def _rows_of(location: Location, episodes: Collection[int]) -> bool:
    """Whether a table has rows of one of these episodes."""
    places = Places(location)
    return bool(episodes) and any(places.of(episode) for episode in episodes)


class SalvagedReader(V30Reader):
    """What is whole of a v3.0 dataset, by its rows; see ``DatasetReader`` for the attributes.

    Args:
        location: Where it is.
        listed: The same dataset by its list of episodes; None where that cannot be read.

    Raises:
        DatasetError: It is of an older format, or nothing of it is whole.
    """

    def __init__(self, location: Location, listed: DatasetReader | None = None) -> None:
        layout.check_links(location.root, "meta")
        for folder in ("data", "videos"):
            layout.check_links(location.root, folder, location.links)
        info = read_info(location.root)
        if not info.is_v3:
            message = (
                f"without its list of episodes, nothing says what the tables of {info.codebase_version} hold"
            )
            hint = f"repair or fetch {layout.LEGACY_EPISODES_PATH} and {layout.LEGACY_TASKS_PATH}"
            raise DatasetError(Problem("nothing-to-rescue", message, str(location.root), hint))
        self._spans: dict[str, dict[int, VideoSpan]] = {}
        self._found: dict[int, FoundEpisode] = {}
        self._listed = listed
        super().__init__(location, info)

    def video_span(self, episode: int, video_key: str) -> VideoSpan:
        return self._spans[video_key][episode]

    def _video_path(self, episode: int, video_key: str) -> Path:
        return self._spans[video_key][episode].path

    def side_columns(self, episodes: Sequence[int]) -> pa.Table | None:
        if self._listed is None:
            return None
        if all(map(self._in_list, episodes)):
            return self._listed.side_columns(episodes)
        if self._listed.side_columns([each for each in episodes if self._in_list(each)]) is not None:
            message = "the columns that LeRobot does not know are left out: not all episodes are listed"
            where = str(self.root / layout.EPISODES_DIR)
            self.warnings.append(Problem("metadata-left-out", message, where, severity="warning"))
        return None

    def stats(
        self, episodes: Sequence[int], features: Sequence[str], statistics: Sequence[str] = STATISTICS
    ) -> dict[str, dict[str, NDArray[Any]]]:
        if self._listed is None or not all(map(self._in_list, episodes)):
            return {}
        stored = self._listed.stats(episodes, features, statistics)
        return {name: dict(own) for name, own in stored.items()}

    def _in_list(self, episode: int) -> bool:
        listed = self._listed
        return listed is not None and episode < len(listed.lengths) and episode not in listed.lost

    def schemas(self, episodes: Sequence[int]) -> Iterator[tuple[Path, pa.Schema]]:
        for path, file in {self._found[each].rows.path: self._found[each].file for each in episodes}.items():
            yield path, file.file.schema_arrow

    def own_files(self) -> set[Path]:
        return {*(self.root / "data").glob("*/*.parquet"), *(self.root / "videos").glob("*/*/*.mp4")}

    def _list_episode_files(self) -> list[Path]:
        return []

    def _named_path(self, episode: int) -> Path:
        return self._found[episode].rows.path

    def _open(self, path: Path) -> tuple[TableFile, dict[int, list[RowRange]]]:
        mine = {episode: found for episode, found in self._found.items() if found.rows.path == path}
        return next(iter(mine.values())).file, {episode: [found.rows] for episode, found in mine.items()}

    def _read_episodes(self) -> pa.Table:
        notes: list[Problem] = []
        tables = list(_tables(self.root, self.info, notes))
        lost: dict[int, Reason] = {}
        for file in tables:
            _add_episodes(file, self._found, lost)
        where = str(self.root)
        total = max([self.info.total_episodes, *(episode + 1 for episode in self._found)])
        gone = Reason("missing-rows", "the rows are not whole in any table", where)
        lost = (
            dict.fromkeys(set(range(min(total, len(self._found) + MAX_UNLISTED))) - self._found.keys(), gone)
            | lost
        )
        for episode, found in self._found.items():
            if self._listed is not None and self._in_list(episode):
                number = int(self._listed.lengths[episode])
                if number != found.length:
                    text = f"{found.length} rows in the table, {number} by the episodes table"
                    lost.setdefault(episode, Reason("wrong-length", text, str(found.file.path)))
        for video_key in self.info.video_keys:
            self._spans[video_key] = self._camera(video_key, lost)
        for episode in lost:
            self._found.pop(episode, None)
        if not self._found:
            raise DatasetError([*notes, *loss_problems(lost)])
        rows = sum(episode.length for episode in self._found.values())
        source = "the list of episodes is made of the rows"
        self.warnings += [*notes, *rescued_warnings(rows, lost, len(self._found), where, source)]
        self.lost = lost
        numbers = sorted(self._found)
        self._row = np.full(max(total, numbers[-1] + 1), -1, dtype=np.int64)
        self._row[numbers] = np.arange(len(numbers))
        paths = {file.path: number for number, file in enumerate(tables)}
        files = np.array([paths[self._found[episode].rows.path] for episode in numbers], dtype=np.int64)
        self._data_keys = self._by_episode(files)
        cameras = [
            f"videos/{key}/{name}"
            for key in self.info.video_keys
            for name in ("chunk_index", "file_index", "from_timestamp")
        ]
        columns: dict[str, Sequence[object]] = {
            "episode_index": numbers,
            "length": [self._found[episode].length for episode in numbers],
            "tasks": [self._tasks_of(self._found[episode]) for episode in numbers],
            **dict.fromkeys(cameras, [0] * len(numbers)),
        }
        return pa.table(columns)

    def _camera(self, video_key: str, lost: dict[int, Reason]) -> dict[int, VideoSpan]:
        """Where the episodes are in the videos of a camera, by the list, and by ``index`` those not in it."""
        spans: dict[int, VideoSpan] = {}
        cameras = Cameras()
        rest: list[int] = []
        listed = self._listed
        if listed is not None:
            listed.require([], [video_key])
        for episode, found in self._found.items():
            if listed is None or not self._in_list(episode):
                rest.append(episode)
                continue
            span = listed.video_span(episode, video_key)
            stop = round(span.from_timestamp * self.info.fps) + found.length
            if reason := cameras.check(span.path, video_key, stop):
                lost.setdefault(episode, reason)
            spans[episode] = span
        if not rest:
            return spans
        lost_by_index: dict[int, Reason] = {}
        by_index = spans_by_index(self.root, self.info, video_key, self._found, lost_by_index)
        lost.update(
            {each: reason for each, reason in lost_by_index.items() if each in rest and each not in lost}
        )
        return spans | {episode: by_index[episode] for episode in rest if episode in by_index}

    def _tasks_of(self, episode: FoundEpisode) -> list[str]:
        file, rows = episode.file, episode.rows
        if layout.TASK_INDEX not in file.columns:
            return []
        column = file.read(rows.start, rows.stop, [layout.TASK_INDEX]).column(0)
        used = dict.fromkeys(whole_numbers(column, f"{rows.path}: column 'task_index'").tolist())
        return [self.tasks[task] for task in used if task in self.tasks]


def _tables(root: Path, info: DatasetInfo, notes: list[Problem]) -> Sequence[TableFile]:
    """The tables of a dataset; of those without a footer, the row groups that are whole."""
    files: list[TableFile] = []
    broken: list[Path] = []
    for path in sorted((root / "data").glob("*/*.parquet")):
        try:
            files.append(TableFile(path))
        except DatasetError as error:
            if {problem.code for problem in error.problems} == {"bad-parquet"}:
                broken.append(path)
            else:
                notes += [replace(problem, severity="warning") for problem in error.problems]
    schema = files[0].file.schema_arrow if files else data_schema(info.features, {}, {})
    widths = {
        name: int(np.prod(feature.shape))
        for name, feature in info.features.items()
        if is_numeric(feature.dtype)
    }
    for path in broken:
        try:
            found = salvage(path, schema, widths, _counts_up)
            file = TableFile(path, pq.ParquetFile(io.BytesIO(found.data)))
            for start in range(0, file.rows, file.batch_rows):  # every page of it can be unpacked
                file.read(start, min(start + file.batch_rows, file.rows), file.columns)
        except DatasetError as error:
            notes += [replace(problem, severity="warning") for problem in error.problems]
            continue
        files.append(file)
        message = (
            f"no footer; {count(file.rows, 'row')} in the first {found.kept} of {found.size} bytes are whole"
        )
        notes.append(Problem("bad-parquet", message, str(path), severity="warning"))
    return sorted(files, key=lambda file: file.path)


def _counts_up(rows: pa.Table) -> bool:
    """Whether rows can be a row group: ``index`` counts them one by one."""
    if layout.INDEX not in rows.column_names:
        return True
    return bool((np.diff(whole_numbers(rows[layout.INDEX], layout.INDEX)) == 1).all())


def _add_episodes(file: TableFile, found: dict[int, FoundEpisode], lost: dict[int, Reason]) -> None:
    """The episodes of a table whose rows count 0, 1, 2, ... and stand in one place."""
    names = [layout.EPISODE_INDEX, layout.FRAME_INDEX, layout.INDEX]
    if lacking := [name for name in names if name not in file.columns]:
        message = f"no column {', '.join(map(repr, lacking))}, by which episodes could be told apart"
        raise DatasetError(Problem("missing-column", message, str(file.path)))
    table = file.read(0, file.rows, names)
    frames, index = (
        whole_numbers(table[name], f"{file.path}: column {name!r}")
        for name in (layout.FRAME_INDEX, layout.INDEX)
    )
    for episode, runs in file.episode_ranges().items():
        rows = runs[0]
        count_up = np.arange(rows.stop - rows.start)
        first = int(index[rows.start])
        whole = np.array_equal(frames[rows.start : rows.stop], count_up) and np.array_equal(
            index[rows.start : rows.stop], first + count_up
        )
        if episode in found or len(runs) > 1:
            lost[episode] = Reason("scattered-episode", "the rows stand in several places", str(file.path))
        elif episode < 0 or not whole:
            text = "frame_index or index do not count its rows one by one"
            lost[episode] = Reason("frame-order", text, str(file.path))
        else:
            found[episode] = FoundEpisode(file, rows, first)
