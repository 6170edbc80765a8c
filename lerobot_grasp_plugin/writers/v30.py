"""Writes format v3.0 into a staging folder.

Source of the rules: ``lerobot/datasets/dataset_writer.py`` and ``dataset_metadata.py`` of 0.6.1. One
row group per episode, snappy, the ``huggingface`` schema metadata, ten statistics per feature.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import from_numpy, from_strings
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.writers.closing import Closing


class DataWriter(Closing):
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
                path,
                self._schema,
                compression="snappy",
                use_dictionary=self._repeating,  # type: ignore[arg-type] # the stubs know no list of columns
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
    schema = pa.schema(fields).with_metadata(metadata)
    indices = from_numpy(np.arange(len(names), dtype=np.int64))
    table = pa.Table.from_arrays([indices, from_strings(names), *others.columns], schema=schema)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def write_json(path: Path, value: Any) -> None:
    """A metadata file, indented like LeRobot's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")


def info_json(
    *,
    fps: float,
    robot_type: Any,
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
