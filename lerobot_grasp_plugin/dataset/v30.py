"""Reads format v3.0: several episodes per table and video file, episodes listed in parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import STATISTICS
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.arrow_types import joined_tables, own_metadata
from lerobot_grasp_plugin.dataset.column_metadata import left_out, metadata_of_columns
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.index_table import IndexTable, read_index_table
from lerobot_grasp_plugin.dataset.info import DatasetInfo
from lerobot_grasp_plugin.dataset.losses import Reason, lost_error, missing_files, refuse_lost, unlisted
from lerobot_grasp_plugin.dataset.places import Places
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch, VideoSpan
from lerobot_grasp_plugin.dataset.side_columns import is_known, selected, split_columns
from lerobot_grasp_plugin.dataset.tables import RowRange, TableFile, index_numbers, read_batches, read_whole
from lerobot_grasp_plugin.dataset.tasks_table import read_tasks_table
from lerobot_grasp_plugin.dataset.video_places import VideoPlaces
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, column_of
from lerobot_grasp_plugin.findings.words import agree, count, episodes_text


class V30Reader:
    """A v3.0 dataset. See ``DatasetReader`` for the attributes."""

    def __init__(self, location: Location, info: DatasetInfo) -> None:
        self.repo_id = location.repo_id
        self.root = location.root
        self.info = info
        self.warnings: list[Problem] = []
        self.lost: Mapping[int, Reason] = {}
        self.location = location
        self.tasks: Mapping[int, str] = read_tasks_table(self.root / layout.TASKS_PATH)
        self._episode_files = self._list_episode_files()
        self._episodes = self._read_episodes()
        self.lengths = self._lengths()
        self._places_in_videos = VideoPlaces(location, info, self._episodes, self._by_episode, self.warnings)
        self._bytes_per_row: dict[int, float] = {}
        self._file: tuple[TableFile, dict[int, list[RowRange]]] | None = None
        self._places = Places(location)
        self._moved: dict[int, Path] = {}
        self._paths: dict[int, Path] = {}
        self._required: Sequence[int] = ()

    def episode_tasks(self, episode: int) -> tuple[str, ...]:
        if "tasks" not in self._episodes.column_names:
            return ()
        tasks = self._episodes["tasks"][int(self._row[episode])].as_py() or ()
        return tuple(str(task) for task in ([tasks] if isinstance(tasks, str) else tasks))

    def data_bytes(self, episode: int) -> int:
        key = int(self._data_keys[episode])
        if key not in self._bytes_per_row:
            rows = int(self.lengths[self._data_keys == key].sum())
            self._bytes_per_row[key] = self.data_path(episode).stat().st_size / max(1, rows)
        return int(self._bytes_per_row[key] * int(self.lengths[episode]))

    def data_path(self, episode: int) -> Path:
        if episode in self._moved:
            return self._moved[episode]
        path = self._named_path(episode)
        if path.is_file() or not (places := self._places.of(episode)):
            return path
        return places[0].path

    def columns(self, episode: int) -> Sequence[str]:
        return self._open(self.data_path(episode))[0].columns

    def video_span(self, episode: int, video_key: str) -> VideoSpan:
        start = float(self._places_in_videos.columns(video_key)[2][episode])
        return VideoSpan(self._video_path(episode, video_key), start)

    def require(self, episodes: Sequence[int], video_keys: Sequence[str]) -> None:
        refuse_lost(self.lost, episodes)
        self._required = episodes
        tables = _grouped(episodes, self._named_path)
        absent: list[Problem] = []
        videos: dict[str, dict[Path, list[int]]] = {}
        for video_key in video_keys:
            columns = [
                f"videos/{video_key}/{name}" for name in ("chunk_index", "file_index", "from_timestamp")
            ]
            lacking = [column for column in columns if column not in self._episodes.column_names]
            if lacking:
                message = f"camera {video_key!r} has no column {', '.join(map(repr, lacking))}"
                absent.append(Problem("missing-column", message, self.root / layout.EPISODES_DIR))
                continue
            videos[video_key] = _grouped(episodes, partial(self._video_path, video_key=video_key))
        if self.location.fetch is not None and not absent:
            wanted = dict.fromkeys([*tables, *(path for paths in videos.values() for path in paths)])
            self.location.fetch(path.relative_to(self.root).as_posix() for path in wanted)
        lost = {path: those for path, those in tables.items() if not path.is_file()}
        absent += missing_files(self._not_elsewhere(lost), len(episodes), "table")
        for video_key, paths in videos.items():
            lost = {path: those for path, those in paths.items() if not path.is_file()}
            absent += missing_files(lost, len(episodes), f"video of camera {video_key!r}")
        if absent:
            raise DatasetError(absent)

    def _not_elsewhere(self, lost: Mapping[Path, Sequence[int]]) -> dict[Path, list[int]]:
        """The missing tables whose rows are in no other table."""
        gone: dict[Path, list[int]] = {}
        for path, episodes in lost.items():
            for episode in episodes:
                if not self._places.of(episode):
                    gone.setdefault(path, []).append(episode)
        if lost and not gone:
            path = next(iter(lost))
            message = (
                f"data_path leads to {path}, which does not exist; the rows are read from the tables in data/"
            )
            where, hint = self.root / layout.INFO_PATH, f"set it to {layout.DATA_PATH}"
            if self.info.data_path == layout.DATA_PATH:
                where, hint = self.root / layout.EPISODES_DIR, "merge and relabel write the correct path"
                message = (
                    f"the episodes table names {path}, which does not exist; the rows are in other tables"
                )
            self.warnings.append(Problem("template-mismatch", message, where, hint))
        return gone

    def read(self, episodes: Sequence[int], columns: Sequence[str]) -> Iterator[EpisodeBatch]:
        def present(file: TableFile) -> list[str]:
            return [name for name in columns if name in file.columns]

        for batch, lengths, table, path in read_batches(episodes, self._locate, present):
            yield EpisodeBatch(batch, lengths, table, path)

    def stats(
        self, episodes: Sequence[int], features: Sequence[str], statistics: Sequence[str] = STATISTICS
    ) -> dict[str, dict[str, NDArray[Any]]]:
        parts: dict[tuple[str, str], list[NDArray[Any]]] = {}
        files = [file for file in self._open_tables() if file.rows] if features else []
        for file in files:
            for feature in features:  # one by one: a table of a hundred columns takes much memory
                columns = {f"stats/{feature}/{each}": each for each in statistics}
                table = file.read(0, file.rows, [name for name in columns if name in file.columns])
                for name in table.column_names:
                    with suppress(ValueError):
                        parts.setdefault((feature, columns[name]), []).append(to_numpy(table[name]))
        result: dict[str, dict[str, NDArray[Any]]] = {}
        rows = self._row[np.asarray(episodes, dtype=np.int64)]
        for (feature, statistic), arrays in parts.items():
            if len(arrays) == len(files) and len({array.shape[1] for array in arrays}) == 1:
                result.setdefault(feature, {})[statistic] = np.concatenate(arrays)[rows]
        return result

    def side_columns(self, episodes: Sequence[int]) -> pa.Table | None:
        wanted, misleading = split_columns(self._episode_columns, self.info.features)
        if misleading:
            message = f"columns {misleading} belong to no feature in info.json and are left out"
            problem = Problem("metadata-left-out", message, self._episode_files[0])
            self.warnings += [problem] if problem not in self.warnings else []
        self.warnings += [problem for problem in self._left_out if problem not in self.warnings]
        metadata = self._episode_metadata
        if not wanted and not metadata:
            return None
        files = self._open_tables()
        tables = [
            file.read(0, file.rows, [name for name in wanted if name in file.columns]) for file in files
        ]
        joined = joined_tables(tables, [file.rows for file in files])
        rows = self._row[np.asarray(episodes, dtype=np.int64)]
        return selected(joined, rows.tolist()).replace_schema_metadata(metadata)

    def task_table(self) -> IndexTable:
        return read_index_table(self.root / layout.TASKS_PATH, layout.TASK_INDEX)

    def schemas(self, episodes: Sequence[int]) -> Iterator[tuple[Path, pa.Schema]]:
        index = np.asarray(episodes, dtype=np.int64)
        one_a_file = index[np.unique(self._data_keys[index], return_index=True)[1]].tolist()
        if not all(self._named_path(episode).is_file() for episode in one_a_file):
            one_a_file = episodes
        for path in dict.fromkeys(self.data_path(episode) for episode in one_a_file):
            yield path, TableFile(path).file.schema_arrow

    def own_files(self) -> set[Path]:
        listed = np.flatnonzero(self._row >= 0)
        one_a_file = listed[np.unique(self._data_keys[listed], return_index=True)[1]].tolist()
        found = {self._named_path(episode) for episode in one_a_file}
        if set((self.root / "data").glob("*/*.parquet")) - found:  # the list may name wrong files
            found |= {rows.path for episode in listed.tolist() for rows in self._ranges(episode)}
        for key in self.info.video_keys:
            with suppress(DatasetError, KeyError):
                chunks, files, _ = self._places_in_videos.columns(key)
                places = np.unique(np.stack([chunks, files]), axis=1, return_index=True)[1]
                found |= {self._video_path(episode, key) for episode in places.tolist()}
        return found

    # -- episodes table ---------------------------------------------------------------------------

    def _list_episode_files(self) -> list[Path]:
        paths = sorted((self.root / layout.EPISODES_DIR).glob("*/*.parquet"))
        if not paths:
            hint = "an interrupted recording lacks it; finalize() writes it"
            where = self.root / layout.EPISODES_DIR
            raise DatasetError(Problem("missing-episodes-table", "no episodes are listed", where, hint))
        return paths

    def _open_tables(self) -> list[TableFile]:
        """The files of the episodes table; not kept, because the footer of a long one takes 100 MB."""
        return [TableFile(path) for path in self._episode_files]

    def _read_episodes(self) -> pa.Table:
        where = self.root / layout.EPISODES_DIR
        files = self._open_tables()
        self._episode_columns = dict.fromkeys(name for file in files for name in file.columns)
        self._episode_metadata = own_metadata(files[0].file.schema_arrow)
        self._left_out: list[Problem] = []
        for each in files:
            columns = metadata_of_columns(each.file.schema_arrow)
            self._left_out += left_out(columns, "the episodes tables", each.path)
        names = files[0].columns
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
        known = [name for name in names if is_known(name, self.info.features)]
        table = read_whole(files, [name for name in known if not name.startswith("stats/")], where)
        indices = index_numbers(table["episode_index"], column_of(where, "episode_index"))
        wrong = np.flatnonzero(np.diff(indices, prepend=-1) < 1)
        if len(wrong):
            row = int(wrong[0])
            message = f"row {row} lists episode {indices[row]}; LeRobot reads row {row} as episode {row}"
            raise DatasetError(Problem("episode-numbering", message, where))
        claimed = self.info.total_episodes
        total, self.lost = unlisted(indices.tolist(), claimed, where, layout.EPISODES_DIR)
        if len(indices) > claimed:
            are = agree(len(indices), "is", "are")
            message = f"{count(len(indices), 'episode')} {are} listed, but info.json says {claimed}"
            self.warnings.append(Problem("wrong-total", message, where, severity="warning"))
        self._row = np.full(total, -1, dtype=np.int64)
        self._row[indices] = np.arange(len(indices))
        chunk = index_numbers(table["data/chunk_index"], column_of(where, "data/chunk_index"))
        file = index_numbers(table["data/file_index"], column_of(where, "data/file_index"))
        self._data_keys = self._by_episode(chunk * (1 << 32) + file)
        return table

    def _by_episode(self, values: NDArray[Any]) -> NDArray[Any]:
        """A column of the episodes table by ``episode_index``; 0 for episodes that are not listed."""
        spread = np.zeros(len(self._row), dtype=values.dtype)
        spread[self._row >= 0] = values
        return spread

    def _lengths(self) -> NDArray[Any]:
        where = column_of(self.root / layout.EPISODES_DIR, "length")
        lengths = self._by_episode(index_numbers(self._episodes["length"], where))
        reason = Reason("empty-episode", "no frames by the episodes table", where)
        empty = np.flatnonzero((lengths < 1) & (self._row >= 0))
        self.lost = {**self.lost, **dict.fromkeys(empty.tolist(), reason)}
        whole: NDArray[Any] = np.maximum(lengths, 0)
        return whole

    # -- files ------------------------------------------------------------------------------------

    def _named_path(self, episode: int) -> Path:
        """The table the episodes table names."""
        key = int(self._data_keys[episode])
        if key not in self._paths:
            chunk, file = divmod(key, 1 << 32)
            template, links = self.info.data_path, self.location.links
            self._paths[key] = layout.fill_template(
                self.root, template, setting="data_path", links=links, chunk_index=chunk, file_index=file
            )
        return self._paths[key]

    def _video_path(self, episode: int, video_key: str) -> Path:
        return self._places_in_videos.path_of(episode, video_key)

    def _open(self, path: Path) -> tuple[TableFile, dict[int, list[RowRange]]]:
        if self._file is None or self._file[0].path != path:
            file = TableFile(path)
            self._file = (file, file.episode_ranges())
            strange = [episode for episode in self._file[1] if not self._is_listed(episode)]
            if strange:
                message = f"it has rows of {episodes_text(strange)}, missing in the episodes table"
                problem = Problem("unlisted-rows", message, path, severity="warning")
                if problem not in self.warnings:
                    self.warnings.append(problem)
        return self._file

    def _is_listed(self, episode: int) -> bool:
        return 0 <= episode < len(self._row) and bool(self._row[episode] >= 0)

    def _locate(self, episode: int) -> tuple[TableFile, RowRange]:
        ranges = self._ranges(episode)
        if self._trouble(episode, ranges) is not None:
            episodes = dict.fromkeys([*self._required, episode])
            found = {each: self._trouble(each, self._ranges(each)) for each in episodes}
            raise lost_error({each: reason for each, reason in found.items() if reason})
        return self._open(ranges[0].path)[0], ranges[0]

    def _ranges(self, episode: int) -> list[RowRange]:
        """The rows of an episode in the file the episodes table names, else in any other."""
        path = self._named_path(episode)
        named = (self._file is not None and self._file[0].path == path) or path.is_file()
        ranges = self._open(path)[1].get(episode, []) if named else []
        if not ranges and (ranges := self._places.of(episode)) and named:
            self._note_moved(episode, ranges[0].path)
        return ranges

    def _note_moved(self, episode: int, path: Path) -> None:
        if episode in self._moved:
            return
        self._moved[episode] = path
        moved = episodes_text(self._moved)
        message = (
            f"the rows of {moved} are in other tables than listed in the episodes table; LeRobot loads them"
        )
        where, hint = self.root / layout.EPISODES_DIR, "the new dataset lists the right ones"
        self.warnings[:] = [problem for problem in self.warnings if problem.code != "wrong-file"]
        self.warnings.append(Problem("wrong-file", message, where, hint, severity="warning"))

    def _trouble(self, episode: int, ranges: Sequence[RowRange]) -> Reason | None:
        """Why the rows of an episode cannot be used; None if they can."""
        if not ranges:
            where = self._named_path(episode)
            return Reason("missing-rows", "listed in the episodes table, but no table has its rows", where)
        if len(ranges) > 1:
            return Reason("scattered-episode", "its rows are in several places", ranges[0].path)
        rows, length = ranges[0].stop - ranges[0].start, int(self.lengths[episode])
        if rows != length:
            text = f"{count(rows, 'row')} in the table, but {length} in the episodes table"
            return Reason("wrong-length", text, ranges[0].path)
        return None


def _grouped(episodes: Sequence[int], path_of: Callable[[int], Path]) -> dict[Path, list[int]]:
    """The episodes of each file."""
    groups: dict[Path, list[int]] = {}
    for episode in episodes:
        groups.setdefault(path_of(episode), []).append(episode)
    return groups
