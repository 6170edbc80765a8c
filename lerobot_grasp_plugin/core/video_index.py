"""The index of a video stream without decoding it: its parameters and every packet.

Paths are used as names here, never opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NOT_A_START, CLEAN_START, OPEN_START = 0, 1, 2
"""Start kinds of a packet: no start; nothing after it refers to what came before; something shown before
it (but coded after it) does."""


@dataclass(frozen=True, slots=True)
class StreamSignature:
    """The parameters that must be equal for streams to share a file (with ``VideoIndex.parameter_sets``).

    Attributes:
        codec: Canonical codec name, e.g. ``av1``.
        width: Pixels.
        height: Pixels.
        pix_fmt: Pixel format, e.g. ``yuv420p``; None when unknown.
        profile: Codec profile; None when unknown.
        color: Range, primaries, transfer and matrix, as ffmpeg numbers them.
        extradata: The decoder configuration of the sample description.
    """

    codec: str
    width: int
    height: int
    pix_fmt: str | None
    profile: str | None
    color: tuple[int, int, int, int]
    extradata: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class VideoIndex:
    """Every packet of a video stream, in decode order.

    Attributes:
        path: The file.
        signature: The stream's parameters.
        parameter_sets: Digest of in-band parameter sets that the extradata lacks; empty when there are none.
        frames: Frame shown by each packet, on the fps grid (0-based, absolute: 0 is pts 0). Negative
            numbers are frames before an edit list's start.
        shown: False for packets that are decoded and never shown (discard).
        sizes: Payload bytes.
        starts: ``NOT_A_START``, ``CLEAN_START`` or ``OPEN_START`` of each packet.
        pts: Ticks of ``time_base``, as the file has them.
        time_base: Seconds per tick.
        reorder_depth: Packets a frame has to wait in decode order before it may be shown, at most.
        max_deviation_s: Largest distance of a pts from the grid, in seconds.
        snapped: Whether a pts is off the grid by a tick or more and was moved onto it.
        has_audio: Whether there is an audio stream; it is not copied.
        hashes: Hash of each packet and of those it may refer to, uint8, shape (packets, bytes); None where
            they were not asked for.
    """

    path: Path
    signature: StreamSignature
    parameter_sets: str
    frames: NDArray[np.int64]
    shown: NDArray[np.bool_]
    sizes: NDArray[np.int64]
    starts: NDArray[np.uint8]
    pts: NDArray[np.int64]
    time_base: Fraction
    reorder_depth: int
    max_deviation_s: float
    snapped: bool
    has_audio: bool
    hashes: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """The frames of one episode in a source file.

    Attributes:
        path: The source file.
        start_frame: First frame on the source file's grid, 0-based.
        length: Number of frames.
    """

    path: Path
    start_frame: int
    length: int

    @property
    def stop_frame(self) -> int:
        """First frame after the segment."""
        return self.start_frame + self.length
