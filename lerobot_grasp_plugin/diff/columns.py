"""The values of a column as bytes, the same for equal values in both datasets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.timeline import off_grid
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric, to_numpy
from lerobot_grasp_plugin.dataset.image_columns import embedded_images
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.dataset.tables import index_numbers
from lerobot_grasp_plugin.diff.side import Names, Side
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, column_of

LABELS = (layout.REWARD, layout.DONE, layout.SUCCESS)

type Form = Literal["numbers", "names", "image", "values", "time"]
"""``names``: numbers with a table of names. ``time``: seconds, as distance from the grid of frames."""


@dataclass(frozen=True)
class Column:
    """A column that is compared.

    Attributes:
        name: Its name.
        form: How its values become bytes.
        dtypes: For ``numbers``, the dtypes that A and B declare.
    """

    name: str
    form: Form
    dtypes: tuple[str, str] = ("", "")

    @property
    def is_label(self) -> bool:
        """Whether it is a label."""
        return self.name in LABELS

    @property
    def is_content(self) -> bool:
        """Whether it tells one episode from another: neither a label nor the task nor the time."""
        return not self.is_label and self.name not in (layout.TASK_INDEX, layout.TIMESTAMP)


@dataclass(frozen=True)
class Compared:
    """What can be compared.

    Attributes:
        columns: The columns of both tables, the task and the timestamp included.
        cameras: The cameras with videos in both.
        left_out: Features of both whose values cannot be compared: images against video, text against
            numbers.
    """

    columns: Sequence[Column]
    cameras: Sequence[str]
    left_out: Sequence[str]

    @property
    def content(self) -> list[str]:
        """Columns and cameras that tell one episode from another."""
        return [column.name for column in self.columns if column.is_content] + list(self.cameras)

    @property
    def labels(self) -> list[str]:
        """The label columns."""
        return [column.name for column in self.columns if column.is_label]


def compared(a: Side, b: Side) -> Compared:
    """What can be compared of two datasets."""
    columns = [Column(layout.TASK_INDEX, "names"), Column(layout.TIMESTAMP, "time")]
    cameras, left_out = [], []
    for name, one in a.reader.info.features.items():
        other = b.reader.info.features.get(name)
        if other is None or name in (*layout.INDEX_COLUMNS, layout.TIMESTAMP):
            continue
        if one.dtype == other.dtype == "video":
            cameras.append(name)
        elif (form := _form(one, other)) is None:
            left_out.append(name)
        else:
            form = "names" if name in a.tables and name in b.tables else form
            columns.append(Column(name, form, (one.dtype, other.dtype)))
    return Compared(columns, cameras, left_out)


def _form(one: Feature, other: Feature) -> Form | None:
    if is_numeric(one.dtype) and is_numeric(other.dtype):
        return "numbers"
    if one.dtype != other.dtype:
        return None
    return "image" if one.dtype == "image" else "values"


def row_bytes(column: Column, side: Side, batch: EpisodeBatch, names: Names) -> NDArray[np.uint8]:
    """The values of a column, uint8, shape (rows, bytes of a value); (rows, 0) if the file lacks it.

    Args:
        column: The column.
        side: The dataset.
        batch: Its rows.
        names: Takes the names that stand behind numbers.

    Raises:
        DatasetError: The column does not hold what info.json says.
    """
    rows = sum(batch.lengths)
    if column.name == layout.TASK_INDEX and column.name not in batch.table.column_names:
        tasks = [names.number("; ".join(side.reader.episode_tasks(episode))) for episode in batch.episodes]
        return _as_bytes(np.repeat(np.array(tasks, np.int64), batch.lengths).reshape(rows, 1))
    if column.name not in batch.table.column_names:
        return np.empty((rows, 0), np.uint8)
    values, where = batch.table[column.name], column_of(batch.path, column.name)
    match column.form:
        case "names":
            return _as_bytes(_named(index_numbers(values, where), side.tables[column.name], names))
        case "image":
            images = embedded_images(values, side.reader.root, where)
            images = images.combine_chunks() if isinstance(images, pa.ChunkedArray) else images
            return _hashed([image or b"" for image in images.field("bytes").to_pylist()])
        case "values":
            return _hashed([_as_text(value).encode() for value in values.to_pylist()])
    try:
        numbers = to_numpy(values)
    except ValueError as error:
        message = f"column {column.name!r}: {error}"
        raise DatasetError(Problem("bad-column", message, batch.path)) from None
    if column.form == "time":
        frames = np.concatenate([np.arange(length, dtype=np.int64) for length in batch.lengths])
        stamps = numbers.reshape(rows)
        stamps = stamps if stamps.dtype.kind == "f" else stamps.astype(np.float64)
        return _as_bytes(off_grid(stamps, frames, side.reader.info.fps).reshape(rows, 1))
    own = column.dtypes[0] if side.letter == "A" else column.dtypes[1]
    with np.errstate(invalid="ignore", over="ignore"):
        return _as_bytes(numbers.astype(own, copy=False).astype(np.result_type(*column.dtypes), copy=False))


def as_numbers(values: NDArray[np.uint8], dtype: type[np.generic]) -> NDArray[Any]:
    """The numbers behind ``row_bytes`` of a column with one value per row, shape (rows,)."""
    return np.ascontiguousarray(values).view(dtype).reshape(len(values))


def _as_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers of shape (rows, n) as bytes, all NaN alike."""
    if values.dtype.kind == "f" and (gone := np.isnan(values)).any():
        values = np.where(gone, values.dtype.type(np.nan), values)
    return np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)


def _named(numbers: NDArray[Any], table: Mapping[int, str], names: Names) -> NDArray[np.int64]:
    """Numbers of one dataset as those of ``names``, shape (rows, 1)."""
    known, inverse = np.unique(numbers, return_inverse=True)
    new = [
        names.number(table.get(number, f"number {number}, which has no name")) for number in known.tolist()
    ]
    return np.array(new, np.int64)[inverse].reshape(-1, 1)


def _hashed(values: Sequence[bytes]) -> NDArray[np.uint8]:
    hashes = [hashlib.blake2b(value, digest_size=16).digest() for value in values]
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 16)


def _as_text(value: Any) -> str:
    return json.dumps(_without_gaps(value), sort_keys=True, ensure_ascii=False, default=str)


def _without_gaps(value: Any) -> Any:
    """A value without the empty fields of its structs, which one file may have and another lacks."""
    if isinstance(value, dict):
        return {key: _without_gaps(own) for key, own in value.items() if own is not None}
    return [_without_gaps(own) for own in value] if isinstance(value, list) else value
