"""One interface to datasets of every readable version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import STATISTICS
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.index_table import IndexTable
from lerobot_grasp_plugin.dataset.info import DatasetInfo
from lerobot_grasp_plugin.dataset.losses import Reason
from lerobot_grasp_plugin.findings.problem import Problem


@dataclass(frozen=True, slots=True)
class VideoSpan:
    """The place of one episode's frames of one camera.

    Attributes:
        path: The video file.
        from_timestamp: Seconds into the file of frame 0 of the episode.
        to_timestamp: Seconds into the file at which the episode ends; None if the format does not say.
    """

    path: Path
    from_timestamp: float
    to_timestamp: float | None = None


@dataclass(frozen=True, slots=True)
class EpisodeBatch:
    """Rows of neighbouring episodes.

    Attributes:
        episodes: Episode indices, in order.
        lengths: Rows of each.
        table: All rows, one episode after the other.
        path: The file they came from.
    """

    episodes: Sequence[int]
    lengths: Sequence[int]
    table: pa.Table
    path: Path


class DatasetReader(Protocol):
    """A dataset that is only read.

    Attributes:
        location: Its place.
        repo_id: Its name, ``owner/name``; the folder's name by default.
        root: Its folder.
        info: ``meta/info.json``.
        tasks: Sentence of each ``task_index``.
        lengths: Rows of each episode by the metadata, int64, shape ``(episodes,)``; 0 for lost episodes.
        lost: The episodes that cannot be read, by ``episode_index``, with reasons.
        warnings: Findings that were worked around so far.
    """

    location: Location
    repo_id: str
    root: Path
    info: DatasetInfo
    tasks: Mapping[int, str]
    lengths: NDArray[Any]
    lost: Mapping[int, Reason]
    warnings: list[Problem]

    def episode_tasks(self, episode: int) -> tuple[str, ...]:
        """Sentences of the tasks of an episode."""

    def data_path(self, episode: int) -> Path:
        """The table with the episode's rows."""

    def data_bytes(self, episode: int) -> int:
        """Approximate bytes of the episode's rows in their file."""

    def columns(self, episode: int) -> Sequence[str]:
        """Names of the columns in the episode's file."""

    def video_span(self, episode: int, video_key: str) -> VideoSpan:
        """The place of the episode's frames of a camera."""

    def require(self, episodes: Sequence[int], video_keys: Sequence[str]) -> None:
        """Makes the files of these episodes available, and reports every missing one.

        Raises:
            DatasetError: Files are missing, or episodes are lost.
        """

    def read(self, episodes: Sequence[int], columns: Sequence[str]) -> Iterator[EpisodeBatch]:
        """Rows of episodes, in the given order; columns that a file lacks are left out.

        Raises:
            DatasetError: A file is damaged, or its rows differ from the metadata.
        """

    def side_columns(self, episodes: Sequence[int]) -> pa.Table | None:
        """Other columns of the list of episodes, a row for each given episode.

        Its schema has the metadata of the list. None where there are neither columns nor metadata.
        """

    def task_table(self) -> IndexTable:
        """The table of tasks, with all its columns."""

    def schemas(self, episodes: Sequence[int]) -> Iterator[tuple[Path, pa.Schema]]:
        """Schema of every file that holds rows of these episodes, each file once.

        Raises:
            DatasetError: A file is damaged.
        """

    def own_files(self) -> set[Path]:
        """Tables and videos of all episodes."""

    def stats(
        self, episodes: Sequence[int], features: Sequence[str], statistics: Sequence[str] = STATISTICS
    ) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """The stored statistics of each episode.

        Args:
            episodes: By ``episode_index``.
            features: By their names in the dataset.
            statistics: Which ones.

        Returns:
            feature -> statistic (``min``, ``q01``, ...) -> shape (episodes, values). A statistic that
            is missing or invalid for one of the episodes is left out.
        """
