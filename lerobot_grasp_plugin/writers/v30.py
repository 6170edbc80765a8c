"""Writes format v3.0 into a staging folder.

Source of the rules: ``lerobot/datasets/dataset_writer.py`` and ``dataset_metadata.py`` of 0.6.1. One
row group per episode, snappy, the ``huggingface`` schema metadata, ten statistics per feature.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import combine
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import (
    from_numpy,
    from_strings,
    lists_from_numpy,
    nested_lists_from_numpy,
    string_lists,
    to_numpy,
    value_type,
)
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.errors import DatasetError, Problem
from lerobot_grasp_plugin.writers.column_store import ColumnStore

_BUFFERED_EPISODES = 1000
"""Episodes per row group of the episodes table: its hundred columns make small groups costly."""


def column_type(name: str, feature: Feature) -> pa.DataType | None:
    """The Arrow type LeRobot gives a feature's column; None where the source's type is kept.

    Raises:
        DatasetError: LeRobot has no such column.
    """
    if feature.dtype == "image":
        return pa.struct({"bytes": pa.binary(), "path": pa.string()})
    value = value_type(feature.dtype)
    if value is None:
        if feature.dtype == "language":
            return None
        message = f"feature {name!r} has dtype {feature.dtype!r}, which is no column type of LeRobot"
        raise DatasetError(Problem("unknown-dtype", message))
    if 0 in feature.shape:
        return pa.null()  # the only column of no width that LeRobot opens
    if feature.shape == (1,):
        return value
    if len(feature.shape) == 1:
        return pa.list_(value, feature.shape[0])
    if not 2 <= len(feature.shape) <= 5:
        message = f"feature {name!r} has shape {list(feature.shape)}; LeRobot knows 1 to 5 dimensions"
        raise DatasetError(Problem("unknown-shape", message))
    for _ in feature.shape:
        value = pa.list_(value)
    return value


def data_schema(
    features: Mapping[str, Feature], kept: Mapping[str, pa.Field], own_metadata: Mapping[bytes, bytes]
) -> pa.Schema:
    """Schema of the data files.

    Args:
        features: Of the output, in order.
        kept: Fields of the sources, for columns whose type is kept as it is.
        own_metadata: Metadata of the schema that says nothing about the columns.
    """
    fields: list[pa.Field] = []
    described: dict[str, dict[str, Any]] = {}
    for name, feature in features.items():
        if feature.dtype == "video":
            continue
        arrow_type = column_type(name, feature)
        if arrow_type is None:
            fields.append(kept[name])
            continue
        extension = None
        if feature.dtype == "image":
            described[name] = {"_type": "Image"}
        elif 0 in feature.shape:
            pass
        elif feature.shape == (1,):
            described[name] = {"dtype": feature.dtype, "_type": "Value"}
        elif len(feature.shape) == 1:
            value = {"dtype": feature.dtype, "_type": "Value"}
            described[name] = {"feature": value, "length": feature.shape[0], "_type": "List"}
        else:
            kind = f"Array{len(feature.shape)}D"
            described[name] = {"shape": list(feature.shape), "dtype": feature.dtype, "_type": kind}
            extension = {
                "ARROW:extension:name": f"datasets.features.features.{kind}ExtensionType",
                "ARROW:extension:metadata": json.dumps([list(feature.shape), feature.dtype]),
            }
        fields.append(pa.field(name, arrow_type, metadata=extension))
    metadata = dict(own_metadata)
    if len(described) == len(fields):
        metadata[b"huggingface"] = json.dumps({"info": {"features": described}}).encode()
    return pa.schema(fields, metadata=metadata or None)


class DataWriter:
    """The data files of a dataset, one row group per episode."""

    def __init__(self, root: Path, schema: pa.Schema) -> None:
        self._root = root
        self._schema = schema
        # Measured numbers hardly repeat: a dictionary of them makes files larger and slower to write.
        self._repeating = [
            field.name
            for field in schema
            if field.name == layout.REWARD
            or not (pa.types.is_nested(field.type) or pa.types.is_floating(field.type))
        ]
        self._ordinal = -1
        self._writer: pq.ParquetWriter | None = None

    def write(self, ordinal: int, table: pa.Table, lengths: Sequence[int]) -> None:
        """Appends episodes to data file ``ordinal`` (0-based, never going back).

        Args:
            ordinal: Which data file.
            table: Rows of the episodes, one after the other, of the writer's schema.
            lengths: Rows of each episode.
        """
        if ordinal != self._ordinal:
            self.close()
            chunk, file = layout.chunk_and_file(ordinal)
            path = self._root / layout.DATA_PATH.format(chunk_index=chunk, file_index=file)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(
                path, self._schema, compression="snappy", use_dictionary=self._repeating
            )
            self._ordinal = ordinal
        assert self._writer is not None
        if len(set(lengths)) == 1:
            self._writer.write_table(table, row_group_size=lengths[0])
            return
        start = 0
        for length in lengths:
            self._writer.write_table(table.slice(start, length), row_group_size=length)
            start += length

    def close(self) -> None:
        """Completes the open file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


type StatsBlock = Mapping[str, Mapping[str, NDArray[Any]]]
"""feature -> statistic -> array of shape (episodes, dims)."""


class EpisodesWriter:
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
        columns: dict[str, pa.Array] = {}
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self.close()

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


def write_tasks(root: Path, tasks: Sequence[str], others: pa.Table) -> None:
    """``meta/tasks.parquet``, as LeRobot reads it.

    Args:
        root: The dataset's folder.
        tasks: By ``task_index``.
        others: More columns, a row for each task; its schema has the metadata of the table.
    """
    write_index_table(root / layout.TASKS_PATH, layout.TASK_INDEX, "task", tasks, others)


def write_index_table(path: Path, column: str, key: str, names: Sequence[str], others: pa.Table) -> None:
    """A table that gives numbers a name, the names as the pandas index.

    Args:
        path: The file.
        column: Column of the numbers, 0, 1, 2, ...
        key: Column of the names.
        names: By number.
        others: More columns, a row for each name; its schema has the metadata of the table.
    """
    described = {
        "index_columns": [key],
        "column_indexes": [
            {
                "name": None,
                "field_name": None,
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": {"encoding": "UTF-8"},
            }
        ],
        "columns": [
            {
                "name": column,
                "field_name": column,
                "pandas_type": "int64",
                "numpy_type": "int64",
                "metadata": None,
            },
            {
                "name": key,
                "field_name": key,
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": None,
            },
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": None,
    }
    metadata = {**(others.schema.metadata or {}), b"pandas": json.dumps(described).encode()}
    fields = [pa.field(column, pa.int64()), pa.field(key, pa.string()), *others.schema]
    indices = from_numpy(np.arange(len(names), dtype=np.int64))
    table = pa.Table.from_arrays(
        [indices, from_strings(names), *others.columns], schema=pa.schema(fields, metadata=metadata)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def write_json(path: Path, value: Any) -> None:
    """A metadata file, indented like LeRobot's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")


def info_json(
    *,
    fps: int,
    robot_type: str | None,
    features: Mapping[str, Feature],
    total_episodes: int,
    total_frames: int,
    total_tasks: int,
    splits: Mapping[str, Any],
    tools: Sequence[Any] | None,
    unknown: Mapping[str, Any],
) -> dict[str, Any]:
    """Content of ``meta/info.json``."""
    has_video = any(feature.dtype == "video" for feature in features.values())
    info = {
        "codebase_version": layout.CODEBASE_VERSION,
        "fps": fps,
        "features": {name: feature.to_json() for name, feature in features.items()},
        "total_episodes": total_episodes,
        "total_frames": total_frames,
        "total_tasks": total_tasks,
        "chunks_size": layout.CHUNKS_SIZE,
        "data_files_size_in_mb": layout.DATA_FILES_SIZE_IN_MB,
        "video_files_size_in_mb": layout.VIDEO_FILES_SIZE_IN_MB,
        "data_path": layout.DATA_PATH,
        "video_path": layout.VIDEO_PATH if has_video else None,
        "robot_type": robot_type,
        "splits": dict(splits),
    }
    return {**info, **({} if tools is None else {"tools": list(tools)}), **unknown}
