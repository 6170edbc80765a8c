"""Reads format v3.0: several episodes per table and video file, episodes listed in parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.info import DatasetInfo
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch, VideoSpan
from lerobot_grasp_plugin.dataset.tables import RowRange, TableFile, read_batches, whole_numbers
from lerobot_grasp_plugin.errors import DatasetError, Problem


class V30Reader:
    """A v3.0 dataset. See ``DatasetReader`` for the attributes."""

    def __init__(self, location: Location, info: DatasetInfo) -> None:
        self.repo_id = location.repo_id
        self.root = location.root
        self.info = info
        self.warnings: list[Problem] = []
        self._location = location
        self.tasks: Mapping[int, str] = read_tasks_table(self.root / layout.TASKS_PATH)
        if list(self.tasks) != sorted(self.tasks):
            message = f"task_index runs {list(self.tasks)[:8]}; LeRobot takes a row's number for it"
            hint = "two readings differ, so nothing is taken from it; put the rows in order"
            raise DatasetError(Problem("task-numbering", message, str(self.root / layout.TASKS_PATH), hint))
        self._episode_files = self._list_episode_files()
        self._episodes = self._read_episodes()
        self.lengths = self._integers("length")
        self._videos: dict[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = {}
        self._bytes_per_row: dict[int, float] = {}
        self._file: tuple[TableFile, dict[int, RowRange]] | None = None

    def episode_tasks(self, episode: int) -> tuple[str, ...]:
        if "tasks" not in self._episodes.column_names:
            return ()
        return tuple(str(task) for task in self._episodes["tasks"][episode].as_py() or ())

    def data_bytes(self, episode: int) -> int:
        key = int(self._data_keys[episode])
        if key not in self._bytes_per_row:
            rows = int(self.lengths[self._data_keys == key].sum())
            self._bytes_per_row[key] = self._data_path(episode).stat().st_size / max(1, rows)
        return int(self._bytes_per_row[key] * int(self.lengths[episode]))

    def columns(self, episode: int) -> Sequence[str]:
        return self._open(self._data_path(episode))[0].columns

    def video_span(self, episode: int, video_key: str) -> VideoSpan:
        return VideoSpan(self._video_path(episode, video_key), float(self._video(video_key)[2][episode]))

    def require(self, episodes: Sequence[int], video_keys: Sequence[str]) -> None:
        wanted: dict[Path, None] = {}
        absent: list[Problem] = []
        index = np.asarray(episodes, dtype=np.int64)
        for key in np.unique(self._data_keys[index]).tolist():
            wanted[self._data_path(int(index[self._data_keys[index] == key][0]))] = None
        for video_key in video_keys:
            columns = [
                f"videos/{video_key}/{name}" for name in ("chunk_index", "file_index", "from_timestamp")
            ]
            lacking = [column for column in columns if column not in self._episodes.column_names]
            if lacking:
                message = f"camera {video_key!r} has no column {', '.join(map(repr, lacking))}"
                absent.append(Problem("missing-column", message, str(self.root / layout.EPISODES_DIR)))
                continue
            wanted.update(dict.fromkeys(self._video_path(episode, video_key) for episode in episodes))
        if self._location.fetch is not None and not absent:
            self._location.fetch(path.relative_to(self.root).as_posix() for path in wanted)
        absent += [layout.missing(path) for path in wanted if not path.is_file()]
        if absent:
            raise DatasetError(absent)

    def read(self, episodes: Sequence[int], columns: Sequence[str]) -> Iterator[EpisodeBatch]:
        def present(file: TableFile) -> list[str]:
            return [name for name in columns if name in file.columns]

        for batch, lengths, table, path in read_batches(episodes, self._locate, present):
            yield EpisodeBatch(batch, lengths, table, path)

    def stats(self, episodes: Sequence[int], features: Sequence[str]) -> dict[str, dict[str, NDArray[Any]]]:
        wanted: dict[str, tuple[str, str]] = {}
        for name in self._stats_columns:
            _, rest = name.split("/", 1)
            feature, _, statistic = rest.rpartition("/")
            if feature in features:
                wanted[name] = (feature, statistic)
        result: dict[str, dict[str, NDArray[Any]]] = {}
        if not wanted:
            return result
        rows = np.asarray(episodes, dtype=np.int64)
        table = self._read_episode_columns(list(wanted))
        for name, (feature, statistic) in wanted.items():
            with suppress(ValueError):
                result.setdefault(feature, {})[statistic] = to_numpy(table[name])[rows]
        return result

    # -- episodes table ---------------------------------------------------------------------------

    def _list_episode_files(self) -> list[Path]:
        paths = sorted((self.root / layout.EPISODES_DIR).glob("*/*.parquet"))
        if not paths:
            hint = "a recording that was interrupted lacks it; finalize() writes it"
            where = str(self.root / layout.EPISODES_DIR)
            raise DatasetError(Problem("missing-episodes-table", "no episode is listed", where, hint))
        return paths

    def _read_episode_columns(self, columns: Sequence[str]) -> pa.Table:
        tables = []
        for path in self._episode_files:
            file = TableFile(path)
            tables.append(file.read(0, file.rows, [name for name in columns if name in file.columns]))
        return pa.concat_tables(tables, promote_options="permissive")

    def _read_episodes(self) -> pa.Table:
        where = str(self.root / layout.EPISODES_DIR)
        names = TableFile(self._episode_files[0]).columns
        self._stats_columns = [name for name in names if name.startswith("stats/")]
        needed = ["episode_index", "length", "data/chunk_index", "data/file_index"]
        lacking = [name for name in needed if name not in names]
        if lacking:
            raise DatasetError(
                Problem(
                    "missing-column",
                    f"the episodes table has no column {', '.join(map(repr, lacking))}",
                    where,
                    f"a v3.0 dataset has {', '.join(needed)}; LeRobot cannot read it without them",
                )
            )
        table = self._read_episode_columns([name for name in names if not name.startswith("stats/")])
        indices = whole_numbers(table["episode_index"], f"{where}: column 'episode_index'")
        wrong = np.flatnonzero(indices != np.arange(len(indices)))
        if len(wrong):
            row = int(wrong[0])
            message = f"row {row} lists episode {indices[row]}; LeRobot takes row {row} for episode {row}"
            raise DatasetError(Problem("episode-numbering", message, where))
        chunk = whole_numbers(table["data/chunk_index"], f"{where}: column 'data/chunk_index'")
        file = whole_numbers(table["data/file_index"], f"{where}: column 'data/file_index'")
        self._data_keys = chunk * (1 << 32) + file
        if len(indices) != self.info.total_episodes:
            message = f"{len(indices)} episodes are listed, info.json says {self.info.total_episodes}"
            raise DatasetError(Problem("wrong-total", message, where))
        return table

    def _integers(self, column: str) -> NDArray[Any]:
        where = f"{self.root / layout.EPISODES_DIR}: column {column!r}"
        values = whole_numbers(self._episodes[column], where)
        if values.size and int(values.min()) < 1:
            raise DatasetError(Problem("empty-episode", "an episode has no frames", where))
        return values

    # -- files ------------------------------------------------------------------------------------

    def _data_path(self, episode: int) -> Path:
        chunk, file = divmod(int(self._data_keys[episode]), 1 << 32)
        return layout.fill_template(
            self.root, self.info.data_path, setting="data_path", chunk_index=chunk, file_index=file
        )

    def _video_path(self, episode: int, video_key: str) -> Path:
        chunks, files, _ = self._video(video_key)
        template = self.info.video_path or layout.VIDEO_PATH
        return layout.fill_template(
            self.root,
            template,
            setting="video_path",
            video_key=video_key,
            chunk_index=int(chunks[episode]),
            file_index=int(files[episode]),
        )

    def _video(self, video_key: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Chunk index, file index and from_timestamp of every episode, of one camera."""
        if video_key not in self._videos:
            where = f"{self.root / layout.EPISODES_DIR}: camera {video_key!r}: "
            chunks, files = (
                whole_numbers(self._episodes[f"videos/{video_key}/{name}"], where + name)
                for name in ("chunk_index", "file_index")
            )
            try:
                starts = to_numpy(self._episodes[f"videos/{video_key}/from_timestamp"]).reshape(-1)
            except ValueError as error:
                message = f"from_timestamp: {error}"
                raise DatasetError(Problem("bad-column", message, where)) from None
            self._videos[video_key] = (chunks, files, starts.astype(np.float64))
        return self._videos[video_key]

    def _open(self, path: Path) -> tuple[TableFile, dict[int, RowRange]]:
        if self._file is None or self._file[0].path != path:
            file = TableFile(path)
            self._file = (file, file.episode_rows())
            strange = [episode for episode in self._file[1] if not 0 <= episode < len(self.lengths)]
            if strange:
                message = f"it has rows of episodes {strange[:5]}, which the episodes table does not list"
                problem = Problem("unlisted-rows", message, str(path), severity="warning")
                if problem not in self.warnings:
                    self.warnings.append(problem)
        return self._file

    def _locate(self, episode: int) -> tuple[TableFile, RowRange]:
        path = self._data_path(episode)
        file, ranges = self._open(path)
        rows = ranges.get(episode)
        length = int(self.lengths[episode])
        if rows is None:
            message = f"episode {episode} has no rows here, the episodes table says {length}"
            raise DatasetError(Problem("missing-rows", message, str(path)))
        if rows.stop - rows.start != length:
            message = f"episode {episode} has {rows.stop - rows.start} rows, the episodes table says {length}"
            raise DatasetError(Problem("wrong-length", message, str(path)))
        return file, rows


def read_tasks_table(path: Path) -> dict[int, str]:
    """``meta/tasks.parquet`` as task_index -> sentence, in the order of its rows; see ``task_rows``."""
    return dict(task_rows(path))


def task_rows(path: Path) -> list[tuple[int, str]]:
    """task_index and sentence of each row of ``meta/tasks.parquet``.

    The sentences are the pandas index, which is stored as ``task`` or ``__index_level_0__``.

    Raises:
        DatasetError: The table is missing or damaged, or has no such columns.
    """
    file = TableFile(path)
    table = file.read(0, file.rows, file.columns)
    texts = [
        name
        for name in ("task", "__index_level_0__", *table.column_names)
        if name in table.column_names and name != layout.TASK_INDEX
    ]
    if layout.TASK_INDEX not in table.column_names or not texts:
        message = f"expected the columns 'task' and 'task_index', found {table.column_names}"
        raise DatasetError(Problem("missing-column", message, str(path)))
    indices = whole_numbers(table[layout.TASK_INDEX], f"{path}: column 'task_index'")
    try:
        sentences = table[texts[0]].to_pylist()
    except UnicodeDecodeError as error:
        raise DatasetError(Problem("bad-column", f"{texts[0]!r}: {error}", str(path))) from None
    return list(zip(indices.tolist(), map(str, sentences), strict=True))
