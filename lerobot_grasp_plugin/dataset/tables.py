"""Reads rows of episodes from parquet files, in batches that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.findings.problem import NOWHERE, DatasetError, Place, Problem, column_of

BATCH_BYTES = 32 * 2**20
"""Approximate size (uncompressed) of a batch."""

MAX_GROUP_BYTES = 1024 * 2**20
"""Size in memory of the columns of a row group above which it is not read."""

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
"""Bytes of a value in memory, by its type in the file."""

_LFS_MARK = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class RowRange:
    """Rows ``[start, stop)`` of one parquet file."""

    path: Path
    start: int
    stop: int


def open_parquet(path: Path) -> pq.ParquetFile:
    """Opens a parquet file.

    Raises:
        DatasetError: It is missing, empty, a Git LFS pointer, or has no readable footer.
    """
    head = b""
    try:
        with path.open("rb") as file:
            head = file.read(len(_LFS_MARK))
        if not head:
            raise DatasetError(Problem("empty-file", "the file is empty (0 bytes)", path))
        if head == _LFS_MARK:
            hint = "fetch the real file with `git lfs pull`"
            raise DatasetError(Problem("lfs-pointer", "this is a Git LFS pointer, not a table", path, hint))
        return pq.ParquetFile(path)
    except FileNotFoundError:
        raise DatasetError(layout.missing(path)) from None
    except PermissionError as error:
        raise DatasetError(Problem("unreadable-file", str(error.strerror), path)) from None
    except IsADirectoryError:
        raise DatasetError(Problem("missing-file", "this is a folder, not a file", path)) from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        if path.name.startswith("._"):
            hint = "macOS leaves such files on disks that it copies to; remove it"
        elif head.startswith(b"\x1f\x8b"):
            hint = "the file is compressed with gzip; decompress it"
        elif not head.startswith(b"PAR1"):
            hint = "this is not a parquet file (perhaps a saved web page); download it again"
        else:
            hint = "an interrupted recording or copy leaves a file without a footer; copy or record it again"
        raise DatasetError(
            Problem("bad-parquet", f"not a readable parquet file: {reason}", path, hint)
        ) from None


class TableFile:
    """One parquet file, with the rows of each of its episodes.

    Args:
        path: The file.
        file: The recovered file to read instead, for a file without a footer.

    Attributes:
        path: The file.
        rows: Number of rows.
        columns: Names of its columns.
        size: Bytes.
        begins_empty: Whether its first row group has no rows.
    """

    def __init__(self, path: Path, file: pq.ParquetFile | None = None) -> None:
        self.path = path
        self.file = open_parquet(path) if file is None else file
        meta = self.file.metadata
        self.rows: int = meta.num_rows
        self.columns: list[str] = self.file.schema_arrow.names
        self.size: int = path.stat().st_size
        twice = [name for name in dict.fromkeys(self.columns) if self.columns.count(name) > 1]
        if twice:
            message = f"the column {twice[0]!r} occurs twice or more"
            hint = "LeRobot cannot load it; write the table again with the right one"
            raise DatasetError(Problem("duplicate-column", message, path, hint))
        self._check_sizes()
        counts = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        self.begins_empty = counts[:1] == [0]
        self._group_starts = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        self._raw_size: int = sum(
            meta.row_group(group).total_byte_size for group in range(meta.num_row_groups)
        )
        self._cache: tuple[tuple[int, int, tuple[str, ...]], pa.Table] | None = None

    def _check_sizes(self) -> None:
        """Refuses a footer that contradicts itself, before anything is allocated by it."""
        meta = self.file.metadata
        counts = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        if any(count < 0 for count in counts) or sum(counts) != self.rows:
            message = f"the footer has {self.rows} rows, but its row groups {sum(counts)}"
            raise DatasetError(Problem("bad-parquet", message, self.path))

    def _batch_rows(self, groups: Sequence[int], columns: Sequence[str]) -> int:
        """Number of rows to read at a time, by the footer; 0 for all at once.

        A text in a dictionary can occur in every row, so that a few bytes become many.

        Raises:
            DatasetError: A row group would not fit into memory.
        """
        meta = self.file.metadata
        wanted = [
            number
            for number in range(meta.num_columns)
            if meta.schema.column(number).path.partition(".")[0] in columns
        ]
        longest = 0
        for group in groups:
            total, row_group = 0, meta.row_group(group)
            for number in wanted:
                column = row_group.column(number)
                width = _WIDTHS.get(column.physical_type, 0)
                size, count = column.total_uncompressed_size, column.num_values
                if (
                    not width
                    and size * count > MAX_GROUP_BYTES
                    and any("DICTIONARY" in encoding for encoding in column.encodings)
                ):
                    longest = max(longest, size)
                total += max(size, count * width)
            if total > MAX_GROUP_BYTES:
                message = (
                    f"row group {group} needs {total} bytes in memory, more than the limit of "
                    f"{MAX_GROUP_BYTES}"
                )
                raise DatasetError(Problem("too-large", message, self.path, "write smaller row groups"))
        return max(1, BATCH_BYTES // longest) if longest else 0

    def _groups(self, groups: list[int], columns: Sequence[str]) -> pa.Table:
        names = list(columns)
        rows = self._batch_rows(groups, names)
        if not rows:
            return self.file.read_row_groups(groups, columns=names, use_threads=False)
        batches, total = [], 0
        for batch in self.file.iter_batches(rows, row_groups=groups, columns=names, use_threads=False):
            batches.append(batch)
            total += batch.nbytes
            if total > MAX_GROUP_BYTES:
                message = f"its texts need more than {MAX_GROUP_BYTES} bytes in memory"
                raise DatasetError(Problem("too-large", message, self.path, "write smaller row groups"))
        empty = self.file.schema_arrow.empty_table().select(names).schema
        return pa.Table.from_batches(batches, batches[0].schema if batches else empty)

    @property
    def batch_rows(self) -> int:
        """Number of rows of about ``BATCH_BYTES``."""
        return max(1, BATCH_BYTES * max(1, self.rows) // max(1, self._raw_size))

    def episode_ranges(self) -> dict[int, list[RowRange]]:
        """Every run of rows of each episode, by the ``episode_index`` column.

        Raises:
            DatasetError: The column is missing or does not hold indices.
        """
        if layout.EPISODE_INDEX not in self.columns:
            raise DatasetError(Problem("missing-column", "column 'episode_index' is missing", self.path))
        table = self.read(0, self.rows, [layout.EPISODE_INDEX])
        indices = index_numbers(table.column(0), column_of(self.path, "episode_index"))
        changes = np.flatnonzero(indices[1:] != indices[:-1]) + 1
        starts = [0, *changes.tolist()] if len(indices) else []
        stops = [*starts[1:], len(indices)] if starts else []
        ranges: dict[int, list[RowRange]] = {}
        for start, stop in zip(starts, stops, strict=True):
            ranges.setdefault(int(indices[start]), []).append(RowRange(self.path, start, stop))
        return ranges

    def holds_only(self, episode: int) -> bool:
        """Whether no row is of another episode, by the rows.

        Raises:
            DatasetError: The file is damaged, or the column ``episode_index`` does not hold indices.
        """
        if layout.EPISODE_INDEX not in self.columns:
            return True
        meta = self.file.metadata
        groups = [meta.row_group(number) for number in range(meta.num_row_groups)]
        leaves = [meta.schema.column(number).path for number in range(meta.num_columns)]
        at = leaves.index(layout.EPISODE_INDEX) if layout.EPISODE_INDEX in leaves else None
        footer = [] if at is None else [group.column(at).statistics for group in groups]
        known = [each for each in footer if each is not None and each.has_min_max]
        if known and len(known) == len(footer):
            return all(each.min == each.max == episode for each in known)
        return self.episode_ranges().keys() <= {episode}

    def read(self, start: int, stop: int, columns: Sequence[str]) -> pa.Table:
        """Rows ``[start, stop)`` of the named columns.

        Raises:
            DatasetError: The file is damaged.
        """
        first = int(np.searchsorted(self._group_starts, start, side="right")) - 1
        last = int(np.searchsorted(self._group_starts, stop, side="left"))
        key = (first, last, tuple(columns))
        if self._cache is None or self._cache[0] != key:
            self._cache = None
            try:
                groups = list(range(first, max(first, last)))
                table = self._groups(groups, columns)
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                reason = str(error).splitlines()[0]
                raise DatasetError(
                    Problem("bad-parquet", f"its rows cannot be read: {reason}", self.path)
                ) from None
            self._cache = (key, table)
        offset = start - int(self._group_starts[first])
        return self._cache[1].slice(offset, stop - start)


def index_numbers(column: pa.ChunkedArray[Any] | pa.Array[Any], place: Place = NOWHERE) -> NDArray[Any]:
    """An index column as int64, whatever number type it was written with.

    Raises:
        DatasetError: It contains nulls, fractions or other values.
    """
    try:
        values = to_numpy(column)
        if values.ndim != 2 or (values.size and values.shape[1] != 1):
            raise ValueError("it has several values per row")
        values = values.reshape(-1)
        with np.errstate(invalid="ignore"):
            result = values.astype(np.int64)
        if values.dtype.kind == "f" and not np.array_equal(result, values):
            raise ValueError("it has values that are not integers")
        return result
    except (ValueError, pa.ArrowException) as error:
        raise DatasetError(Problem("bad-index-column", f"not an index column: {error}", place)) from None


def read_whole(files: Sequence[TableFile], columns: Sequence[str], path: Path) -> pa.Table:
    """Columns of several files as one table; null in the rows of a file that lacks one.

    Raises:
        DatasetError: A file is damaged, or a column has incompatible types.
    """
    parts = [file.read(0, file.rows, [name for name in columns if name in file.columns]) for file in files]
    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowException as error:
        message = f"its files have columns of incompatible types: {error}"
        raise DatasetError(Problem("episodes-columns", message, path)) from None


def read_batches(
    episodes: Sequence[int],
    locate: Callable[[int], tuple[TableFile, RowRange]],
    columns: Callable[[TableFile], Sequence[str]],
) -> Iterator[tuple[list[int], list[int], pa.Table, Path]]:
    """Rows of episodes in the given order, neighbours in a file read together.

    Args:
        episodes: Episode indices of one dataset.
        locate: The file and rows of an episode.
        columns: Which columns to read from a file.

    Yields:
        The batch's episode indices, their lengths, their rows one after the other, and the file.
    """
    batch: list[int] = []
    lengths: list[int] = []
    current: tuple[TableFile, int, int] | None = None
    for episode in episodes:
        file, rows = locate(episode)
        length = rows.stop - rows.start
        joins = current is not None and current[0] is file and current[2] == rows.start
        if current is not None and (not joins or current[2] - current[1] + length > file.batch_rows):
            yield (
                batch,
                lengths,
                current[0].read(current[1], current[2], columns(current[0])),
                current[0].path,
            )
            batch, lengths, current = [], [], None
        current = (file, rows.start if current is None else current[1], rows.stop)
        batch.append(episode)
        lengths.append(length)
    if current is not None:
        yield batch, lengths, current[0].read(current[1], current[2], columns(current[0])), current[0].path
