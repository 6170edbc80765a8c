"""Reads and writes the part of Thrift's compact protocol that parquet uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

BOOL_TRUE, BOOL_FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)

type Struct = dict[int, int | bytes | Struct | None]
"""Field number -> value; None for what no reader here needs (doubles, lists, maps)."""

_MAX_DEPTH = 12


class ThriftError(ValueError):
    """The bytes are not valid Thrift."""


class Reader:
    """Reads from a place in a buffer.

    Attributes:
        at: The place of the next byte.
    """

    def __init__(self, data: bytes | memoryview, at: int = 0) -> None:
        self._data = data
        self.at = at

    def fields(self) -> Iterator[tuple[int, int]]:
        """Number and type of each field of a struct; the caller reads or skips its value before the next."""
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            yield number, head & 15

    def struct(self, depth: int = 0) -> Struct:
        """A struct with its integers, texts and structs."""
        return {number: self._value(kind, depth) for number, kind in self.fields()}

    def skip(self, kind: int, depth: int = 0) -> None:
        """Skips a value."""
        self._value(kind, depth)

    def _value(self, kind: int, depth: int) -> int | bytes | Struct | None:
        if depth > _MAX_DEPTH:
            raise ThriftError("nested too deep")
        if kind in (BOOL_TRUE, BOOL_FALSE):
            return int(kind == BOOL_TRUE)
        if kind == BYTE:
            return self._byte()
        if kind in (I16, I32, I64):
            return self._signed()
        if kind == BINARY:
            return bytes(self._take(self._varint()))
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind == DOUBLE:
            self._take(8)
        elif kind in (LIST, SET):
            self._list(depth)
        else:
            raise ThriftError(f"type {kind}")
        return None

    def _list(self, depth: int) -> None:
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._varint()
        for _ in range(size):
            if head & 15 in (BOOL_TRUE, BOOL_FALSE):
                self._byte()
            else:
                self._value(head & 15, depth + 1)

    def _signed(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ThriftError("a number of more than 64 bits")

    def _byte(self) -> int:
        return self._take(1)[0]

    def _take(self, size: int) -> bytes | memoryview:
        piece = self._data[self.at : self.at + size]
        if len(piece) < size:
            raise ThriftError("the bytes end")
        self.at += size
        return piece


def raw_fields(data: bytes) -> dict[int, tuple[int, bytes]]:
    """Type and bytes of every field of a struct, to write them again as they are."""
    reader, found = Reader(data), {}
    for number, kind in reader.fields():
        start = reader.at
        reader.skip(kind)
        found[number] = (kind, data[start : reader.at])
    return found


def struct(fields: Sequence[tuple[int, int, bytes]]) -> bytes:
    """A struct of (number, type, written value), in ascending order of numbers."""
    written, last = bytearray(), 0
    for number, kind, value in fields:
        written.append((number - last) << 4 | kind)
        written += value
        last = number
    return bytes(written) + b"\0"


def integer(value: int) -> bytes:
    """An integer of type I16, I32 or I64."""
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


def binary(value: bytes) -> bytes:
    """A text or other bytes."""
    return _varint(len(value)) + value


def sequence(kind: int, values: Sequence[bytes]) -> bytes:
    """A list of written values of one type."""
    head = (
        bytes([len(values) << 4 | kind])
        if len(values) < 15
        else bytes([15 << 4 | kind]) + _varint(len(values))
    )
    return head + b"".join(values)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)
