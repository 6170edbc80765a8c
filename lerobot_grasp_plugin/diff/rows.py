"""Compares the rows of paired episodes, value by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.core.timeline import TOLERANCE_S
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.diff.columns import Column, Compared, as_numbers, row_bytes
from lerobot_grasp_plugin.diff.contents import Contents
from lerobot_grasp_plugin.diff.pairing import Pair
from lerobot_grasp_plugin.diff.report import EpisodeDiff, FeatureChange, Kind
from lerobot_grasp_plugin.diff.side import Names, Side

type _Rows = Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Compare:
    """Compares the episodes of pairs.

    Attributes:
        sides: A and B.
        contents: What they hold.
        compared: What is compared.
        names: The names that stand behind numbers.
    """

    sides: tuple[Side, Side]
    contents: tuple[Contents, Contents]
    compared: Compared
    names: Names

    def run(self, pairs: Sequence[Pair], progress: Progress) -> Iterator[EpisodeDiff]:
        """How the episodes of each pair differ.

        Raises:
            DatasetError: Rows cannot be read.
        """
        differing = {pair: self._differing(pair) for pair in pairs}
        asked = {name for names in differing.values() for name in names}
        columns = [column for column in self.compared.columns if column.name in asked]
        read = [pair for pair in pairs if any(column.name in differing[pair] for column in columns)]
        rows_a = self._episodes(0, [pair.a for pair in read], columns)
        rows_b = self._episodes(1, [pair.b for pair in read], columns)
        to_read, done = set(read), 0
        for pair in pairs:
            own: tuple[_Rows, _Rows] = ({}, {})
            if pair in to_read:
                own = (next(rows_a), next(rows_b))
                done += 1
                progress("comparing rows", done, len(read))
            yield self._compare(pair, differing[pair], own)

    def _differing(self, pair: Pair) -> list[str]:
        """Columns and cameras to compare: their hashes differ, or are of rows that only one has."""
        names = [column.name for column in self.compared.columns] + list(self.compared.cameras)
        a, b = self.contents
        if not a.lengths[pair.a] == b.lengths[pair.b] == pair.frames:
            return names
        return [name for name in names if a.hashes[name][pair.a] != b.hashes[name][pair.b]]

    def _episodes(self, number: int, episodes: Sequence[int], columns: Sequence[Column]) -> Iterator[_Rows]:
        """The rows of each episode, by column."""
        side = self.sides[number]
        for batch in side.read(episodes, [column.name for column in columns]):
            values = {column.name: row_bytes(column, side, batch, self.names) for column in columns}
            stops = np.cumsum(batch.lengths).tolist()
            for length, stop in zip(batch.lengths, stops, strict=True):
                yield {name: rows[stop - length : stop] for name, rows in values.items()}

    def _compare(self, pair: Pair, names: Sequence[str], rows: tuple[_Rows, _Rows]) -> EpisodeDiff:
        labels: dict[str, IntervalSet] = {}
        features: list[FeatureChange] = []
        tasks, timestamp = None, None
        spans = (
            slice(pair.from_a, pair.from_a + pair.frames),
            slice(pair.from_b, pair.from_b + pair.frames),
        )
        for name in names:
            is_video = name in self.compared.cameras
            one, other = self._images(pair, name) if is_video else (rows[0][name], rows[1][name])
            one, other = one[spans[0]], other[spans[1]]
            differs = _differ(one, other, name)
            if not differs.any():
                continue
            in_b = np.concatenate([np.zeros(pair.from_b, np.bool_), differs])
            change = FeatureChange(name, int(differs.sum()), int(np.argmax(in_b)), is_video)
            if name in self.compared.labels:
                labels[name] = IntervalSet.from_mask(in_b)
            elif name == layout.TASK_INDEX:
                tasks = (self._tasks(one), self._tasks(other))
            elif name == layout.TIMESTAMP:
                timestamp = change
            else:
                features.append(change)
        length_a, length_b = (
            int(contents.lengths[own]) for contents, own in zip(self.contents, (pair.a, pair.b), strict=True)
        )
        kind: Kind = "same" if pair.a == pair.b else "moved"
        span = None
        if pair.frames < length_a and pair.frames == length_b:
            kind, span = "cut", (pair.from_a, pair.from_a + pair.frames)
        elif pair.frames < length_b and pair.frames == length_a:
            kind, span = "extended", (pair.from_b, pair.from_b + pair.frames)
        elif features or length_a != length_b:
            kind = "changed"
        elif labels:
            kind = "relabelled"
        elif tasks is not None:
            kind = "retasked"
        return EpisodeDiff(kind, pair.a, pair.b, length_a, length_b, span, labels, tasks, features, timestamp)

    def _images(self, pair: Pair, camera: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        a, b = self.contents
        return (
            a.images[camera][a.starts[pair.a] : a.starts[pair.a + 1]],
            b.images[camera][b.starts[pair.b] : b.starts[pair.b + 1]],
        )

    def _tasks(self, rows: NDArray[np.uint8]) -> list[str]:
        """The tasks of rows, each once."""
        numbers = as_numbers(rows, np.int64)
        return [self.names.name(number) for number in dict.fromkeys(numbers.tolist())]


def _differ(one: NDArray[np.uint8], other: NDArray[np.uint8], name: str) -> NDArray[np.bool_]:
    """In which rows values differ, shape (rows,)."""
    if one.shape != other.shape:
        return np.ones(len(one), np.bool_)
    if name == layout.TIMESTAMP and one.shape[1]:
        before, after = as_numbers(one, np.float64), as_numbers(other, np.float64)
        same: NDArray[np.bool_] = np.isnan(before) & np.isnan(after)
        with np.errstate(invalid="ignore"):
            same |= np.abs(before - after) <= TOLERANCE_S
        return ~same
    differs: NDArray[np.bool_] = (one != other).any(axis=1)
    return differs
