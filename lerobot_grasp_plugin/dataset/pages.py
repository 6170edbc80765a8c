"""Recovers parquet files without a footer: intact row groups, with a rebuilt footer.

A killed writer leaves the pages of its row groups, but no footer. Each page has a header with its
size and number of values; with the columns known from another file or from ``info.json``, the row groups
follow from them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lerobot_grasp_plugin.dataset import thrift
from lerobot_grasp_plugin.dataset.tables import MAX_GROUP_BYTES
from lerobot_grasp_plugin.findings.problem import DatasetError, GraspError, Problem

_MAGIC = b"PAR1"
_DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_V2 = 0, 2, 3
_BODIES = {_DATA_PAGE: 5, _DICTIONARY_PAGE: 7, _DATA_PAGE_V2: 8}
"""Field of a page's header that describes a page of a kind."""
_TYPES = {"BOOLEAN": 0, "INT32": 1, "INT64": 2, "INT96": 3, "FLOAT": 4, "DOUBLE": 5, "BYTE_ARRAY": 6}
_UNCOMPRESSED, _SNAPPY, _GZIP, _ZSTD = 0, 1, 2, 6
_ENCODINGS = (0, 3, 8)  # PLAIN, RLE, RLE_DICTIONARY: what pyarrow's writer uses by default


@dataclass(frozen=True, slots=True)
class _Column:
    names: tuple[str, ...]
    physical_type: int


@dataclass(frozen=True, slots=True)
class _Page:
    start: int
    payload: int
    stop: int
    kind: int
    values: int
    raw_size: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    pages: Sequence[_Page]

    @property
    def values(self) -> int:
        return sum(page.values for page in self.pages if page.kind != _DICTIONARY_PAGE)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The intact part of a table without a footer.

    Attributes:
        data: A parquet file with the intact row groups.
        kept: Bytes of the damaged file that it contains.
        size: Bytes of the damaged file.
    """

    data: bytes
    kept: int
    size: int


def salvage(
    path: Path, schema: pa.Schema, widths: Mapping[str, int], accept: Callable[[pa.Table], bool]
) -> Salvaged:
    """The intact row groups of a file.

    Args:
        path: A parquet file without a readable footer.
        schema: Of its rows.
        widths: Values per row of each column.
        accept: Whether rows can be those of a row group; where a column has several pages, its end is only
            known by what is read.

    Raises:
        DatasetError: The file is not a parquet file, is too large, or has no intact row group.
    """
    if path.stat().st_size > MAX_GROUP_BYTES:
        raise DatasetError(
            Problem("too-large", "the file is too large to search for rows without a footer", path)
        )
    data = path.read_bytes()
    if not data.startswith(_MAGIC):
        raise DatasetError(Problem("bad-parquet", "not a parquet file", path))
    sink = io.BytesIO()
    pq.write_table(schema.empty_table(), sink)
    template = pq.ParquetFile(sink)
    columns = [
        _Column(tuple(_names(column.path, schema.names)), _TYPES[column.physical_type])
        for column in map(template.schema.column, range(len(template.schema)))
    ]
    per_row = [max(1, widths.get(column.names[0], 1)) for column in columns]
    empty = sink.getvalue()

    def is_whole(rows: int, chunks: Sequence[_Chunk]) -> bool:
        start, stop = chunks[0].pages[0].start, chunks[-1].pages[-1].stop
        group = _row_group(data, columns, chunks, rows, shift=start - len(_MAGIC))
        try:
            return accept(pq.read_table(io.BytesIO(_file(_MAGIC + data[start:stop], empty, [group], rows))))
        except (GraspError, pa.ArrowException, OSError, UnicodeDecodeError):
            return False

    groups = list(_groups(list(_pages(data)), per_row, is_whole))
    if not groups:
        message = "the file has no intact rows: no row group has the pages of all columns"
        raise DatasetError(Problem("bad-parquet", message, path))
    written = [_row_group(data, columns, chunks, rows) for rows, chunks in groups]
    kept = groups[-1][1][-1].pages[-1].stop
    whole = _file(data[:kept], empty, written, sum(rows for rows, _ in groups))
    return Salvaged(whole, kept, len(data))


def _names(path: str, columns: Sequence[str]) -> list[str]:
    """The parts of a column's path; names of columns have dots in them."""
    name = max((name for name in columns if path == name or path.startswith(f"{name}.")), key=len)
    return [name, *path.removeprefix(name).split(".")[1:]]


def _pages(data: bytes) -> Iterator[_Page]:
    """The pages from the start of a file, up to the first invalid one."""
    at, view = len(_MAGIC), memoryview(data)
    while at < len(data):
        reader = thrift.Reader(view, at)
        try:
            head = reader.struct()
        except thrift.ThriftError:
            return
        page = _page(head, at, reader.at)
        if page is None or page.stop > len(data):
            return
        yield page
        at = page.stop


def _page(head: thrift.Struct, start: int, payload: int) -> _Page | None:
    """The page of a header; None for an invalid header."""
    kind, raw, size = head.get(1), head.get(2), head.get(3)
    if not (isinstance(kind, int) and isinstance(raw, int) and isinstance(size, int)):
        return None
    body = head.get(_BODIES.get(kind, -1))
    values = body.get(1) if isinstance(body, dict) else None
    if not isinstance(values, int) or min(values, raw, size) < 0:
        return None
    return _Page(start, payload, payload + size, kind, values, raw + payload - start)


def _groups(
    pages: Sequence[_Page], per_row: Sequence[int], is_whole: Callable[[int, Sequence[_Chunk]], bool]
) -> Iterator[tuple[int, list[_Chunk]]]:
    """Rows and column chunks of each intact row group."""
    at = 0
    while at < len(pages):
        candidates = _fitting(pages, at, per_row)
        found = next((each for each in candidates if is_whole(*each)), None)
        if found is None:
            return
        yield found
        at += sum(len(chunk.pages) for chunk in found[1])


def _fitting(
    pages: Sequence[_Page], start: int, per_row: Sequence[int]
) -> Iterator[tuple[int, list[_Chunk]]]:
    """The row groups that can begin at a page: the first column has one page, or two, ..."""
    first = start + (pages[start].kind == _DICTIONARY_PAGE)
    values = 0
    for page in pages[first:]:
        if page.kind == _DICTIONARY_PAGE:
            return
        values += page.values
        rows, rest = divmod(values, per_row[0])
        if rows and not rest and (chunks := _chunks(pages, start, [rows * each for each in per_row])):
            yield rows, chunks


def _chunks(pages: Sequence[_Page], at: int, wanted: Sequence[int]) -> list[_Chunk] | None:
    """One column chunk after the other, with exactly so many values each; None if they do not fit."""
    chunks = []
    for values in wanted:
        start, held = at, 0
        while held < values:
            if at >= len(pages) or (pages[at].kind == _DICTIONARY_PAGE and at > start):
                return None
            held += pages[at].values if pages[at].kind != _DICTIONARY_PAGE else 0
            at += 1
        if held != values:
            return None
        chunks.append(_Chunk(pages[start:at]))
    return chunks


def _row_group(
    data: bytes, columns: Sequence[_Column], chunks: Sequence[_Chunk], rows: int, shift: int = 0
) -> bytes:
    written, total = [], 0
    for column, chunk in zip(columns, chunks, strict=True):
        first, last = chunk.pages[0], chunk.pages[-1]
        names = [thrift.binary(name.encode()) for name in column.names]
        raw = sum(page.raw_size for page in chunk.pages)
        body = next(page for page in chunk.pages if page.kind != _DICTIONARY_PAGE)
        fields = [
            (1, thrift.I32, thrift.integer(column.physical_type)),
            (2, thrift.LIST, thrift.sequence(thrift.I32, [thrift.integer(each) for each in _ENCODINGS])),
            (3, thrift.LIST, thrift.sequence(thrift.BINARY, names)),
            (4, thrift.I32, thrift.integer(_codec(data, first))),
            (5, thrift.I64, thrift.integer(chunk.values)),
            (6, thrift.I64, thrift.integer(raw)),
            (7, thrift.I64, thrift.integer(last.stop - first.start)),
            (9, thrift.I64, thrift.integer(body.start - shift)),
        ]
        if first.kind == _DICTIONARY_PAGE:
            fields.append((11, thrift.I64, thrift.integer(first.start - shift)))
        chunk_fields = [(2, thrift.I64, thrift.integer(0)), (3, thrift.STRUCT, thrift.struct(fields))]
        written.append(thrift.struct(chunk_fields))
        total += raw
    return thrift.struct(
        [
            (1, thrift.LIST, thrift.sequence(thrift.STRUCT, written)),
            (2, thrift.I64, thrift.integer(total)),
            (3, thrift.I64, thrift.integer(rows)),
        ]
    )


def _codec(data: bytes, page: _Page) -> int:
    """How a page is compressed, by its first bytes; snappy begins with the size it unpacks to."""
    payload = data[page.payload : page.stop]
    if payload.startswith(b"\x28\xb5\x2f\xfd"):
        return _ZSTD
    if payload.startswith(b"\x1f\x8b"):
        return _GZIP
    size = shift = 0
    for byte in payload[:5]:
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return _SNAPPY if size == page.raw_size - (page.payload - page.start) else _UNCOMPRESSED


def _file(pages: bytes, template: bytes, groups: Sequence[bytes], rows: int) -> bytes:
    """Pages with the footer of an empty file of the same columns, and row groups in it."""
    size = int.from_bytes(template[-8:-4], "little")
    raw = thrift.raw_fields(template[-8 - size : -8])
    raw[3] = (thrift.I64, thrift.integer(rows))
    raw[4] = (thrift.LIST, thrift.sequence(thrift.STRUCT, groups))
    footer = thrift.struct([(number, kind, value) for number, (kind, value) in sorted(raw.items())])
    return pages + footer + len(footer).to_bytes(4, "little") + _MAGIC
