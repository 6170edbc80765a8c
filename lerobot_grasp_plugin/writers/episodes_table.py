"""Writes the table of the episodes of format v3.0, and reads its statistics back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import combine
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import (
    from_numpy,
    lists_from_numpy,
    nested_lists_from_numpy,
    string_lists,
    to_numpy,
)
from lerobot_grasp_plugin.writers.closing import Closing
from lerobot_grasp_plugin.writers.column_store import ColumnStore

_BUFFERED_EPISODES = 1000
"""Episodes per row group of the episodes table: its hundred columns make small groups costly."""

type StatsBlock = Mapping[str, Mapping[str, NDArray[Any]]]
"""feature -> statistic -> array of shape (episodes, dims)."""


class EpisodesWriter(Closing):
    """``meta/episodes``: a row for each episode, statistics included.

    Args:
        root: The dataset's folder.
        stats: The statistics each feature has, in column order.
        cameras: Features whose statistics are kept per channel, shape ``(channels, 1, 1)``.
        video_keys: Cameras stored as video.
        side: Columns that LeRobot does not know, a row for each episode of the dataset; its schema has the
            metadata of the table. None without any.
    """

    def __init__(
        self,
        root: Path,
        stats: Mapping[str, Sequence[str]],
        cameras: Iterable[str],
        video_keys: Sequence[str],
        side: pa.Table | None = None,
    ) -> None:
        self._root = root
        self._side = side
        self._written = 0
        self._stats = stats
        self._cameras = frozenset(cameras)
        self._video_keys = video_keys
        self._ordinal = -1
        self._writer: pq.ParquetWriter | None = None
        self._rows: dict[str, list[Any]] = {}
        self._blocks: list[StatsBlock] = []
        self.paths: list[Path] = []

    def write(self, rows: Mapping[str, Sequence[Any]], stats: StatsBlock) -> None:
        """Appends episodes.

        Args:
            rows: Column name -> one value per episode, all columns but the statistics: plain
                columns by their name, ``tasks`` as lists of sentences.
            stats: Of the same episodes.
        """
        for name, values in rows.items():
            self._rows.setdefault(name, []).extend(values)
        self._blocks.append(stats)
        if len(self._rows["episode_index"]) >= _BUFFERED_EPISODES:
            self._flush()

    def _flush(self) -> None:
        if not self._blocks:
            return
        table = self._table()
        self._rows, self._blocks = {}, []
        if self._writer is None or self._full():
            self.close()
            self._ordinal += 1
            chunk, file = layout.chunk_and_file(self._ordinal)
            path = self._root / layout.EPISODES_PATH.format(chunk_index=chunk, file_index=file)
            path.parent.mkdir(parents=True, exist_ok=True)
            schema = self._place(table.slice(0, 0)).schema
            self._writer = pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=True)
            self.paths.append(path)
        self._writer.write_table(self._place(table))

    def _full(self) -> bool:
        """Whether the open file is near LeRobot's limit."""
        return self.paths[-1].stat().st_size >= layout.DATA_FILES_SIZE_IN_MB * 2**20 * 9 // 10

    def _place(self, table: pa.Table) -> pa.Table:
        chunk, file = layout.chunk_and_file(self._ordinal)
        for name, value in (("chunk_index", chunk), ("file_index", file)):
            column = from_numpy(np.full(table.num_rows, value, dtype=np.int64))
            table = table.append_column(f"meta/episodes/{name}", column)
        return table

    def _table(self) -> pa.Table:
        columns: dict[str, pa.Array[Any] | pa.ChunkedArray[Any]] = {}
        for name, values in self._rows.items():
            if name == "tasks":
                columns[name] = string_lists(values)
            else:
                kind = np.float64 if name.endswith("_timestamp") else np.int64
                columns[name] = from_numpy(np.asarray(values, dtype=kind))
        for feature, statistics in self._stats.items():
            for statistic in statistics:
                numbers = np.concatenate([block[feature][statistic] for block in self._blocks])
                if statistic == "count":
                    column = lists_from_numpy(numbers.astype(np.int64))
                elif feature in self._cameras:
                    column = nested_lists_from_numpy(numbers.astype(np.float64))
                else:
                    column = lists_from_numpy(numbers.astype(np.float64))
                columns[f"stats/{feature}/{statistic}"] = column
        rows = len(columns["episode_index"])
        metadata = None
        if self._side is not None:
            side = self._side.slice(self._written, rows)
            columns |= {name: side[name] for name in side.column_names}
            metadata = self._side.schema.metadata
        self._written += rows
        return pa.table(columns).replace_schema_metadata(metadata)

    def close(self) -> None:
        """Completes the open file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        super().__exit__(kind, error, trace)

    def statistics(self, store: ColumnStore) -> Iterator[tuple[str, dict[str, NDArray[Any]], dict[str, Any]]]:
        """Statistics of one feature after the other, of each episode and over the dataset.

        Those of the episodes are read back from the finished files, so that memory stays small.

        Args:
            store: All rows of the features that are no cameras, for their quantiles.

        Yields:
            The feature's name; its statistics (of columns: without the quantiles) as arrays of shape
            (episodes, dims); and over the dataset as ``stats.json`` keeps them.
        """
        for feature, statistics in self._stats.items():
            exact = {} if feature in self._cameras else store.quantiles(feature)
            needed = [statistic for statistic in statistics if statistic not in exact]
            names = [f"stats/{feature}/{statistic}" for statistic in needed]
            table = pa.concat_tables([pq.ParquetFile(path).read(columns=names) for path in self.paths])
            arrays = {statistic: to_numpy(table[name]) for statistic, name in zip(needed, names, strict=True)}
            overall = {
                statistic: (value[:, None, None] if self._per_channel(feature, statistic) else value).tolist()
                for statistic, value in (combine(arrays) | exact).items()
            }
            yield feature, arrays, overall

    def _per_channel(self, feature: str, statistic: str) -> bool:
        return feature in self._cameras and statistic != "count"
