"""Reads tables of names for numbers: ``task_index`` and task, ``subtask_index`` and subtask, ..."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow_types import is_text, own_metadata, table_of
from lerobot_grasp_plugin.dataset.column_metadata import metadata_of_columns
from lerobot_grasp_plugin.dataset.json_lines import as_index, read_json_lines
from lerobot_grasp_plugin.dataset.tables import TableFile, index_numbers
from lerobot_grasp_plugin.findings.problem import DatasetError, GraspError, Problem, column_of

_SUFFIXES = (".parquet", ".jsonl")

PANDAS_INDEX = "__index_level_0__"
"""The column of an unnamed row index that pandas wrote."""


@dataclass(frozen=True, slots=True)
class IndexTable:
    """A table with a number and a name in each row.

    Attributes:
        index_column: Column of the numbers, such as ``task_index``.
        key: Column of the names, such as ``task``.
        indices: The number of each row.
        names: The name of each row.
        others: All other columns.
        metadata: Of the schema, without what describes the columns.
        of_columns: Column with metadata of its own -> the keys.
    """

    index_column: str
    key: str
    indices: Sequence[int]
    names: Sequence[str]
    others: pa.Table
    metadata: Mapping[bytes, bytes]
    of_columns: Mapping[str, Sequence[str]]


def read_index_table(path: Path, index_column: str) -> IndexTable:
    """Reads a parquet or JSON lines file.

    The names are in the column that is called like the numbers without ``_index``, or in the index that
    pandas wrote, or in the first column of texts.

    Raises:
        DatasetError: The file cannot be read, or has no such columns.
    """
    table = table_of(list(read_json_lines(path))) if path.suffix == ".jsonl" else _read(path)
    base = index_column.removesuffix("_index")
    texts = [field.name for field in table.schema if is_text(field.type)]
    keys = [name for name in (base, PANDAS_INDEX, *texts) if name in texts and name != index_column]
    if index_column not in table.column_names or not keys:
        message = f"expected the columns {base!r} and {index_column!r}, found {table.column_names}"
        raise DatasetError(Problem("missing-column", message, path))
    where = column_of(path, index_column)
    if path.suffix == ".jsonl":
        values = [as_index(value) for value in table[index_column].to_pylist()]
        indices = [value for value in values if isinstance(value, int)]
        if len(indices) < len(values):
            raise DatasetError(Problem("bad-index-column", "not an index column", where))
    else:
        indices = index_numbers(table[index_column], where).tolist()
    return IndexTable(
        index_column,
        base if keys[0] == PANDAS_INDEX else keys[0],
        indices,
        [str(name) for name in table[keys[0]].to_pylist()],
        table.drop_columns([index_column, keys[0]]),
        own_metadata(table.schema),
        metadata_of_columns(table.schema),
    )


def is_index_feature(name: str, dtype: str) -> bool:
    """Whether a feature may have a table of names, by its name and dtype: ``subtask_index``."""
    is_integer = dtype.startswith(("int", "uint"))
    return is_integer and name.endswith("_index") and name not in layout.INDEX_COLUMNS


def find_index_tables(root: Path, features: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """The tables in ``meta/`` that name the numbers of index features.

    Args:
        root: The dataset's folder.
        features: The index features.
        files: Files of the dataset that are not LeRobot's, by their path in the folder.

    Returns:
        Feature -> path in the folder, for those that have a table.
    """
    wanted, found = list(features), dict[str, str]()
    for path in files if wanted else ():
        file = root / path
        if not path.startswith("meta/") or path.count("/") > 1 or file.suffix not in _SUFFIXES:
            continue
        for name in wanted:
            if name not in found and _is_index_table(file, name):
                found[name] = path
    return found


def _is_index_table(file: Path, index_column: str) -> bool:
    try:
        if file.suffix == ".parquet":
            columns = TableFile(file).columns
            if index_column not in columns or {layout.INDEX, layout.EPISODE_INDEX} & set(columns):
                return False
        table = read_index_table(file, index_column)
    except GraspError:
        return False
    return len(set(table.indices)) == len(table.indices)


def _read(path: Path) -> pa.Table:
    file = TableFile(path)
    return file.read(0, file.rows, file.columns).replace_schema_metadata(file.file.schema_arrow.metadata)
