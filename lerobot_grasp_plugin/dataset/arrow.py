"""Arrow columns as numpy arrays and back, by their buffers.

``pyarrow``'s own ``to_numpy`` and ``pa.array`` import pandas, and ``take``, ``cast`` and ``flatten`` import
``pyarrow.compute``: that costs more time than merging a small dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_ARROW_TYPES: dict[str, pa.DataType] = {
    "float16": pa.float16(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "bool": pa.bool_(),
    "string": pa.string(),
}


def value_type(dtype: str) -> pa.DataType | None:
    """The Arrow type of a LeRobot dtype; None for other values (``image``, ``language``)."""
    return _ARROW_TYPES.get(dtype)


def is_numeric(dtype: str) -> bool:
    """Whether statistics can be computed over a column of this dtype."""
    return dtype in _ARROW_TYPES and dtype != "string"


def to_numpy(column: pa.ChunkedArray[Any] | pa.Array[Any]) -> NDArray[Any]:
    """A numeric column as an array of shape ``(rows, values per row)``.

    Args:
        column: Numbers or booleans, or (nested) lists of them that all have one length.

    Raises:
        ValueError: It contains nulls, lists of unequal length, or no numbers.
    """
    array: Any = column  # the stubs know lists by their class alone
    if isinstance(column, pa.ChunkedArray):
        array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    rows = len(array)
    while True:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        if array.null_count:
            raise ValueError("it has empty (null) values")
        if pa.types.is_fixed_size_list(array.type):
            size = array.type.list_size
            array = array.values.slice(array.offset * size, len(array) * size)
        elif pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
            offsets = _list_offsets(array)
            lengths = np.diff(offsets)
            if len(lengths) and lengths.min() != lengths.max():
                raise ValueError(f"its lists have between {lengths.min()} and {lengths.max()} values")
            first = int(offsets[0]) if len(offsets) else 0
            array = array.values.slice(first, int(lengths.sum()))
        else:
            break
    if pa.types.is_boolean(array.type):
        return _bits(array).reshape(rows, -1) if rows else np.empty((0, 1), dtype=bool)
    if not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        raise ValueError(f"it holds {array.type}, not numbers")
    dtype = next(np.dtype(name) for name, kind in _ARROW_TYPES.items() if kind == array.type)
    return _buffer(array, dtype).reshape(rows, -1) if rows else _buffer(array, dtype).reshape(0, 1)


def list_lengths(column: pa.ChunkedArray[Any] | pa.Array[Any]) -> NDArray[np.int64] | None:
    """Values in the list of each row, shape ``(rows,)``; None if rows hold no lists, or nested ones."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return None
    lengths: NDArray[np.int64] = np.diff(_list_offsets(array))
    return lengths


def present(column: pa.ChunkedArray[Any] | pa.Array[Any]) -> NDArray[np.bool_]:
    """Whether there is a value in each row, and in all of a row where rows hold lists; shape ``(rows,)``."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return _present(array)


def _present(array: Any) -> NDArray[np.bool_]:  # the stubs know lists by their class alone
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    validity, rows = array.buffers()[0], len(array)
    known: NDArray[np.bool_] = np.full(rows, not pa.types.is_null(array.type))
    if array.null_count and validity is not None:
        packed = np.frombuffer(validity, np.uint8)
        known = np.unpackbits(packed, count=array.offset + rows, bitorder="little")[array.offset :].astype(
            bool
        )
    kind = array.type
    if pa.types.is_fixed_size_list(kind):
        size = kind.list_size
        inner = array.values.slice(array.offset * size, rows * size)
        return known & _present(inner).reshape(rows, size).all(axis=1)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        offsets = _list_offsets(array)
        if not len(offsets):
            return known
        inner = array.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
        gone = np.concatenate(([0], np.cumsum(~_present(inner))))
        places = offsets - offsets[0]
        known &= gone[places[1:]] == gone[places[:-1]]
    return known


def _buffer(array: pa.Array[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    data = array.buffers()[1]
    if data is None:
        return np.empty(0, dtype)
    return np.frombuffer(data, dtype, count=len(array), offset=array.offset * dtype.itemsize)


def _list_offsets(array: pa.Array[Any]) -> NDArray[np.int64]:
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.empty(0, np.int64)
    offsets = np.frombuffer(data, np.int64 if pa.types.is_large_list(array.type) else np.int32)
    return offsets[array.offset : array.offset + len(array) + 1].astype(np.int64)


def _bits(array: pa.Array[Any]) -> NDArray[np.bool_]:
    data = array.buffers()[1]
    if data is None:
        return np.empty(0, np.bool_)
    packed = np.frombuffer(data, np.uint8)
    bits = np.unpackbits(packed, count=array.offset + len(array), bitorder="little")
    return bits[array.offset :].astype(bool)


def nulls(rows: int, kind: pa.DataType) -> pa.Array[Any]:
    """An array of a type without values."""
    untyped: Any = kind  # the stubs name each type
    array: pa.Array[Any] = pa.nulls(rows, untyped)
    return array


def chunked(chunks: list[pa.Array[Any]], kind: pa.DataType) -> pa.ChunkedArray[Any]:
    """Arrays of a type as a column, also where there is none."""
    untyped: Any = kind  # as above
    column: pa.ChunkedArray[Any] = pa.chunked_array(chunks, untyped)
    return column


def from_numpy(values: NDArray[Any]) -> pa.Array[Any]:
    """A one-dimensional array as an Arrow array of the same type."""
    values = np.ascontiguousarray(values)
    if values.dtype == bool:
        packed = np.packbits(values, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed)])
    return pa.Array.from_buffers(_ARROW_TYPES[values.dtype.name], len(values), [None, pa.py_buffer(values)])


def from_bytes(values: Sequence[bytes], kind: pa.DataType | None = None) -> pa.Array[Any]:
    """Byte strings as an Arrow array of type ``binary``, or of ``kind``."""
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(kind or pa.binary(), len(values), buffers)


def from_strings(values: Sequence[str]) -> pa.Array[Any]:
    """Sentences as an Arrow array of type ``string``."""
    return from_bytes([value.encode() for value in values], pa.string())


def string_lists(values: Sequence[Sequence[str]]) -> pa.Array[Any]:
    """Lists of sentences as an Arrow array of lists of strings."""
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    flat = from_strings([sentence for value in values for sentence in value])
    return _lists(offsets, flat)


def lists_from_numpy(values: NDArray[Any]) -> pa.Array[Any]:
    """An array of shape ``(rows, n)`` as ``rows`` lists of ``n`` values."""
    rows, width = values.shape
    offsets = (
        np.arange(0, (rows + 1) * width, width, dtype=np.int32) if width else np.zeros(rows + 1, np.int32)
    )
    return _lists(offsets, from_numpy(values.reshape(-1)))


def nested_lists_from_numpy(values: NDArray[Any]) -> pa.Array[Any]:
    """An array of shape ``(rows, n)`` as ``rows`` lists of shape ``(n, 1, 1)``, as LeRobot keeps
    the statistics of images.
    """
    rows, width = values.shape
    array = from_numpy(values.reshape(-1))
    ones = np.arange(rows * width + 1, dtype=np.int32)
    for _ in range(2):
        array = _lists(ones, array)
    return _lists(np.arange(rows + 1, dtype=np.int32) * np.int32(width), array)


def _lists(offsets: NDArray[np.int32], values: pa.Array[Any]) -> pa.Array[Any]:
    """Values as lists that begin at the offsets."""
    places: Any = from_numpy(offsets)  # the stubs ask for an array that is known to hold int32
    lists: pa.Array[Any] = pa.ListArray.from_arrays(places, values)
    return lists
