"""Locates the episodes of a v3.0 dataset in its videos, by the episodes table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.info import DatasetInfo
from lerobot_grasp_plugin.dataset.tables import index_numbers
from lerobot_grasp_plugin.findings.problem import DatasetError, Place, Problem, column_of


class VideoPlaces:
    """The video file and start time of each episode, of each camera.

    Args:
        location: The dataset.
        info: Its ``info.json``.
        table: The columns ``videos/...`` of the episodes table.
        spread: Gives a column of the table by ``episode_index``.
        warnings: Collects warnings.
    """

    def __init__(
        self,
        location: Location,
        info: DatasetInfo,
        table: pa.Table,
        spread: Callable[[NDArray[Any]], NDArray[Any]],
        warnings: list[Problem],
    ) -> None:
        self._location = location
        self._root = location.root
        self._info = info
        self._table = table
        self._spread = spread
        self._warnings = warnings
        self._videos: dict[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = {}
        self._paths: dict[tuple[str, int, int], Path] = {}

    def path_of(self, episode: int, video_key: str) -> Path:
        """The file with the frames of an episode."""
        chunks, files, _ = self.columns(video_key)
        key = (video_key, int(chunks[episode]), int(files[episode]))
        if key not in self._paths:
            self._paths[key] = self._find_video(*key)
        return self._paths[key]

    def _find_video(self, video_key: str, chunk: int, file: int) -> Path:
        """The video by video_path, or else by the format's own path."""
        template = self._info.video_path or layout.VIDEO_PATH
        values: dict[str, str | int] = {"video_key": video_key, "chunk_index": chunk, "file_index": file}
        links = self._location.links
        path = layout.fill_template(self._root, template, setting="video_path", links=links, **values)
        if path.is_file() or self._location.fetch is not None:
            return path
        own = layout.fill_template(self._root, layout.VIDEO_PATH, setting="video_path", links=links, **values)
        if own == path or not own.is_file():
            return path
        place = Place(str(self._root / layout.INFO_PATH), field="video_path")
        if not any(problem.place == place for problem in self._warnings):
            message = (
                f"video_path leads to {path}, which does not exist; the videos are at the format's own path"
            )
            hint = f"LeRobot cannot read them; set it to {layout.VIDEO_PATH}"
            self._warnings.append(Problem("template-mismatch", message, place, hint))
        return own

    def columns(self, video_key: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Chunk index, file index and from_timestamp of every episode, of one camera."""
        if video_key not in self._videos:
            table = self._root / layout.EPISODES_DIR
            names = [f"videos/{video_key}/{each}" for each in ("chunk_index", "file_index", "from_timestamp")]
            chunks, files = (index_numbers(self._table[name], column_of(table, name)) for name in names[:2])
            try:
                starts = to_numpy(self._table[names[2]]).reshape(-1)
            except ValueError as error:
                raise DatasetError(Problem("bad-column", str(error), column_of(table, names[2]))) from None
            columns = (chunks, files, starts.astype(np.float64))
            self._videos[video_key] = (
                self._spread(columns[0]),
                self._spread(columns[1]),
                self._spread(columns[2]),
            )
        return self._videos[video_key]
