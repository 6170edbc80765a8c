from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lerobot_grasp_plugin.findings.problem import VideoError
from lerobot_grasp_plugin.video.probe import header, scan
from tests.support.video_judge import AV1, FPS, encode, remux

FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}


def code_of(error: pytest.ExceptionInfo[VideoError]) -> str:
    return error.value.problems[0].code


def kinds(path: Path) -> dict[int, int]:
    """Start kinds by frame, without the frames that are no start."""
    index = scan(path, FPS)
    pairs = zip(index.frames.tolist(), index.starts.tolist(), strict=True)
    return {frame: kind for frame, kind in pairs if kind}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("av1-gop2", dict.fromkeys(range(0, 24, 2), 1)),
        ("aom-gop8", {0: 1, 8: 1, 16: 1}),
        ("vp9-gop4", dict.fromkeys(range(0, 24, 4), 2)),
        ("h264-gop2", dict.fromkeys(range(0, 24, 2), 1)),
        ("h264-gop12-b", {0: 1, 12: 1}),
        ("h264-open-gop8", {0: 1, 8: 2, 16: 2}),
        ("hevc-open-gop6", {0: 1, 6: 2, 12: 2, 18: 2}),
        ("hevc-closed-gop6", {0: 1, 6: 1, 12: 1, 18: 1}),
        ("hevc-gop30", {0: 1, 30: 2}),
    ],
)
def test_the_kind_of_start_is_read_from_the_bitstream(video, name, expected) -> None:
    assert kinds(video(name)) == expected


def test_an_index_lists_every_packet_in_decode_order(video) -> None:
    path = video("h264-gop12-b")
    index = scan(path, FPS)
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    assert index.pts.tolist() == [p.pts for p in packets]
    assert index.sizes.tolist() == [p.size for p in packets]
    assert sorted(index.frames.tolist()) == list(range(24))
    assert index.frames.tolist() != sorted(index.frames.tolist())
    assert index.reorder_depth == 2
    assert index.shown.all()
    assert (index.max_deviation_s, index.snapped, index.has_audio) == (0.0, False, False)


def test_frames_are_absolute_when_the_first_pts_is_not_zero(video) -> None:
    assert sorted(scan(video("h264-late"), FPS).frames.tolist()) == list(range(7, 31))


def test_frames_before_an_edit_list_are_negative_and_not_shown(video) -> None:
    index = scan(video("h264-edit-list"), FPS)
    assert sorted(index.frames[~index.shown].tolist()) == [-5, -4, -3, -2, -1]
    assert sorted(index.frames[index.shown].tolist()) == list(range(19))


def test_a_pts_near_the_grid_is_snapped_and_reported(video, tmp_path: Path) -> None:
    near = scan(remux(tmp_path / "near.mp4", video("av1-gop2"), times={3: 250, 6: -100}), FPS)
    assert near.frames.tolist() == list(range(24))
    assert near.snapped
    assert near.max_deviation_s == pytest.approx(250 / 10240)


def test_a_pts_far_off_the_grid_is_an_error_naming_the_frame(video, tmp_path: Path) -> None:
    far = remux(tmp_path / "far.mp4", video("av1-gop2"), times={5: 300})
    with pytest.raises(VideoError, match=r"far\.mp4: error: frame 5 is shown at 0\.529297 s") as caught:
        scan(far, FPS)
    assert code_of(caught) == "video-off-grid"


def test_two_packets_on_one_frame_are_an_error(video, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="frame 0 is shown twice on the 1 fps grid"):
        scan(remux(tmp_path / "x.mp4", video("av1-gop2"), times={k: -1024 * k + k for k in range(24)}), 1)
    with pytest.raises(VideoError, match="check the frame rate"):
        scan(video("av1-gop2"), FPS // 2)


def test_rounding_to_a_time_base_is_not_called_snapping(tmp_path: Path) -> None:
    path = encode(tmp_path / "30.mp4", AV1, 9, fps=30)
    retimed = tmp_path / "10240.mp4"
    with (
        av.open(str(path)) as old,
        av.open(str(retimed), "w", options={"video_track_timescale": "10240"}) as new,
    ):
        stream = new.add_stream_from_template(old.streams.video[0], opaque=True)
        stream.time_base = Fraction(1, 10240)
        for number, packet in enumerate(p for p in old.demux(video=0) if p.size):
            packet.time_base = Fraction(1, 10240)
            packet.pts = packet.dts = round(number * 10240 / 30)
            packet.stream = stream
            new.mux(packet)
    index = scan(retimed, 30)
    assert index.frames.tolist() == list(range(9))
    assert 0 < index.max_deviation_s < 1 / 10240
    assert not index.snapped


def test_different_quality_differs_in_h264_but_not_in_av1(video) -> None:
    def signatures(*names):
        return [scan(video(name), FPS).signature for name in names]

    one, other = signatures("av1-gop2", "av1-gop2-crf45")
    assert one == other
    one, other = signatures("h264-gop12-b", "h264-gop12-crf40")
    assert one != other


def test_a_header_is_read_without_demuxing(video) -> None:
    read = header(video("av1-gop2"))
    assert (read.signature.codec, read.signature.width, read.signature.height) == ("av1", 96, 64)
    assert read.signature.pix_fmt == "yuv420p"
    assert (read.frames, read.fps, read.duration_s) == (24, 10, Fraction(24, 10))
    assert read.signature == scan(video("av1-gop2"), FPS).signature


def test_audio_is_ignored_and_reported(video, tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(video("av1-gop2"))) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0], opaque=True)
        sound = new.add_stream("aac", 16_000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        samples.sample_rate, samples.pts = 16_000, 0
        new.mux(sound.encode(samples))
        new.mux(sound.encode(None))
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    index = scan(path, FPS)
    assert index.has_audio
    assert header(path).has_audio
    assert index.frames.tolist() == list(range(24))


def test_two_sample_descriptions_are_refused(video, tmp_path: Path) -> None:
    raw = bytearray(video("h264-gop2").read_bytes())
    at = raw.index(b"stsd")
    raw[at + 8 : at + 12] = (2).to_bytes(4, "big")
    path = tmp_path / "two.mp4"
    path.write_bytes(raw)
    with pytest.raises(VideoError, match=r"2 sample descriptions.*\[video-mixed-parameters\]"):
        header(path)


def test_a_packet_that_lies_outside_the_file_is_damage(video, tmp_path: Path) -> None:
    raw = bytearray(video("h264-gop2").read_bytes())
    at = raw.index(b"stco") + 12  # offset of the first chunk
    raw[at : at + 4] = (len(raw) - 50).to_bytes(4, "big")
    path = tmp_path / "outside.mp4"
    path.write_bytes(raw)
    with pytest.raises(VideoError, match=r"outside\.mp4: error: packet 0 is damaged"):
        scan(path, FPS)


def test_an_incomplete_keyframe_is_a_start_only_where_the_file_itself_begins(video, tmp_path: Path) -> None:
    """AV1 key frames that rely on the sequence header of the extradata."""
    path = tmp_path / "bare.mp4"
    with av.open(str(video("aom-gop8"))) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0], opaque=True)
        for packet in old.demux(video=0):
            data = bytes(packet)
            if data[:1] == b"\x0a":  # sequence header, then its size
                bare = av.Packet(data[2 + data[1] :])
                bare.pts, bare.dts, bare.time_base = packet.pts, packet.dts, packet.time_base
                bare.is_keyframe, packet = True, bare
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    assert kinds(video("aom-gop8")) == {0: 1, 8: 1, 16: 1}
    assert kinds(path) == {0: 2}


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("video-empty", lambda raw: b""),
        (
            "video-lfs-pointer",
            lambda raw: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        ),
        ("video-truncated", lambda raw: raw[: len(raw) // 2]),
        ("video-truncated", lambda raw: raw[:-100]),
        ("video-truncated", lambda raw: raw[: raw.index(b"moov") - 4]),
        ("video-unreadable", lambda raw: np.random.default_rng(1).bytes(4000)),
        ("video-unreadable", lambda raw: None),
    ],
)
@pytest.mark.parametrize("read", [header, lambda path: scan(path, FPS)])
def test_what_is_no_video_is_named(video, tmp_path: Path, code, make, read) -> None:
    path = tmp_path / "bad.mp4"
    content = make(video("h264-gop2").read_bytes())
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=r"bad\.mp4") as caught:
        read(path)
    assert code_of(caught) == code


@pytest.mark.parametrize(
    "behind",
    [b"\0", bytes(4096), b"a text that follows", b"\0\0\1\0moovcut off"],
    ids=["a zero", "zeros", "text", "a second index"],
)
def test_bytes_behind_a_whole_file_are_passed_over(video, tmp_path: Path, behind: bytes) -> None:
    """As every reader does."""
    whole = video("h264-gop2")
    path = tmp_path / "longer.mp4"
    path.write_bytes(whole.read_bytes() + behind)
    assert np.array_equal(scan(path, FPS).pts, scan(whole, FPS).pts)


def test_a_time_no_video_has_is_damage(tmp_path: Path, video) -> None:
    path = tmp_path / "late.mp4"
    with av.open(str(video("h264-gop2"))) as old, av.open(str(path), "w", options=FRAGMENTS) as new:
        copy = new.add_stream_from_template(old.streams.video[0], opaque=True)
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = copy
                new.mux_one(packet)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"tfdt") + 8
    content[at : at + 8] = (2**62).to_bytes(8, "big")
    path.write_bytes(content)
    with pytest.raises(VideoError) as caught:
        scan(path, FPS)
    assert code_of(caught) == "video-damaged"


def test_a_file_without_a_video_stream_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as output:
        sound = output.add_stream("aac", 16_000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        samples.sample_rate, samples.pts = 16_000, 0
        output.mux(sound.encode(samples))
        output.mux(sound.encode(None))
    with pytest.raises(VideoError) as caught:
        header(path)
    assert code_of(caught) == "video-no-stream"
