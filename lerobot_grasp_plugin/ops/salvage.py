"""Reads what is whole of a recording that was broken off, as a dataset to take episodes from.

LeRobot writes the footer of a table and the list of episodes when a recording ends. Where it was killed, the
rows are in the pages of the tables, the episodes in the rows, and their places in the videos follow from
``index``, which counts the rows of all episodes as the videos of a camera count their frames.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lerobot_grasp_plugin.core.words import count
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.info import DatasetInfo, read_info
from lerobot_grasp_plugin.dataset.losses import MAX_UNLISTED, Reason, loss_problems
from lerobot_grasp_plugin.dataset.pages import salvage
from lerobot_grasp_plugin.dataset.reader import VideoSpan, open_located
from lerobot_grasp_plugin.dataset.tables import RowRange, TableFile, whole_numbers
from lerobot_grasp_plugin.dataset.v30 import V30Reader
from lerobot_grasp_plugin.errors import DatasetError, GraspError, Problem
from lerobot_grasp_plugin.video.probe import header
from lerobot_grasp_plugin.writers.data_schema import data_schema


def is_sound(location: Location) -> bool:
    """Whether every table of a dataset has a footer and every episode is listed."""
    try:
        reader = open_located(location)
        for path in sorted((location.root / "data").glob("*/*.parquet")):
            TableFile(path)
    except GraspError:
        return False
    return not reader.lost


@dataclass(frozen=True, slots=True)
class _Episode:
    """An episode by its rows; ``first`` is the ``index`` of its first row."""

    file: TableFile
    rows: RowRange
    first: int

    @property
    def length(self) -> int:
        return self.rows.stop - self.rows.start

    @property
    def after(self) -> int:
        return self.first + self.length


class SalvagedReader(V30Reader):
    """What is whole of a v3.0 dataset, by its rows; see ``DatasetReader`` for the attributes.

    Args:
        location: Where it is.

    Raises:
        DatasetError: It is of an older format, or nothing of it is whole.
    """

    def __init__(self, location: Location) -> None:
        layout.check_links(location.root, "meta")
        for folder in ("data", "videos"):
            layout.check_links(location.root, folder, location.links)
        info = read_info(location.root)
        if not info.is_v3:
            message = f"{info.codebase_version} has a table for each episode: a damaged one has no other"
            hint = 'leave damaged episodes out with episodes: "!2"'
            raise DatasetError(Problem("nothing-to-rescue", message, str(location.root), hint))
        self._spans: dict[str, dict[int, VideoSpan]] = {}
        self._found: dict[int, _Episode] = {}
        super().__init__(location, info)

    def video_span(self, episode: int, video_key: str) -> VideoSpan:
        return self._spans[video_key][episode]

    def _video_path(self, episode: int, video_key: str) -> Path:
        return self._spans[video_key][episode].path

    def side_columns(self, episodes: Sequence[int]) -> pa.Table | None:
        return None

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
        for video_key in self.info.video_keys:
            self._spans[video_key] = _spans(self.root, self.info, video_key, self._found, lost)
        for episode in lost:
            self._found.pop(episode, None)
        if not self._found:
            raise DatasetError([*notes, *loss_problems(lost)])
        rows = sum(episode.length for episode in self._found.values())
        saved = f"{count(len(self._found), 'episode')} with {count(rows, 'row')}"
        message = f"rescued: {saved}; the list of episodes is made of the rows"
        self.warnings += [*notes, Problem("rescued", message, where, severity="warning")]
        self.warnings += [
            replace(problem, message=f"lost: {problem.message}", hint="", severity="warning")
            for problem in loss_problems(lost)
        ]
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

    def _tasks_of(self, episode: _Episode) -> list[str]:
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
        except DatasetError:
            broken.append(path)
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


def _add_episodes(file: TableFile, found: dict[int, _Episode], lost: dict[int, Reason]) -> None:
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
            found[episode] = _Episode(file, rows, first)


def _closed_hole(order: Sequence[int], found: Mapping[int, _Episode]) -> int | None:
    """The first episode without rows over which ``index`` runs on; None without one."""
    for before, episode in pairwise(order):
        if episode > before + 1 and found[episode].first == found[before].after:
            return before + 1
    return order[0] - 1 if order and order[0] > 0 and found[order[0]].first == 0 else None


def _spans(
    root: Path, info: DatasetInfo, video_key: str, found: Mapping[int, _Episode], lost: dict[int, Reason]
) -> dict[int, VideoSpan]:
    """Where the episodes are in the videos of a camera; adds to ``lost`` those that are not.

    Raises:
        DatasetError: An episode would begin in one file and end in the next.
    """
    spans: dict[int, VideoSpan] = {}
    start = 0
    paths = sorted((root / "videos" / video_key).glob("*/*.mp4"))
    order = sorted(found, key=lambda episode: found[episode].first)
    for path in paths:
        try:
            frames = header(path).frames
        except GraspError:
            break  # how many frames it had, and so where the next file begins, is not known
        stop = start + frames
        for episode in order:
            rows = found[episode]
            if start <= rows.first and rows.after <= stop:
                spans[episode] = VideoSpan(
                    path, (rows.first - start) / info.fps, (rows.after - start) / info.fps
                )
            elif rows.first < stop < rows.after and path != paths[-1]:
                message = (
                    f"{count(frames, 'frame')}, and the rows of episode {episode} go past them into the next "
                    "file: which frame belongs to which row is not known"
                )
                raise DatasetError(Problem("video-rows", message, str(path)))
        start = stop
    where = str(root / "videos" / video_key)
    if (hole := _closed_hole(order, found)) is not None and start != found[order[-1]].after:
        message = f"`index` runs on over episode {hole}, which has no rows: which frames are its is not known"
        shifted = Reason("video-rows", message, where)
        late = [episode for episode in order if episode > hole]
        lost.update({episode: shifted for episode in late if episode not in lost})
        spans = {episode: span for episode, span in spans.items() if episode not in late}
    reason = Reason(
        "video-missing", f"the videos of {video_key!r} that can be read do not reach to its end", where
    )
    lost.update({episode: reason for episode in found if episode not in spans and episode not in lost})
    return spans
