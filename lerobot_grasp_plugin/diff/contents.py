"""What the episodes of a dataset hold, as hashes: of whole columns, and of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.content_hash import ContentHashes
from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.diff.columns import Compared, row_bytes
from lerobot_grasp_plugin.diff.side import Names, Side


@dataclass
class Contents:
    """The contents of a dataset.

    Attributes:
        lengths: Frames of each episode, int64, shape (episodes,).
        hashes: Column or camera -> content hash of each episode.
        steady: Content column -> whether all its rows are equal, of each episode.
        rows: Hash of the content columns of each row, int64, shape (rows,). Equal rows have equal ones;
            hashes of this run alone.
        images: Camera -> hash of the coded image of each row, uint8, shape (rows, 16).
    """

    lengths: NDArray[np.int64]
    hashes: dict[str, list[bytes]] = field(default_factory=dict)
    steady: dict[str, list[bool]] = field(default_factory=dict)
    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    images: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first row of each episode, and the number of rows, int64, shape (episodes + 1,)."""
        return np.concatenate([[0], np.cumsum(self.lengths)])

    def key(self, episode: int, names: Sequence[str]) -> tuple[bytes, ...]:
        """What is equal in episodes with equal columns and cameras of these names."""
        length = int(self.lengths[episode]).to_bytes(8)
        return (length, *(self.hashes[name][episode] for name in names))


def read_contents(side: Side, compared: Compared, names: Names, progress: Progress) -> Contents:
    """Reads every row of a dataset once.

    Args:
        side: The dataset.
        compared: What to read of it.
        names: Takes the names that stand behind numbers.
        progress: Called after each batch.

    Raises:
        DatasetError: Files are missing or damaged.
    """
    contents = Contents(np.asarray(side.reader.lengths, dtype=np.int64))
    parts: list[NDArray[np.int64]] = []
    step, done, total = f"reading rows of {side.letter}", 0, int(contents.lengths.sum())
    for batch in side.read(range(side.episodes), [column.name for column in compared.columns]):
        content: list[NDArray[np.uint8]] = []
        for column in compared.columns:
            values = row_bytes(column, side, batch, names)
            add_hashes(contents, column.name, values, batch.lengths)
            if column.is_content:
                content.append(values)
                contents.steady.setdefault(column.name, []).extend(_steady(values, batch.lengths))
        parts.append(_row_hashes(content, sum(batch.lengths)))
        done += sum(batch.lengths)
        progress(step, done, total)
    contents.rows = np.concatenate([contents.rows, *parts])
    return contents


def add_hashes(contents: Contents, name: str, values: NDArray[np.uint8], lengths: Sequence[int]) -> None:
    """Adds the content hash of a column of the next episodes.

    Args:
        contents: Takes the hashes.
        name: The column or camera.
        values: Its rows, one episode after the other, shape (rows, bytes).
        lengths: Rows of each episode.
    """
    hashes = ContentHashes(len(lengths))
    stops = np.cumsum(lengths).tolist()
    pieces = (values[stop - length : stop] for length, stop in zip(lengths, stops, strict=True))
    hashes.add(name, (np.ascontiguousarray(piece).tobytes() for piece in pieces))
    contents.hashes.setdefault(name, []).extend(map(bytes.fromhex, hashes.hexdigests()))


def _steady(values: NDArray[np.uint8], lengths: Sequence[int]) -> list[bool]:
    """Whether all rows of an episode are equal."""
    changes = np.zeros(len(values), dtype=np.int64)
    changes[1:] = (values[1:] != values[:-1]).any(axis=1)
    starts = np.cumsum([0, *lengths[:-1]])
    changes[starts] = 0
    steady: list[bool] = (np.add.reduceat(changes, starts) == 0).tolist()
    return steady


def _row_hashes(columns: Sequence[NDArray[np.uint8]], rows: int) -> NDArray[np.int64]:
    joined = np.hstack([np.empty((rows, 0), np.uint8), *columns])
    if not joined.shape[1]:
        return np.zeros(rows, np.int64)
    values = np.ascontiguousarray(joined).view(f"V{joined.shape[1]}").ravel()
    return np.fromiter(map(hash, values.tolist()), np.int64, rows)
