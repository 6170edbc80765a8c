"""Computes an upper bound of the size of an mp4 file with one video track, before it is written."""

from __future__ import annotations

from typing import NamedTuple

OUTER_BOXES = 64  # ftyp, free and the header of mdat
_CHUNK_BYTES = 1 << 20  # ffmpeg's mov muxer closes a chunk before it grows to this


def moov_bound(packets: int, keyframes: int, packet_bytes: int, reordered: bool, extradata: int) -> int:
    """Bytes a ``moov`` box with one video track takes at most, as ffmpeg's mov muxer writes it.

    Args:
        packets: Number of samples.
        keyframes: Number of sync samples.
        packet_bytes: Sum of the payloads.
        reordered: Whether decode order differs from presentation order (then there is a ``ctts``).
        extradata: Bytes of decoder configuration.
    """
    chunks = 2 * (packet_bytes // _CHUNK_BYTES) + 2
    per_packet = 4 + 1 + (8 if reordered else 0)  # stsz, sdtp, ctts
    return 4096 + 2 * extradata + per_packet * packets + 4 * keyframes + (8 + 12) * chunks


class FileTotals(NamedTuple):
    """The figures that determine a file's size; for the attributes see ``moov_bound``."""

    packets: int = 0
    keyframes: int = 0
    packet_bytes: int = 0
    reordered: bool = False
    extradata: int = 0

    def plus(self, other: FileTotals) -> FileTotals:
        """The totals of a file with the packets of both."""
        return FileTotals(
            self.packets + other.packets,
            self.keyframes + other.keyframes,
            self.packet_bytes + other.packet_bytes,
            self.reordered or other.reordered,
            max(self.extradata, other.extradata),
        )

    @property
    def file_bytes(self) -> int:
        """Upper bound of the file's size."""
        return self.packet_bytes + moov_bound(*self) + OUTER_BOXES
