"""Arrow columns to numpy and back, against pyarrow's own conversion."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from lerobot_grasp_plugin.dataset import arrow

DTYPES = [
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_there_and_back(dtype: str) -> None:
    values = np.arange(11).astype(dtype)
    column = arrow.from_numpy(values)
    assert column.equals(pa.array(values))
    for start, stop in ((0, 11), (3, 9), (10, 11), (4, 4)):
        again = arrow.to_numpy(column.slice(start, stop - start))
        assert again.dtype == values.dtype
        assert again.tolist() == values[start:stop, None].tolist()


@pytest.mark.parametrize("offset", range(0, 18, 5))
def test_flags_at_any_bit(offset: int) -> None:
    values = np.random.default_rng(1).integers(0, 2, 40).astype(bool)
    column = arrow.from_numpy(values)
    assert column.to_pylist() == values.tolist()
    assert (
        arrow.to_numpy(column.slice(offset, 20)).reshape(-1).tolist() == values[offset : offset + 20].tolist()
    )


@pytest.mark.parametrize("kind", ["list", "large", "fixed"])
@pytest.mark.parametrize(("start", "length"), [(0, 6), (2, 3), (5, 1), (3, 0)])
def test_lists_of_one_length(kind: str, start: int, length: int) -> None:
    values = np.arange(18, dtype=np.float32).reshape(6, 3)
    types = {
        "list": pa.list_(pa.float32()),
        "large": pa.large_list(pa.float32()),
        "fixed": pa.list_(pa.float32(), 3),
    }
    column = pa.array(values.tolist(), types[kind]).slice(start, length)
    wanted = values[start : start + length].reshape(-1).tolist()
    assert arrow.to_numpy(column).reshape(-1).tolist() == wanted
    chunked = pa.chunked_array([column, column], types[kind])
    assert arrow.to_numpy(chunked).reshape(-1).tolist() == wanted * 2


def test_nested_lists() -> None:
    values = np.arange(24, dtype=np.float64).reshape(4, 2, 3)
    column = pa.array(values.tolist(), pa.list_(pa.list_(pa.float64()))).slice(1, 2)
    assert arrow.to_numpy(column).tolist() == values[1:3].reshape(2, 6).tolist()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1.0, None]), "null"),
        (pa.array([[1.0], None], pa.list_(pa.float64())), "null"),
        (pa.array([[1.0], [None]], pa.list_(pa.float64())), "null"),
        (pa.array([[1.0], [1.0, 2.0]], pa.list_(pa.float64())), "between 1 and 2"),
        (pa.array(["a"]), "not numbers"),
        (pa.array([{"a": 1}]), "not numbers"),
        (pa.nulls(2), "null"),
    ],
)
def test_columns_that_are_no_numbers(column: pa.Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        arrow.to_numpy(column)


@pytest.mark.parametrize("column", [pa.array([], pa.float32()), pa.chunked_array([], pa.int64())])
def test_columns_without_rows(column: pa.Array) -> None:
    assert arrow.to_numpy(column).size == 0


def test_text_there_and_back() -> None:
    words = ["", "pick", "größe 名前"]
    assert arrow.from_strings(words).to_pylist() == words
    assert arrow.from_bytes([b"", b"\xff\x00"]).to_pylist() == [b"", b"\xff\x00"]
    assert arrow.string_lists([["a", "b"], [], ["c"]]).to_pylist() == [["a", "b"], [], ["c"]]


@pytest.mark.parametrize("width", [1, 3])
def test_statistics_as_lists(width: int) -> None:
    values = np.arange(4 * width, dtype=np.float64).reshape(4, width)
    plain, nested = arrow.lists_from_numpy(values), arrow.nested_lists_from_numpy(values)
    plain.validate(full=True)
    nested.validate(full=True)
    assert plain.to_pylist() == values.tolist()
    assert nested.to_pylist() == values[:, :, None, None].tolist()
