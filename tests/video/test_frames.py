import hashlib
from pathlib import Path

import pytest

from lerobot_grasp_plugin.findings.problem import VideoError
from lerobot_grasp_plugin.video import frames as frames_module
from lerobot_grasp_plugin.video.frames import decode_segment
from tests.support.video_judge import FPS, decode_all, decode_by_seeking

NAMES = [
    "av1-gop2",
    "vp9-gop4",
    "h264-gop12-b",
    "h264-open-gop8",
    "hevc-open-gop6",
    "hevc-gop30",
    "hevc-closed-gop6",
]


def digests(path: Path, start: int, length: int, only: list[int] | None = None) -> dict[int, str]:
    found = {}
    for frame, pixels in decode_segment(path, start, length, FPS, only):
        assert (pixels.shape, pixels.dtype) == ((64, 96, 3), "uint8")
        assert frame not in found
        found[frame] = hashlib.md5(pixels.tobytes()).hexdigest()
    assert list(found) == sorted(found)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_those_of_lerobots_reader(video, name: str) -> None:
    path = video(name)
    whole = decode_all(path)
    assert digests(path, 0, 24) == {k: whole[k] for k in range(24)}
    assert digests(path, 5, 9) == {k: whole[5 + k] for k in range(9)}
    sought = decode_by_seeking(path, range(5, 14))
    assert len(sought) >= 5
    assert {k - 5: digest for k, digest in sought.items()}.items() <= digests(path, 5, 9).items()


@pytest.mark.parametrize("only", [[7], [0, 23], [3, 4, 12, 13, 20], [22, 9, 9, 1], []])
@pytest.mark.parametrize("name", NAMES)
def test_chosen_frames_are_found_wherever_they_stand(video, name: str, only: list[int]) -> None:
    whole = decode_all(video(name))
    assert digests(video(name), 0, 24, only) == {k: whole[k] for k in only}


def test_frames_count_from_the_segment_and_the_file_may_start_late(video) -> None:
    whole = decode_all(video("h264-late"))
    assert digests(video("h264-late"), 9, 5, [0, 4]) == {0: whole[9], 4: whole[13]}
    hidden = decode_all(video("h264-edit-list"))
    assert digests(video("h264-edit-list"), 0, 19) == hidden


def test_stretches_without_a_wanted_frame_are_not_decoded(video, monkeypatch: pytest.MonkeyPatch) -> None:
    fed = []
    shown = frames_module._shown

    def counted(stream, packet):
        fed.append(packet)
        return shown(stream, packet)

    monkeypatch.setattr(frames_module, "_shown", counted)
    assert len(digests(video("av1-gop2"), 0, 24, [1, 21])) == 2
    assert sum(packet is not None for packet in fed) <= 8


def test_a_long_stretch_is_decoded_without_being_held(video, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = decode_all(video("h264-gop2"))
    monkeypatch.setattr(frames_module, "_HELD_PACKETS", 1)
    fed = []
    shown = frames_module._shown
    monkeypatch.setattr(frames_module, "_shown", lambda *given: fed.append(given) or shown(*given))
    assert digests(video("h264-gop2"), 0, 24, [0, 23]) == {0: whole[0], 23: whole[23]}
    assert sum(packet is not None for _, packet in fed) == 24


def test_a_frame_that_is_not_there_is_named(video) -> None:
    with pytest.raises(VideoError, match=r"av1-gop2\.mp4: error: frame 24 cannot be decoded"):
        digests(video("av1-gop2"), 20, 6)
    with pytest.raises(ValueError, match="frame 6 is outside a segment with frames 0 to 5"):
        digests(video("av1-gop2"), 4, 6, [2, 6])


def test_a_damaged_file_is_an_error(video, tmp_path: Path) -> None:
    raw = bytearray(video("av1-gop2").read_bytes())
    raw[600:6000] = b"\xff" * 5400
    (tmp_path / "bad.mp4").write_bytes(raw)
    with pytest.raises(VideoError, match=r"bad\.mp4"):
        digests(tmp_path / "bad.mp4", 0, 24)
