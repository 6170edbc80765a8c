"""Finds one Arrow type for columns whose types were inferred file by file, and casts columns to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, TypeGuard, cast

import numpy as np
import pyarrow as pa

from lerobot_grasp_plugin.dataset.arrow import chunked, from_numpy, from_strings, nulls, to_numpy
from lerobot_grasp_plugin.dataset.tables import MAX_GROUP_BYTES

_ROWS_AT_A_TIME: Final = 1024
_OWN_METADATA: Final = frozenset({b"pandas", b"huggingface", b"ARROW:schema"})
"""Metadata of a table that only describes its columns, and is specific to it."""


def common_type(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """The type that holds the values of all; None if none does without changing values.

    Null types are ignored, numbers are widened as needed, structs of the same fields and lists are joined
    part by part.
    """
    joined: pa.DataType | None = types[0]
    for kind in types[1:]:
        joined = None if joined is None else _joined(joined, kind)
    return joined


def _joined(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if one == other:
        return one
    one, other = _plain(one), _plain(other)
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if _is_list(one) and _is_list(other):
        value = _joined(one.value_type, other.value_type)
        return None if value is None else pa.list_(value)
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        return _joined_struct(one, other)
    if is_text(one) and is_text(other):
        return pa.string()
    if pa.types.is_integer(one) and pa.types.is_integer(other):
        unsigned = pa.types.is_uint64(one) or pa.types.is_uint64(other)
        return None if unsigned else pa.int64()
    if _is_number(one) and _is_number(other):
        return pa.float64()
    return None


def _joined_struct(one: pa.StructType, other: pa.StructType) -> pa.DataType | None:
    names = [field.name for field in one]
    if set(names) != {field.name for field in other}:
        return None
    fields = []
    for name in names:
        kind = _joined(one.field(name).type, other.field(name).type)
        if kind is None:
            return None
        fields.append(pa.field(name, kind))
    return pa.struct(fields)


def language_type(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """The type of a language column: lists of structs, of which files may have different fields.

    A field that a file lacks is null there. Fields whose types do not agree become JSON text, which is how
    LeRobot declares ``tool_calls``: lists of JSON values.

    Returns:
        None if a column does not hold lists of structs.
    """
    joined = common_type(types)
    if joined is not None:
        return joined
    fields: dict[str, list[pa.DataType]] = {}
    for kind in types:
        kind = _plain(kind)
        value = _plain(kind.value_type) if _is_list(kind) else None
        if value is not None and pa.types.is_struct(value):
            for field in value:
                fields.setdefault(field.name, []).append(field.type)
        elif not pa.types.is_null(kind) and not (value is not None and pa.types.is_null(value)):
            return None
    struct = []
    for name, kinds in fields.items():
        agreed = common_type(kinds)
        if agreed is None:
            lists = all(_is_list(each) or pa.types.is_null(each) for each in kinds)
            agreed = pa.list_(pa.string()) if lists else pa.string()
        struct.append(pa.field(name, agreed))
    return pa.list_(pa.struct(struct))


def conform(column: pa.ChunkedArray[Any], kind: pa.DataType) -> pa.ChunkedArray[Any]:
    """A column cast to a type from ``common_type`` or ``language_type``; JSON text if that is text.

    Raises:
        pa.ArrowException: The values do not fit the type.
    """
    if column.type == kind:
        return column
    pieces = []
    for start in range(0, len(column), _ROWS_AT_A_TIME):
        values = column.slice(start, _ROWS_AT_A_TIME).to_pylist()
        pieces.append(pa.array([_fitted(value, kind) for value in values], kind))
    return chunked(pieces, kind)


def _fitted(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if is_text(kind):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if _is_list(kind) and isinstance(value, list):
        return [_fitted(entry, kind.value_type) for entry in value]
    if pa.types.is_struct(kind) and isinstance(value, dict):
        return {field.name: _fitted(value.get(field.name), field.type) for field in kind}
    if pa.types.is_floating(kind) and isinstance(value, int):
        return float(value)
    return value


def decoded(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """A dictionary-encoded column as its values; another one as it is.

    Raises:
        ValueError: The values would not fit into memory.
    """
    if not pa.types.is_dictionary(column.type):
        return column
    chunks = cast("list[pa.DictionaryArray[Any, Any]]", column.chunks)
    most = sum(chunk.dictionary.nbytes * len(chunk) for chunk in chunks)
    if most > MAX_GROUP_BYTES and sum(map(_decoded_bytes, chunks)) > MAX_GROUP_BYTES:
        raise ValueError(f"its values are more than {MAX_GROUP_BYTES} bytes in memory")
    return column.cast(column.type.value_type)


def _decoded_bytes(chunk: pa.DictionaryArray[Any, Any]) -> int:
    """Bytes of the values of a dictionary-encoded array, without decoding it."""
    used = np.bincount(to_numpy(chunk.indices.drop_null())[:, 0], minlength=len(chunk.dictionary))
    sizes = [chunk.dictionary.slice(place, 1).nbytes for place in np.flatnonzero(used).tolist()]
    return int(np.dot(used[used > 0], sizes))


def joined_tables(tables: Sequence[pa.Table], rows: Sequence[int]) -> pa.Table:
    """Tables one after the other; null where one lacks a column, JSON text where types do not agree.

    Args:
        tables: The tables; those without columns have no rows of their own.
        rows: Rows of each.
    """
    names = dict.fromkeys(name for table in tables for name in table.column_names)
    columns = {}
    for name in names:
        kinds = [table.schema.field(name).type for table in tables if name in table.column_names]
        kind = common_type(kinds) or pa.string()
        chunks: list[pa.Array[Any]] = []
        for table, count in zip(tables, rows, strict=True):
            if name in table.column_names:
                chunks += conform(table[name], kind).chunks
            else:
                chunks.append(nulls(count, kind))
        columns[name] = chunked(chunks, kind)
    return pa.table(columns)


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """JSON objects as a table: null for a missing name, JSON text for values of several kinds."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        try:
            columns[name] = _inferred(values)
        except (pa.ArrowException, OverflowError):
            columns[name] = pa.array([_fitted(value, pa.string()) for value in values], pa.string())
    return pa.table(columns)


def _inferred(values: Sequence[Any]) -> pa.Array[Any]:
    """Values as an array of the type that ``pyarrow`` infers; for texts and integers without pandas."""
    kinds = {type(value) for value in values}
    if kinds == {str}:
        return from_strings(values)
    if kinds == {int} and min(values) >= -(2**63) and max(values) < 2**63:
        return from_numpy(np.array(values, dtype=np.int64))
    inferred: pa.Array[Any] = pa.array(values)
    return inferred


def own_metadata(schema: pa.Schema) -> dict[bytes, bytes]:
    """Metadata of a table's schema that is not about its columns."""
    found: dict[bytes, bytes] = dict(schema.metadata or {})
    return {key: value for key, value in found.items() if key not in _OWN_METADATA}


def innermost_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values in lists of any depth."""
    kind = _plain(kind)
    return innermost_type(kind.value_type) if _is_list(kind) else kind


def is_text(kind: pa.DataType) -> bool:
    """Whether the values of a type are texts, of any of Arrow's types for them, dictionary-encoded or not."""
    kind = _plain(kind)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type behind extensions and dictionaries."""
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    return _plain(kind.value_type) if pa.types.is_dictionary(kind) else kind


def _is_list(
    kind: pa.DataType,
) -> TypeGuard[pa.ListType[Any] | pa.LargeListType[Any] | pa.FixedSizeListType[Any, Any]]:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
