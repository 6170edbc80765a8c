"""Checks images in the tables: valid, complete, and of the declared size."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any, cast

import numpy as np
import pyarrow as pa

from lerobot_grasp_plugin.dataset.tables import TableFile
from lerobot_grasp_plugin.findings.problem import GraspError, Problem
from lerobot_grasp_plugin.verify.place import Tally
from lerobot_grasp_plugin.verify.runs import Runs
from lerobot_grasp_plugin.verify.view import View

_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_OTHERS = (b"II*\0", b"MM\0*", b"RIFF", b"BM", b"GIF8")
"""TIFF (depth), WebP, BMP, GIF: checked only when decoded."""
_LARGEST = 2**26
"""Pixels of an image above which it is not decoded."""

type Size = tuple[int, int]
"""Height and width."""


class ImageCheck:
    """Checks each image's first and last bytes, or decodes it."""

    def __init__(self, view: View, *, decode: bool) -> None:
        self._view = view
        self._decode = decode
        self._damaged: dict[str, Tally] = {}
        self._sizes: dict[str, dict[Size, Tally]] = {}
        self._left_out: list[Problem] = []

    def see(self, file: TableFile, runs: Runs) -> None:
        """Checks the images of a table."""
        schema = file.file.schema_arrow
        for name in self._view.info.keys("image"):
            if name in schema.names and _holds_bytes(schema.field(name).type):
                try:
                    self._column(name, file, runs)
                except GraspError as error:
                    reason = error.problems[0].message
                    message = f"the images of {name!r} were not checked: {reason}"
                    self._left_out.append(Problem("not-checked", message, file.path))

    def _column(self, name: str, file: TableFile, runs: Runs) -> None:
        for episode, start, stop in runs.each():
            for first in range(start, stop, file.batch_rows):
                column = file.read(first, min(stop, first + file.batch_rows), [name]).column(0)
                for at, data in enumerate(_bytes(column), start=first - start):
                    if data is not None:
                        self._image(name, data, runs, episode, at)

    def _image(self, name: str, data: bytes, runs: Runs, episode: int, frame: int) -> None:
        try:
            size = _header(data)
            if self._decode:
                _decoded(data)
        except ValueError as error:
            tally = self._damaged.setdefault(name, Tally())
            tally.add(runs.path, episode, frame, 1, str(error))
            return
        if size is not None:
            tally = self._sizes.setdefault(name, {}).setdefault(size, Tally())
            tally.add(runs.path, episode, frame)

    def found(self) -> Iterator[Problem]:
        """All findings."""
        yield from self._left_out
        for name, tally in self._damaged.items():
            message = f"{name!r}: the image {tally.example}; in {tally.extent}"
            yield tally.problem("picture-damaged", message, "LeRobot fails on these rows")
        for name, sizes in self._sizes.items():
            yield from self._other_sizes(name, sizes)

    def _other_sizes(self, name: str, sizes: dict[Size, Tally]) -> Iterator[Problem]:
        shape = self._view.info.features[name]["shape"]
        fitting = (shape[:2], shape[1:])  # channels last, or first
        for (height, width), tally in sizes.items():
            if (height, width) in fitting:
                continue
            message = (
                f"{name!r}: {tally.extent} have images of {height} x {width}, info.json says {list(shape)}"
            )
            if len(sizes) > 1:
                yield tally.problem("picture-size", message, "LeRobot cannot batch them with other images")
            else:
                hint = "LeRobot returns them as they are, but policies are built for the size in info.json"
                yield tally.problem("picture-size", message, hint, severity="warning")


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        at = kind.get_field_index("bytes")
        return at >= 0 and _holds_bytes(kind.field(at).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _bytes(column: pa.ChunkedArray[Any]) -> Iterator[bytes | None]:
    for chunk in column.chunks:
        inner = cast("pa.StructArray", chunk).field("bytes") if pa.types.is_struct(chunk.type) else chunk
        known = np.asarray(chunk.is_valid()) if chunk.null_count else None
        for at, data in enumerate(inner.to_pylist()):
            yield None if known is not None and not known[at] else data


def _header(data: bytes) -> Size | None:
    """Height and width by an image's first bytes; None for formats that are not parsed.

    Raises:
        ValueError: The data are not an image, or its end is missing.
    """
    if not data:
        raise ValueError("is empty")
    if data.startswith(_PNG):
        if len(data) < 33 or data.rfind(_PNG_END) < 0:  # more may follow, which readers ignore
            raise ValueError("is truncated")
        width, height = struct.unpack(">II", data[16:24])
        return height, width
    if data.startswith(_JPEG):
        if _JPEG_END not in data[-64:]:
            raise ValueError("is truncated")
        return _jpeg_size(data)
    if not data.startswith(_OTHERS):
        raise ValueError(f"is not an image: it begins with {data[:8]!r}")
    return None


def _jpeg_size(data: bytes) -> Size | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
        at += 2 + length
    return None


def _decoded(data: bytes) -> None:
    from PIL import Image

    try:
        with Image.open(BytesIO(data)) as image:
            width, height = image.size
            if width * height > _LARGEST:
                raise ValueError(f"of {height} x {width} is too large")
            image.load()
    except Exception as error:  # PIL raises what its plugins raise
        raise ValueError(f"cannot be decoded ({type(error).__name__}: {error})") from None
