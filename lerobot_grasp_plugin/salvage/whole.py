"""Reads the intact episodes of an interrupted recording, as a source dataset.

LeRobot writes the footer of a table and the list of episodes when a recording ends. Where it was killed, the
rows are in the pages of the tables, the episodes in the rows, and their places in the videos follow from
``index``, which counts the rows of all episodes as the videos of a camera count their frames.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import STATISTICS
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.info import DatasetInfo, read_info
from lerobot_grasp_plugin.dataset.losses import Reason, loss_problems, lost_error
from lerobot_grasp_plugin.dataset.opening import open_located
from lerobot_grasp_plugin.dataset.places import Places
from lerobot_grasp_plugin.dataset.reader import DatasetReader, VideoSpan
from lerobot_grasp_plugin.dataset.tables import RowRange, TableFile
from lerobot_grasp_plugin.dataset.v30 import V30Reader
from lerobot_grasp_plugin.findings.problem import DatasetError, GraspError, Problem
from lerobot_grasp_plugin.salvage.found_episodes import (
    FoundEpisode,
    found_in,
    spans_by_index,
    tasks_of,
    whole_tables,
)
from lerobot_grasp_plugin.salvage.legacy import SalvagedLegacyReader
from lerobot_grasp_plugin.salvage.whole_episodes import Cameras, lost_episodes, rescued_warnings


def open_whole(location: Location) -> DatasetReader:
    """A damaged dataset, with every incomplete episode marked as lost; a sound one as it is.

    If the list of episodes can be read and every table has a footer, the list defines the episodes.
    Otherwise the rows define them, and the list, if any, gives the places of images and the statistics.

    Args:
        location: Where it is.

    Raises:
        DatasetError: No episode is intact.
    """
    if location.fetch is not None:
        location.fetch(["data/*", "videos/*"])
    try:
        listed = open_located(location)
    except GraspError:
        return _salvaged(location, None)
    tables = sorted((location.root / "data").glob("*/*.parquet"))
    if any(map(_has_no_footer, tables)) or (tables and _rows_of(location, listed.lost)):
        return _salvaged(location, listed)
    lost = lost_episodes(listed)
    kept = [episode for episode in range(len(listed.lengths)) if episode not in lost]
    if not kept:
        raise lost_error(lost, others=False)
    if lost:
        listed.lost = lost
        rows = int(listed.lengths[kept].sum())
        source = "episodes are defined by the list of episodes"
        listed.warnings += rescued_warnings(rows, lost, len(kept), location.root, source)
    return listed


def _salvaged(location: Location, listed: DatasetReader | None) -> DatasetReader:
    layout.check_links(location.root, "meta")
    info = read_info(location.root)
    return SalvagedReader(location, info, listed) if info.is_v3 else SalvagedLegacyReader(location, info)


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
    """The intact episodes of a v3.0 dataset, by its rows; see ``DatasetReader`` for the attributes.

    Args:
        location: Where it is.
        info: Its ``info.json``.
        listed: The same dataset by its list of episodes; None where that cannot be read.

    Raises:
        DatasetError: No episode is intact.
    """

    def __init__(self, location: Location, info: DatasetInfo, listed: DatasetReader | None = None) -> None:
        for folder in ("data", "videos"):
            layout.check_links(location.root, folder, location.links)
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
            message = "columns that LeRobot does not define are left out: not all episodes are listed"
            self.warnings.append(Problem("metadata-left-out", message, self.root / layout.EPISODES_DIR))
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
        tables = whole_tables(self.root, self.info, notes)
        where = self.root
        self._found, lost = found_in(tables, self.info.total_episodes, where)
        for episode, found in self._found.items():
            if self._listed is not None and self._in_list(episode):
                number = int(self._listed.lengths[episode])
                if number != found.length:
                    text = f"{found.length} rows in the table, but {number} in the episodes table"
                    lost.setdefault(episode, Reason("wrong-length", text, found.file.path))
        for video_key in self.info.video_keys:
            self._spans[video_key] = self._camera(video_key, lost)
        total = max([self.info.total_episodes, *(episode + 1 for episode in (*self._found, *lost))])
        for episode in lost:
            self._found.pop(episode, None)
        if not self._found:
            raise DatasetError([*notes, *loss_problems(lost)])
        rows = sum(episode.length for episode in self._found.values())
        source = "the list of episodes is rebuilt from the rows"
        self.warnings += [*notes, *rescued_warnings(rows, lost, len(self._found), where, source)]
        self.lost = lost
        numbers = sorted(self._found)
        self._row = np.full(total, -1, dtype=np.int64)
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
            "tasks": [tasks_of(self._found[episode], self.tasks) for episode in numbers],
            **dict.fromkeys(cameras, [0] * len(numbers)),
        }
        return pa.table(columns)

    def _camera(self, video_key: str, lost: dict[int, Reason]) -> dict[int, VideoSpan]:
        """Locates the episodes in the videos of a camera: by the list, or by ``index`` for unlisted ones."""
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
