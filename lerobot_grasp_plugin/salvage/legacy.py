"""Reads the intact episodes of an interrupted recording of format v2.0 or v2.1, by its tables' rows.

These formats have a table and a video file per episode, so that every episode whose table and videos can be
read is intact, whether or not it is in the list of episodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import STATISTICS
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.info import DatasetInfo
from lerobot_grasp_plugin.dataset.json_lines import as_index, read_json_lines
from lerobot_grasp_plugin.dataset.losses import Reason, loss_problems
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.dataset.side_columns import unknown_of
from lerobot_grasp_plugin.dataset.v21 import LegacyReader
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.salvage.found_episodes import FoundEpisode, found_in, tasks_of, whole_tables
from lerobot_grasp_plugin.salvage.whole_episodes import Cameras, rescued_warnings


class SalvagedLegacyReader(LegacyReader):
    """The intact episodes of a v2.0 or v2.1 dataset, by its rows; see ``DatasetReader`` for the attributes.

    Args:
        location: Its place.
        info: Its ``info.json``.

    Raises:
        DatasetError: The list of tasks cannot be read, or no episode is intact.
    """

    def __init__(self, location: Location, info: DatasetInfo) -> None:
        for folder in ("data", "videos"):
            layout.check_links(location.root, folder, location.links)
        self._found: dict[int, FoundEpisode] = {}
        super().__init__(location, info)

    def data_path(self, episode: int) -> Path:
        return self._found[episode].rows.path

    def columns(self, episode: int) -> Sequence[str]:
        return self._found[episode].file.columns

    def read(self, episodes: Sequence[int], columns: Sequence[str]) -> Iterator[EpisodeBatch]:
        for episode in episodes:
            file, rows = self._found[episode].file, self._found[episode].rows
            present = [name for name in columns if name in file.columns]
            table = file.read(rows.start, rows.stop, present)
            yield EpisodeBatch([episode], [table.num_rows], table, rows.path)

    def stats(
        self, episodes: Sequence[int], features: Sequence[str], statistics: Sequence[str] = STATISTICS
    ) -> dict[str, dict[str, NDArray[Any]]]:
        try:
            return super().stats(episodes, features, statistics)
        except DatasetError:  # a line was cut off; they are computed from the rows
            return {}

    def schemas(self, episodes: Sequence[int]) -> Iterator[tuple[Path, pa.Schema]]:
        for episode in episodes:
            yield self.data_path(episode), self._found[episode].file.file.schema_arrow

    def own_files(self) -> set[Path]:
        return {*(self.root / "data").rglob("*.parquet"), *(self.root / "videos").rglob("*.mp4")}

    def _read_episodes(self) -> tuple[NDArray[Any], list[tuple[str, ...]], dict[int, Reason]]:
        notes: list[Problem] = []
        where = self.root
        self._found, lost = found_in(
            whole_tables(self.root, self.info, notes), self.info.total_episodes, where
        )
        listed = self._readable_lines()
        cameras = Cameras()
        for episode, found in self._found.items():
            if episode in listed and listed[episode].get("length") != found.length:
                length = listed[episode].get("length")
                text = f"{found.length} rows in the table, but {length} in {layout.LEGACY_EPISODES_PATH}"
                lost.setdefault(episode, Reason("wrong-length", text, found.rows.path))
            for video_key in self.info.video_keys:
                path = self._video_path(episode, video_key)
                if reason := cameras.check(path, video_key, found.length):
                    lost.setdefault(episode, reason)
        total = max([self.info.total_episodes, *(episode + 1 for episode in (*self._found, *lost))])
        for episode in lost:
            self._found.pop(episode, None)
        if not self._found:
            raise DatasetError([*notes, *loss_problems(lost)])
        self._side = {
            episode: side
            for episode, entry in listed.items()
            if episode in self._found and (side := unknown_of(entry))
        }
        rows = sum(found.length for found in self._found.values())
        source = "episodes are defined by the rows of the tables"
        self.warnings += [*notes, *rescued_warnings(rows, lost, len(self._found), where, source)]
        lengths = np.zeros(total, dtype=np.int64)
        tasks: list[tuple[str, ...]] = [()] * total
        for episode, found in self._found.items():
            lengths[episode] = found.length
            tasks[episode] = tuple(tasks_of(found, self.tasks))
        return lengths, tasks, lost

    def _readable_lines(self) -> dict[int, dict[str, Any]]:
        """The entries of the list of episodes, up to a line that cannot be read."""
        entries: dict[int, dict[str, Any]] = {}
        with suppress(DatasetError):
            for entry in read_json_lines(self.root / layout.LEGACY_EPISODES_PATH):
                episode = as_index(entry.get("episode_index"))
                if isinstance(episode, int):
                    entries[episode] = {**entry, "length": as_index(entry.get("length"))}
        return entries
