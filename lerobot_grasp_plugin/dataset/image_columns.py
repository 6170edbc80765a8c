"""Converts columns of images in a table to LeRobot's form."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from lerobot_grasp_plugin.dataset.arrow import from_bytes
from lerobot_grasp_plugin.findings.problem import DatasetError, Place, Problem


def embedded_images(column: pa.ChunkedArray[Any], root: Path, place: Place) -> pa.StructArray:
    """An image column as LeRobot stores it: structs of ``bytes`` and ``path``, the bytes inside.

    Raises:
        DatasetError: The column holds no images, or an image file is missing.
    """
    target = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        data = column.combine_chunks().cast(pa.binary())
        data = data if isinstance(data, pa.Array) else pa.concat_arrays(data.chunks)
        return pa.StructArray.from_arrays([data, pa.nulls(len(data), pa.string())], fields=list(target))
    names = (
        {kind.field(number).name for number in range(kind.num_fields)} if pa.types.is_struct(kind) else set()
    )
    if names != {"bytes", "path"}:
        message = f"the column holds {kind}, not images (structs of bytes and path)"
        raise DatasetError(Problem("bad-column", message, place))
    array = column.combine_chunks()
    structs = cast("pa.StructArray", array if isinstance(array, pa.Array) else pa.concat_arrays(array.chunks))
    data, paths = structs.field("bytes").cast(pa.binary()), structs.field("path").cast(pa.string())
    if not data.null_count:
        return pa.StructArray.from_arrays([data, paths], fields=list(target))
    images = []
    for value, path in zip(data.to_pylist(), paths.to_pylist(), strict=True):
        images.append(value if value is not None else _image_file(root, path, place))
    return pa.StructArray.from_arrays([from_bytes(images), paths], fields=list(target))


def _image_file(root: Path, path: str | None, place: Place) -> bytes:
    file = (root / (path or "")).resolve()
    if not path or not file.is_relative_to(root.resolve()) or not file.is_file():
        message = f"an image is not in the table, and its file {path!r} is missing"
        raise DatasetError(Problem("missing-file", message, place))
    return file.read_bytes()
