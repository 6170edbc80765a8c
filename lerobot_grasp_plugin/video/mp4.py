"""Reads the boxes of an mp4 file: its tracks' tables of samples, without reading the samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_SAMPLES = 2**23
"""Samples a track may have: 77 hours at 30 fps. A header can claim any number in a few bytes."""

_CONTAINERS = frozenset({"moov", "trak", "mdia", "minf", "stbl", "edts"})


class Mp4Error(ValueError):
    """The boxes contradict each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One track, as its tables describe it; n samples, in decode order.

    Attributes:
        kind: ``vide``, ``soun``, ...
        timescale: Ticks per second.
        descriptions: Number of sample descriptions.
        dts: Decode time of each sample in ticks, int64, shape (n,); starts at 0.
        pts: Presentation time in ticks before the edit list, int64, shape (n,).
        ticks: Sum of the samples' durations.
        sizes: Bytes, int64, shape (n,).
        offsets: Position in the file, int64, shape (n,).
        sync: Whether a decoder may start at the sample, bool, shape (n,).
        edits: Entries of the edit list: duration (in ticks of the movie), media time, rate (16.16).
        upright: Whether the track's matrix leaves its frames as they are coded.
    """

    kind: str
    timescale: int
    descriptions: int
    dts: NDArray[np.int64]
    pts: NDArray[np.int64]
    ticks: int
    sizes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    sync: NDArray[np.bool_]
    edits: Sequence[tuple[int, int, int]]
    upright: bool


@dataclass(frozen=True, slots=True)
class Movie:
    """The contents of a file's moov box.

    Attributes:
        timescale: Ticks per second of edit durations.
        fragmented: Whether samples are described elsewhere, too.
        kinds: Kind of every track.
        video: The first video track; None without one.
    """

    timescale: int
    fragmented: bool
    kinds: Sequence[str]
    video: Track | None


def boxes(data: memoryview) -> Iterator[tuple[str, memoryview]]:
    """Type and content of the boxes in a memory of an mp4."""
    at = 0
    while at + 8 <= len(data):
        size, head = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(data) - at
        if size < head:
            return
        yield bytes(data[at + 4 : at + 8]).decode("latin-1"), data[at + head : at + size]
        at += size


def leaves(box: memoryview) -> dict[str, memoryview]:
    """Content of the boxes within a box, inside its containers as well; the first of each type."""
    found: dict[str, memoryview] = {}
    waiting = [box]
    while waiting:
        for kind, content in boxes(waiting.pop()):
            if kind in _CONTAINERS:
                waiting.append(content)
            else:
                found.setdefault(kind, content)
    return found


def track_kind(track: dict[str, memoryview]) -> str:
    """``vide`` for a video track, by its leaves."""
    return bytes(track.get("hdlr", b"")[8:12]).decode("latin-1")


def sample_descriptions(track: dict[str, memoryview]) -> int:
    """How many sample descriptions a track has, by its leaves."""
    return int.from_bytes(track.get("stsd", b"")[4:8], "big")


def read_movie(moov: memoryview) -> Movie:
    """Reads the content of a moov box.

    Raises:
        Mp4Error: The tables of the first video track are missing, cut off or contradict each other, or
            claim more than ``MAX_SAMPLES`` samples.
    """
    top = list(boxes(moov))
    tracks = [leaves(content) for kind, content in top if kind == "trak"]
    header = next((content for kind, content in top if kind == "mvhd"), memoryview(b""))
    video = next((track for track in tracks if track_kind(track) == "vide"), None)
    return Movie(
        timescale=_timescale(header),
        fragmented=any(kind == "mvex" for kind, _ in top),
        kinds=[track_kind(track) for track in tracks],
        video=None if video is None else _track(video),
    )


def _track(found: dict[str, memoryview]) -> Track:
    lacking = {"mdhd", "stsd", "stts", "stsz", "stsc"} - found.keys()
    if lacking or not {"stco", "co64"} & found.keys():
        raise Mp4Error(f"the video track has no {', '.join(sorted(lacking)) or 'stco'} box")
    timescale = _timescale(found["mdhd"])
    if not timescale:
        raise Mp4Error("the video track has no timescale")
    sizes = _sizes(found["stsz"])
    count = len(sizes)
    durations = _runs(found["stts"], count, "stts", ">u4")
    dts = np.concatenate((np.zeros(1, np.int64), np.cumsum(durations)))
    pts = dts[:-1].copy()
    if "ctts" in found:
        pts += _runs(found["ctts"], count, "ctts", ">i4")
    sync = np.ones(count, dtype=np.bool_)
    if "stss" in found:
        numbers = _fields(found["stss"], "stss", np.dtype(">u4")).astype(np.int64)
        sync[:] = False
        sync[numbers[(numbers >= 1) & (numbers <= count)] - 1] = True
    return Track(
        kind=track_kind(found),
        timescale=timescale,
        descriptions=sample_descriptions(found),
        dts=dts[:-1],
        pts=pts,
        ticks=int(dts[-1]),
        sizes=sizes,
        offsets=_offsets(found, sizes),
        sync=sync,
        edits=_edits(found.get("elst")),
        upright=_upright(found.get("tkhd")),
    )


def _timescale(header: memoryview) -> int:
    """Of an mvhd or mdhd box."""
    at = 20 if bytes(header[:1]) == b"\1" else 12
    return int.from_bytes(header[at : at + 4], "big")


def _upright(header: memoryview | None) -> bool:
    """Whether the matrix of a tkhd box turns and mirrors nothing."""
    if header is None:
        return True
    at = 52 if bytes(header[:1]) == b"\1" else 40
    turn = [int.from_bytes(header[at + step : at + step + 4], "big", signed=True) for step in (0, 4, 12, 16)]
    across, down = turn[0], turn[3]
    return turn[1:3] == [0, 0] and across >= 0 and down >= 0


def _fields(box: memoryview, name: str, dtype: np.dtype[Any], skip: int = 4) -> NDArray[Any]:
    """The table of a box: a number of entries, then that many."""
    count = int.from_bytes(box[skip : skip + 4], "big")
    if skip + 4 + count * dtype.itemsize > len(box):
        raise Mp4Error(f"its {name} box claims {count} entries but is too short for them")
    return np.frombuffer(box, dtype, count, skip + 4)


def _runs(box: memoryview, count: int, name: str, dtype: str) -> NDArray[np.int64]:
    """A run-length coded table, one value for each sample."""
    table = _fields(box, name, np.dtype([("n", ">u4"), ("value", dtype)]))
    lengths = table["n"].astype(np.int64)
    total = int(lengths.sum())
    if total < count or total > MAX_SAMPLES:
        raise Mp4Error(f"its {name} box describes {total} of {count} samples")
    values: NDArray[np.int64] = np.repeat(table["value"].astype(np.int64), lengths)[:count]
    return values


def _sizes(box: memoryview) -> NDArray[np.int64]:
    size, count = int.from_bytes(box[4:8], "big"), int.from_bytes(box[8:12], "big")
    if count > MAX_SAMPLES:
        raise Mp4Error(f"it claims {count} samples, more than can be read ({MAX_SAMPLES})")
    if size:
        return np.full(count, size, dtype=np.int64)
    sizes: NDArray[np.int64] = _fields(box, "stsz", np.dtype(">u4"), skip=8).astype(np.int64)
    return sizes


def _offsets(found: dict[str, memoryview], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The offset of each sample, from the chunks of consecutive samples."""
    if "co64" in found:
        chunks = _fields(found["co64"], "co64", np.dtype(">u8")).astype(np.int64)
    else:
        chunks = _fields(found["stco"], "stco", np.dtype(">u4")).astype(np.int64)
    table = _fields(found["stsc"], "stsc", np.dtype([("first", ">u4"), ("n", ">u4"), ("description", ">u4")]))
    first = table["first"].astype(np.int64) - 1
    runs = np.diff(np.append(first, len(chunks)))
    if not len(sizes):
        return np.empty(0, dtype=np.int64)
    if not len(first) or first[0] != 0 or (runs < 0).any() or int(first[-1]) > len(chunks):
        raise Mp4Error("its stsc and stco boxes contradict each other")
    per_chunk = np.repeat(table["n"].astype(np.int64), runs)
    ends = np.cumsum(per_chunk)
    if not len(ends) or ends[-1] < len(sizes):
        held = int(ends[-1]) if len(ends) else 0
        raise Mp4Error(f"its chunks hold {held} of {len(sizes)} samples")
    chunk = np.searchsorted(ends, np.arange(len(sizes)), side="right")
    before = np.cumsum(sizes) - sizes
    first_in_chunk = np.minimum(ends - per_chunk, len(sizes) - 1)
    starts: NDArray[np.int64] = chunks[chunk] + before - before[first_in_chunk[chunk]]
    return starts


def _edits(box: memoryview | None) -> list[tuple[int, int, int]]:
    if box is None:
        return []
    wide = bytes(box[:1]) == b"\1"
    dtype = np.dtype([("duration", ">u8"), ("time", ">i8"), ("rate", ">i4")])
    if not wide:
        dtype = np.dtype([("duration", ">u4"), ("time", ">i4"), ("rate", ">i4")])
    return [(int(d), int(t), int(r)) for d, t, r in _fields(box, "elst", dtype)]
