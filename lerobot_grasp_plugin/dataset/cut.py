"""A dataset that also has parts of its episodes as episodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import STATISTICS
from lerobot_grasp_plugin.core.timeline import exact_fps, moved_stamps
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import from_numpy, to_numpy
from lerobot_grasp_plugin.dataset.cut_columns import cut_language, cut_side_columns, uncut_columns
from lerobot_grasp_plugin.dataset.index_table import IndexTable
from lerobot_grasp_plugin.dataset.reader import DatasetReader, EpisodeBatch, VideoSpan
from lerobot_grasp_plugin.dataset.tables import index_numbers
from lerobot_grasp_plugin.findings.problem import Problem, column_of


@dataclass(frozen=True, slots=True)
class Part:
    """Frames ``start, start + 1, ..., stop - 1`` of an episode.

    Attributes:
        episode: ``episode_index`` in the dataset.
        start: First frame, 0-based.
        stop: The frame after the last one; not past the end of the episode.
    """

    episode: int
    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.stop - self.start


class CutReader:
    """A dataset and parts of its episodes; see ``DatasetReader``.

    The episodes of the dataset keep their numbers. The parts have the numbers after them and are read as
    episodes: ``frame_index`` and ``timestamp`` begin at 0, and so do frame numbers and times elsewhere.

    Args:
        reader: The dataset.
        parts: The parts; the first one is episode ``len(reader.lengths)``.

    Attributes:
        parts: The parts by their numbers.
    """

    def __init__(self, reader: DatasetReader, parts: Sequence[Part]) -> None:
        self._reader = reader
        self.parts: Mapping[int, Part] = dict(enumerate(parts, start=len(reader.lengths)))
        self.location = reader.location
        self.repo_id = reader.repo_id
        self.root = reader.root
        self.info = reader.info
        self.tasks = reader.tasks
        self.lost = reader.lost
        self.warnings = reader.warnings
        own = np.asarray(reader.lengths, dtype=np.int64)
        self.lengths: NDArray[Any] = np.concatenate([own, np.array([p.length for p in parts], np.int64)])

    def _own(self, episode: int) -> int:
        """The episode of the dataset that an episode number stands for, or is a part of."""
        return self.parts[episode].episode if episode in self.parts else episode

    def _owns(self, episodes: Sequence[int]) -> list[int]:
        return list(dict.fromkeys(map(self._own, episodes)))

    def episode_tasks(self, episode: int) -> tuple[str, ...]:
        return self._reader.episode_tasks(self._own(episode))

    def data_path(self, episode: int) -> Path:
        return self._reader.data_path(self._own(episode))

    def data_bytes(self, episode: int) -> int:
        own = self._own(episode)
        return self._reader.data_bytes(own) * int(self.lengths[episode]) // max(1, int(self.lengths[own]))

    def columns(self, episode: int) -> Sequence[str]:
        return self._reader.columns(self._own(episode))

    def video_span(self, episode: int, video_key: str) -> VideoSpan:
        span = self._reader.video_span(self._own(episode), video_key)
        if episode not in self.parts:
            return span
        later = Fraction(self.parts[episode].start) / exact_fps(self.info.fps)
        return VideoSpan(span.path, float(Fraction(span.from_timestamp) + later))

    def require(self, episodes: Sequence[int], video_keys: Sequence[str]) -> None:
        self._reader.require(self._owns(episodes), video_keys)

    def read(self, episodes: Sequence[int], columns: Sequence[str]) -> Iterator[EpisodeBatch]:
        for is_part, group in groupby(episodes, key=self.parts.__contains__):
            numbers = list(group)
            done = 0
            for batch in self._reader.read([self._own(number) for number in numbers], columns):
                mine = numbers[done : done + len(batch.episodes)]
                done += len(mine)
                yield self._cut(batch, mine) if is_part else batch

    def _cut(self, batch: EpisodeBatch, numbers: Sequence[int]) -> EpisodeBatch:
        """The rows of parts, from those of their episodes."""
        parts = [self.parts[number] for number in numbers]
        firsts = np.cumsum([0, *batch.lengths[:-1]]).tolist()
        table = pa.concat_tables(
            batch.table.slice(first + part.start, part.length)
            for first, part in zip(firsts, parts, strict=True)
        )
        lengths = [part.length for part in parts]
        starts = np.repeat(np.array([part.start for part in parts], np.int64), lengths)
        frames = np.concatenate([np.arange(length, dtype=np.int64) for length in lengths])
        for position, name in enumerate(table.column_names):
            column = table[name]
            if name == layout.FRAME_INDEX:
                own = index_numbers(column, column_of(batch.path, name))
                table = table.set_column(position, name, from_numpy(own - starts))
            elif name == layout.TIMESTAMP:
                with suppress(ValueError):  # the writer corrects columns without numbers
                    moved = moved_stamps(to_numpy(column).reshape(-1), frames, starts, self.info.fps)
                    table = table.set_column(position, name, from_numpy(moved))
            elif self._is_language(name):
                ends = np.repeat(np.array(lengths, np.int64), lengths)
                moved_rows = cut_language(column, starts, ends, self.info.fps)
                table = table.set_column(position, name, moved_rows)
        return replace(batch, episodes=list(numbers), lengths=lengths, table=table)

    def _is_language(self, name: str) -> bool:
        return name in self.info.features and self.info.features[name].dtype == "language"

    def side_columns(self, episodes: Sequence[int]) -> pa.Table | None:
        table = self._reader.side_columns([self._own(episode) for episode in episodes])
        parts = [self.parts.get(episode) for episode in episodes]
        if table is None or not any(parts):
            return table
        if uncut := uncut_columns(table.column_names):
            names = ", ".join(map(repr, uncut))
            message = f"{self.repo_id}: parts of episodes keep the whole episode's values in {names}"
            problem = Problem("column-not-cut", message, self.root / layout.EPISODES_DIR)
            self.warnings += [problem] if problem not in self.warnings else []
        spans = [None if part is None else (part.start, part.stop) for part in parts]
        return cut_side_columns(table, spans, self.info.fps)

    def task_table(self) -> IndexTable:
        return self._reader.task_table()

    def schemas(self, episodes: Sequence[int]) -> Iterator[tuple[Path, pa.Schema]]:
        return self._reader.schemas(self._owns(episodes))

    def own_files(self) -> set[Path]:
        return self._reader.own_files()

    def stats(
        self, episodes: Sequence[int], features: Sequence[str], statistics: Sequence[str] = STATISTICS
    ) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """As in ``DatasetReader``; a part has its episode's values, and its share of the ``count``."""
        owns = [self._own(episode) for episode in episodes]
        found = self._reader.stats(owns, features, statistics)
        shares = (self.lengths[list(episodes)] / np.maximum(1, self.lengths[owns])).reshape(-1, 1)
        return {
            feature: {
                name: np.maximum(1, np.rint(values * shares)).astype(values.dtype)
                if name == "count"
                else values
                for name, values in own.items()
            }
            for feature, own in found.items()
        }
