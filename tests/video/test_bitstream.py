import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.video.bitstream import StartReader

AVCC = bytes([1, 100, 0, 10, 0xFF, 0xE1, 0, 3, 0x67, 1, 2])
HVCC = bytes(21) + bytes([3, 0])


def units(*nals: bytes) -> memoryview:
    return memoryview(b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals))


def obu(kind: int, payload: bytes) -> bytes:
    return bytes([kind << 3 | 2, len(payload)]) + payload


RECOVERY = bytes([6, 6, 1, 0x84, 0x80])
OTHER_THEN_RECOVERY = bytes([6, 5, 2, 9, 9, 6, 1, 0x84, 0x80])
OTHER_SEI = bytes([6, 5, 2, 6, 6, 0x80])
I_SLICE, IDR = b"\x41xx", b"\x65xx"


@pytest.mark.parametrize(
    ("nals", "kind"),
    [
        ([IDR], 1),
        ([RECOVERY, IDR], 1),
        ([RECOVERY, I_SLICE], 2),
        ([OTHER_THEN_RECOVERY, I_SLICE], 2),
        ([OTHER_SEI, I_SLICE], 0),
        ([I_SLICE], 0),
        ([b"", IDR], 1),
    ],
)
def test_h264(nals: list[bytes], kind: int) -> None:
    assert StartReader("h264", AVCC).kind(units(*nals), True) == kind
    assert StartReader("h264", AVCC).kind(units(*nals), False) == 0


@pytest.mark.parametrize(("nal_type", "kind"), [(1, 0), (16, 1), (18, 1), (19, 1), (20, 1), (21, 2), (9, 0)])
def test_hevc(nal_type: int, kind: int) -> None:
    assert StartReader("hevc", HVCC).kind(units(bytes([nal_type << 1, 1, 0])), True) == kind


def test_the_length_of_a_length_is_in_the_extradata() -> None:
    two = AVCC[:4] + b"\xfd" + AVCC[5:]
    assert StartReader("h264", two).kind(memoryview(b"\x00\x03" + IDR), True) == 1


SEQUENCE, REDUCED = obu(1, b"\x00\x01"), obu(1, b"\x18\x01")
KEY, HIDDEN_KEY, INTER, REPEATED = b"\x10\x00", b"\x00\x00", b"\x30\x00", b"\x90\x00"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (obu(2, b"") + SEQUENCE + obu(6, KEY), 1),
        (SEQUENCE + obu(5, b"meta") + obu(3, KEY), 1),
        (obu(6, KEY), 0),  # the sequence header of the extradata need not be the one it was coded with
        (SEQUENCE + obu(6, HIDDEN_KEY), 2),
        (SEQUENCE + obu(6, INTER), 2),
        (SEQUENCE + obu(3, REPEATED), 2),
        (REDUCED + obu(6, HIDDEN_KEY), 1),
        (SEQUENCE + b"\x34\x00" + b"\x02" + KEY, 2),  # extension byte, no size field: 0x02 is the payload
        (SEQUENCE, 0),
    ],
)
def test_av1(data: bytes, kind: int) -> None:
    assert StartReader("av1", b"").kind(memoryview(data), True) == kind


def test_parameter_sets_that_the_extradata_lacks_are_kept() -> None:
    reader = StartReader("h264", AVCC)
    reader.kind(units(b"\x67\x01\x02", IDR), True)
    assert reader.parameter_sets == set()
    reader.kind(units(b"\x68\x07", I_SLICE), False)
    assert reader.parameter_sets == {b"\x68\x07"}
    reader = StartReader("hevc", HVCC)
    reader.kind(units(bytes([33 << 1, 1, 7]), bytes([19 << 1, 1])), True)
    assert reader.parameter_sets == {bytes([33 << 1, 1, 7])}


@given(st.sampled_from(["h264", "hevc", "av1", "vp9"]), st.binary(max_size=40), st.binary(max_size=60))
def test_no_bytes_make_it_fail(codec: str, extradata: bytes, data: bytes) -> None:
    reader = StartReader(codec, extradata)
    assert reader.kind(memoryview(data), True) in (0, 1, 2)
    assert reader.kind(memoryview(data), False) == 0
