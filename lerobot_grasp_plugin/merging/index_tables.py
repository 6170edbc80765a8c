"""Maps index columns that have a table of names in ``meta/``, such as ``subtask_index``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset.arrow_types import common_type, conform
from lerobot_grasp_plugin.dataset.column_metadata import left_out
from lerobot_grasp_plugin.dataset.index_table import (
    IndexTable,
    find_index_tables,
    is_index_feature,
    read_index_table,
)
from lerobot_grasp_plugin.findings.problem import DatasetError, MergeError, Place, Problem
from lerobot_grasp_plugin.merging.contradictions import Contradictions, agreed_metadata, canonical
from lerobot_grasp_plugin.merging.features import TargetFormat
from lerobot_grasp_plugin.merging.sources import Source


@dataclass(frozen=True)
class UnitedTable:
    """The table of an output.

    Attributes:
        path: Where it is written.
        index_column: Column of the numbers, 0, 1, 2, ...
        key: Column of the names.
        names: In the order of their numbers.
        others: All other columns.
        maps: For each source, its number -> the output's.
    """

    path: str
    index_column: str
    key: str
    names: Sequence[str]
    others: pa.Table
    maps: Sequence[Mapping[int, int]]


def index_tables_of(source: Source, target: TargetFormat, files: Sequence[str]) -> dict[str, str]:
    """Finds the table that names the numbers of each index feature.

    Args:
        source: A dataset.
        target: The features of the output.
        files: Files of the dataset that are not LeRobot's.

    Returns:
        Feature, by its name in the output -> path in the source.
    """
    wanted = {
        source.original[name]: name
        for name, feature in target.features.items()
        if name in source.original and is_index_feature(source.original[name], feature.dtype)
    }
    found = find_index_tables(source.reader.root, wanted, files)
    return {wanted[own]: path for own, path in found.items()}


def unite(
    sources: Sequence[Source],
    target: TargetFormat,
    paths: Sequence[Mapping[str, str]],
    found: Contradictions,
) -> dict[str, UnitedTable]:
    """The joined tables of several sources, by feature.

    Args:
        sources: The sources.
        target: The features of the output.
        paths: For each source, the result of ``index_tables_of``.
        found: Takes the values that the sources do not agree on.

    Raises:
        MergeError: A source has numbers without a table, and another source has a table.
    """
    problems, united = [], {}
    for name in target.features:
        if not any(name in of_source for of_source in paths):
            continue
        lacking = [source.title for source, own in zip(sources, paths, strict=True) if name not in own]
        place = next(own[name] for own in paths if name in own)
        if lacking:
            message = f"{name!r} has a table of names in {place}, but not in {', '.join(lacking)}"
            hint = f"add the table, or leave the feature out with --drop_features '[\"{name}\"]'"
            problems.append(Problem("index-table-missing", message, hint=hint))
            continue
        tables = [
            read_index_table(source.reader.root / own[name], source.original[name])
            for source, own in zip(sources, paths, strict=True)
        ]
        united[name] = _united(sources, name, place, tables, found)
    if problems:
        raise MergeError(problems)
    return united


def _united(
    sources: Sequence[Source],
    name: str,
    place: str,
    tables: Sequence[IndexTable],
    found: Contradictions,
) -> UnitedTable:
    numbers: dict[str, int] = {}
    maps = [
        {
            index: numbers.setdefault(text, len(numbers))
            for index, text in sorted(zip(table.indices, table.names, strict=True))
        }
        for table in tables
    ]
    path = f"{place.rpartition('.')[0]}.parquet"
    names = tuple(numbers)
    named = [table.names for table in tables]
    others = other_columns(sources, names, named, [table.others for table in tables], path, found)
    others = others.replace_schema_metadata(
        agreed_metadata(sources, [table.metadata for table in tables], path, found)
    )
    for source, table in zip(sources, tables, strict=True):
        found.warnings += left_out(table.of_columns, f"{source.title}: {place}", source.reader.root)
    return UnitedTable(path, name, tables[0].key, names, others, maps)


def other_columns(
    sources: Sequence[Source],
    names: Sequence[str],
    named: Sequence[Sequence[str]],
    tables: Sequence[pa.Table],
    place: str,
    found: Contradictions,
) -> pa.Table:
    """Columns of the sources' tables, by name of the row.

    Args:
        sources: The sources.
        names: The rows of the output.
        named: For each source, the name of each row of its table.
        tables: For each source, the columns.
        place: The table's path, for the warning.
        found: Takes the values that the sources do not agree on.

    Returns:
        A row for each of ``names``; null where no source has a value, or sources differ.
    """
    columns: dict[str, pa.ChunkedArray[Any]] = {}
    for column in dict.fromkeys(column for table in tables for column in table.column_names):
        kinds = [table.schema.field(column).type for table in tables if column in table.column_names]
        kind = common_type(kinds) or pa.string()
        by_source = []
        for table, rows in zip(tables, named, strict=True):
            values = conform(table[column], kind).to_pylist() if column in table.column_names else []
            by_source.append(
                {row: value for row, value in zip(rows, values, strict=False) if value is not None}
            )
        chosen: list[Any] = []
        for name in names:
            stated = [of_source[name] for of_source in by_source if name in of_source]
            same = len({canonical(value) for value in stated}) == 1
            chosen.append(stated[0] if same else None)
            if len(stated) > 1 and not same:
                values = [{column: own[name]} if name in own else {} for own in by_source]
                found.add(sources, f"{place}, {name!r}", [column], values)
        columns[column] = pa.chunked_array([pa.array(chosen, kind)])
    return pa.table(columns)


def mapped_numbers(values: NDArray[Any], numbers: Mapping[int, int], place: Place) -> NDArray[np.int64]:
    """Maps numbers of a source to those of the output; negative ones, which have no name, stay.

    Raises:
        DatasetError: A number is not in the table.
    """
    known, inverse = distinct(values)
    strange = [number for number in known.tolist() if number >= 0 and number not in numbers]
    if strange:
        message = f"the numbers {strange[:8]} are not in the table of their names"
        raise DatasetError(Problem("unknown-index", message, place))
    new = np.array([numbers.get(number, number) for number in known.tolist()], dtype=np.int64)
    return new[inverse]


def distinct(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """``np.unique`` with its inverse, fast where neighbours are mostly equal, as indices are.

    Args:
        values: Shape ``(rows,)``.
    """
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])[: len(values)])
    known, inverse = np.unique(values[starts], return_inverse=True)
    return known, np.repeat(inverse, np.diff(starts, append=len(values)))
