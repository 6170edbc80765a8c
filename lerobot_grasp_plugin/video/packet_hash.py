"""Hashes of coded frames, which stay the same when packets are copied from file to file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.video_index import NOT_A_START, StreamSignature
from lerobot_grasp_plugin.video.bitstream import StartReader

HASH_BYTES = 16


class PacketHash:
    """Hashes the packets of one stream, in decode order.

    Parameter sets of H.264 and HEVC count where they are in effect, not where they are stored: LeRobot's
    converter repeats those of the file's header in front of every keyframe.

    Args:
        signature: Parameters of the stream.
        reader: Takes its packets apart.
    """

    def __init__(self, signature: StreamSignature, reader: StartReader) -> None:
        self._reader = reader
        self._has_units = signature.codec in ("h264", "hevc")
        # an AV1 keyframe brings its own sequence header
        extradata = b"" if self._has_units or signature.codec == "av1" else signature.extradata
        head = f"{signature.codec} {signature.width} {signature.height} ".encode() + extradata
        self._head = _digest(head)
        self._sets: dict[int, list[bytes]] = {}
        if self._has_units:
            for unit in reader.units_of_extradata():
                self._sets.setdefault(reader.unit_type(unit), []).append(bytes(unit))
        self._state = self._in_effect()

    def hash(self, data: memoryview) -> bytes:
        """The hash of one packet, ``HASH_BYTES`` long.

        Args:
            data: Its payload.
        """
        if not self._has_units:
            return _digest(self._head, data)
        own: dict[int, list[bytes]] = {}
        coded: list[bytes | memoryview] = []
        for unit in self._reader.units(data):
            if self._reader.is_parameter_set(unit):
                own.setdefault(self._reader.unit_type(unit), []).append(bytes(unit))
            else:
                coded += (len(unit).to_bytes(4, "big"), unit)
        if own:
            self._sets |= own
            self._state = self._in_effect()
        return _digest(self._state, *coded)

    def _in_effect(self) -> bytes:
        sets = sorted(unit for units in self._sets.values() for unit in units)
        return _digest(self._head, *sets)


def chained(
    hashes: Sequence[bytes], starts: NDArray[np.uint8], frames: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Hashes of packets together with all packets since the last start, to which they may refer.

    Args:
        hashes: Of each packet, in decode order.
        starts: Start kind of each packet.
        frames: Frame shown by each packet.

    Returns:
        Shape (packets, ``HASH_BYTES``). Frames that are coded after a start and shown before it count for
        themselves alone, because a copy that begins with the start leaves them out.
    """
    found: list[bytes] = []
    state, first = b"", -1
    for own, start, frame in zip(hashes, starts.tolist(), frames.tolist(), strict=True):
        if start != NOT_A_START:
            state, first = own, frame
            found.append(own)
            continue
        both = _digest(state, own)
        found.append(both)
        if frame >= first:
            state = both
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, HASH_BYTES)


def _digest(*pieces: bytes | memoryview) -> bytes:
    digest = hashlib.blake2b(digest_size=HASH_BYTES)
    for piece in pieces:
        digest.update(piece)
    return digest.digest()
