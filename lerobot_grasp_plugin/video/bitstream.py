"""Determines the start kind of a coded packet from its NAL units or OBUs. Nothing is decoded.

The keyframe flag of a container says where a decoder may start, not whether the frames that follow are
free of what came before. HEVC CRA frames and H.264 recovery points carry the flag and are not.
"""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.core.video_index import CLEAN_START, NOT_A_START, OPEN_START

_H264_IDR, _H264_SEI = 5, 6
_H264_PARAMETER_SETS = frozenset({7, 8, 13, 15})
_H264_RECOVERY_POINT = 6
_HEVC_CLEAN = frozenset(range(16, 21))
_HEVC_CRA = 21
_HEVC_PARAMETER_SETS = frozenset({32, 33, 34})
_OBU_SEQUENCE_HEADER, _OBU_FRAME_HEADER, _OBU_FRAME = 1, 3, 6


class StartReader:
    """Classifies the packets of one stream and collects the parameter sets they carry.

    Attributes:
        codec: Canonical codec name: ``h264``, ``hevc``, ``av1``, or another one.
        parameter_sets: In-band parameter sets of H.264 and HEVC that ``extradata`` does not hold. Two
            streams that differ here must not share a file either. AV1 needs none: every clean start
            brings its own.
    """

    def __init__(self, codec: str, extradata: bytes) -> None:
        self.codec = codec
        self.parameter_sets: set[bytes] = set()
        self._extradata = extradata
        self._known: set[bytes] = set()
        size_byte = {"h264": 4, "hevc": 21}.get(codec)
        self._length_size = 4
        if size_byte is not None and len(extradata) > size_byte:
            self._length_size = (extradata[size_byte] & 3) + 1

    def kind(self, data: memoryview, is_keyframe: bool) -> int:
        """Start kind of one packet, in decode order.

        Args:
            data: The packet's payload, length-prefixed as mp4 stores it.
            is_keyframe: The container's flag.

        Returns:
            ``NOT_A_START``, ``CLEAN_START`` or ``OPEN_START``.
        """
        if self.codec == "h264":
            kind = self._h264(data)
        elif self.codec == "hevc":
            kind = self._hevc(data)
        elif not is_keyframe:
            return NOT_A_START
        else:
            kind = self._av1(data) if self.codec == "av1" else OPEN_START
        return kind if is_keyframe else NOT_A_START

    def _note(self, unit: memoryview) -> None:
        raw = bytes(unit)
        if raw in self._known:
            return
        self._known.add(raw)
        if raw not in self._extradata:
            self.parameter_sets.add(raw)

    def unit_type(self, unit: memoryview) -> int:
        """Type of a NAL unit of H.264 or HEVC."""
        return unit[0] & 31 if self.codec == "h264" else (unit[0] >> 1) & 63

    def is_parameter_set(self, unit: memoryview) -> bool:
        """Whether a NAL unit of H.264 or HEVC holds parameters, not a part of a frame."""
        kinds = _H264_PARAMETER_SETS if self.codec == "h264" else _HEVC_PARAMETER_SETS
        return self.unit_type(unit) in kinds

    def units_of_extradata(self) -> Iterator[memoryview]:
        """The parameter sets in the decoder configuration of H.264 or HEVC, as mp4 stores it."""
        data = memoryview(self._extradata)
        is_h264 = self.codec == "h264"
        at = 5 if is_h264 else 23
        arrays = 2 if is_h264 else int.from_bytes(data[22:23], "big")
        for array in range(arrays):
            if is_h264:
                number, at = int.from_bytes(data[at : at + 1], "big"), at + 1
                number &= 31 if array == 0 else 255
            else:
                number, at = int.from_bytes(data[at + 1 : at + 3], "big"), at + 3
            for _ in range(number):
                size = int.from_bytes(data[at : at + 2], "big")
                unit = data[at + 2 : at + 2 + size]
                at += 2 + size
                if len(unit):
                    yield unit

    def units(self, data: memoryview) -> Iterator[memoryview]:
        """The NAL units of a packet of H.264 or HEVC that are not empty."""
        at, end, step = 0, len(data), self._length_size
        while at + step < end:
            size = int.from_bytes(data[at : at + step], "big")
            at += step
            if unit := data[at : at + size]:
                yield unit
            at += size

    def _h264(self, data: memoryview) -> int:
        kind = NOT_A_START
        for unit in self.units(data):
            unit_type = self.unit_type(unit)
            if unit_type == _H264_IDR:
                kind = CLEAN_START
            elif unit_type == _H264_SEI and kind == NOT_A_START and _has_recovery_point(unit):
                kind = OPEN_START
            elif unit_type in _H264_PARAMETER_SETS:
                self._note(unit)
        return kind

    def _hevc(self, data: memoryview) -> int:
        kind = NOT_A_START
        for unit in self.units(data):
            unit_type = self.unit_type(unit)
            if unit_type in _HEVC_CLEAN:
                kind = CLEAN_START
            elif unit_type == _HEVC_CRA:
                kind = OPEN_START
            elif unit_type in _HEVC_PARAMETER_SETS:
                self._note(unit)
        return kind

    def _av1(self, data: memoryview) -> int:
        """A key frame must bring its sequence header: the one SVT-AV1 leaves in the extradata is not it."""
        has_sequence_header = False
        reduced = False
        for unit_type, payload in _obus(data):
            if unit_type == _OBU_SEQUENCE_HEADER and len(payload):
                has_sequence_header = True
                reduced = bool(payload[0] & 0x08)
            elif unit_type in (_OBU_FRAME_HEADER, _OBU_FRAME) and len(payload):
                if not has_sequence_header:
                    return NOT_A_START
                shown_key = reduced or payload[0] & 0xF0 == 0x10  # not repeated, type KEY, shown
                return CLEAN_START if shown_key else OPEN_START
        return NOT_A_START


def _has_recovery_point(unit: memoryview) -> bool:
    """Whether an H.264 SEI unit (with its header byte) holds a recovery point message."""
    body = bytes(unit[1:]).replace(b"\x00\x00\x03", b"\x00\x00")
    at = 0
    while at + 2 < len(body):
        values = []
        for _ in range(2):  # message type, then its size: runs of 255 and a last byte
            value = 0
            while at < len(body) and body[at] == 255:
                value += 255
                at += 1
            if at >= len(body):
                return False
            values.append(value + body[at])
            at += 1
        if values[0] == _H264_RECOVERY_POINT:
            return True
        at += values[1]
    return False


def _obus(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Type and payload of every OBU of a temporal unit, until something is malformed."""
    at, end = 0, len(data)
    while at < end:
        header = data[at]
        at += 2 if header & 4 else 1
        size = end - at
        if header & 2:
            size, shift = 0, 0
            while at < end:
                byte = data[at]
                at += 1
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
        yield (header >> 3) & 15, data[at : at + size]
        at += size
