import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import pytest

from lerobot_grasp_plugin.core.video_index import Segment
from lerobot_grasp_plugin.core.video_plan import plan_shards
from lerobot_grasp_plugin.findings.problem import VideoError
from lerobot_grasp_plugin.video import packets as packets_module
from lerobot_grasp_plugin.video.packets import write_shard
from lerobot_grasp_plugin.video.probe import scan
from tests.support.video_judge import (
    AV1,
    FPS,
    NO_LIMIT,
    concatenate,
    copy_and_judge,
    decode_all,
    encode,
    hash_segment,
    hash_segments,
    x265,
)

PATTERNS = {
    "whole": [(0, 24)],
    "holes": [(0, 8), (12, 5), (18, 6)],
    "inside-gops": [(3, 8), (14, 3)],
    "neighbours-then-back": [(1, 2), (8, 8), (16, 4), (6, 7)],
    "backwards": [(16, 8), (12, 4), (0, 7)],
}
CODECS = [
    "av1-gop2",
    "aom-gop8",
    "vp9-gop4",
    "h264-gop2",
    "h264-gop12-b",
    "h264-open-gop8",
    "hevc-open-gop6",
    "hevc-open-gop8-b4",
    "hevc-closed-gop6",
    "hevc-gop30",
]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("name", CODECS)
def test_every_frame_is_the_sources_frame(video, tmp_path: Path, name: str, pattern: str) -> None:
    copy_and_judge([Segment(video(name), *span) for span in PATTERNS[pattern]], tmp_path)


def test_clean_starts_share_a_file_and_open_ones_do_not(video, tmp_path: Path) -> None:
    spans = [(0, 6), (12, 6)]
    plans, _ = copy_and_judge([Segment(video("hevc-closed-gop6"), *span) for span in spans], tmp_path)
    assert len(plans) == 1
    (tmp_path / "open").mkdir()
    plans, _ = copy_and_judge([Segment(video("hevc-open-gop6"), *span) for span in spans], tmp_path / "open")
    assert len(plans) == 2


def test_episode_files_and_a_recorded_file_become_one(video, tmp_path: Path) -> None:
    singles = [encode(tmp_path / f"{n}.mp4", AV1, n, seed=n) for n in (5, 8, 3)]
    recorded = video("av1-concatenated")
    segments = [
        Segment(recorded, 13, 9),
        Segment(singles[0], 0, 5),
        Segment(recorded, 0, 7),
        Segment(singles[1], 0, 8),
        Segment(singles[2], 0, 3),
        Segment(recorded, 7, 6),
    ]
    plans, _ = copy_and_judge(segments, tmp_path)
    assert len(plans) == 1
    assert [p.from_frame for p in plans[0].placements] == [0, 9, 14, 21, 29, 32]
    assert plans[0].preroll == 0


def test_streams_with_other_parameters_do_not_share_a_file(video, tmp_path: Path) -> None:
    names = ["h264-gop12-b", "h264-gop12-crf40", "h264-gop12-cavlc", "h264-gop12-b"]
    plans, _ = copy_and_judge([Segment(video(name), 0, 12) for name in names], tmp_path)
    assert [len(plan.placements) for plan in plans] == [1, 1, 1, 1]


def test_av1_of_other_quality_shares_a_file(video, tmp_path: Path) -> None:
    names = ["av1-gop2", "av1-gop2-crf45", "av1-gop2"]
    plans, _ = copy_and_judge([Segment(video(name), 2, 9) for name in names], tmp_path)
    assert len(plans) == 1


def test_reorder_depth_is_one_for_the_whole_file(video, tmp_path: Path) -> None:
    """A first run that needs no reordering, then one that does."""
    path = video("h264-gop12-b")
    plans, outputs = copy_and_judge([Segment(path, 0, 1), Segment(path, 12, 12)], tmp_path)
    assert (len(plans), plans[0].reorder_depth) == (1, 2)
    assert scan(outputs[0], FPS).reorder_depth == 2


def test_first_pts_not_zero(video, tmp_path: Path) -> None:
    path = video("h264-late")
    copy_and_judge([Segment(path, 7, 7), Segment(path, 20, 4), Segment(path, 24, 7)], tmp_path)
    with pytest.raises(VideoError, match="frame 6 is not in the file"):
        plan_shards([Segment(path, 6, 2)], {path: scan(path, FPS)}, FPS, NO_LIMIT)


def test_hidden_frames_of_an_edit_list_are_preroll(video, tmp_path: Path) -> None:
    path = video("h264-edit-list")
    plans, _ = copy_and_judge([Segment(path, 0, 6), Segment(path, 9, 4)], tmp_path)
    assert plans[0].preroll == 5 + 2
    with pytest.raises(VideoError, match="frame -2 is not in the file"):
        plan_shards([Segment(path, -2, 4)], {path: scan(path, FPS)}, FPS, NO_LIMIT)


def test_fewer_frames_than_rows_is_an_error_and_more_are_left(video, tmp_path: Path) -> None:
    path = video("av1-gop2")
    index = {path: scan(path, FPS)}
    with pytest.raises(
        VideoError, match=r"av1-gop2\.mp4: error: frames 20 to 25 are needed, but frame 24 is not"
    ):
        plan_shards([Segment(path, 20, 6)], index, FPS, NO_LIMIT)
    plans, _ = copy_and_judge([Segment(path, 0, 21)], tmp_path)
    assert plans[0].total_frames == 21


def test_the_size_limit_holds_for_the_files(video, tmp_path: Path) -> None:
    segments = [Segment(video("av1-concatenated"), *span) for span in ((0, 7), (7, 6), (13, 9))]
    segments += [Segment(video("av1-gop2"), k, 4) for k in range(0, 24, 4)]
    limit = 25_000
    _, outputs = copy_and_judge(segments, tmp_path, max_bytes=limit)
    assert 2 < len(outputs) < len(segments)
    assert all(output.stat().st_size < limit for output in outputs)


def planned(path: Path, *spans: tuple[int, int]):
    return plan_shards([Segment(path, *span) for span in spans], {path: scan(path, FPS)}, FPS, NO_LIMIT)[0]


def test_the_same_plan_gives_the_same_bytes_in_threads_too(video, tmp_path: Path) -> None:
    plan = planned(video("hevc-open-gop6"), (0, 9), (1, 4))
    targets = [tmp_path / f"{n}.mp4" for n in range(4)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda target: write_shard(plan, target, FPS), targets))
    assert len({target.read_bytes() for target in targets}) == 1


def test_the_index_stands_before_the_packets(video, tmp_path: Path) -> None:
    write_shard(planned(video("av1-gop2"), (0, 24)), tmp_path / "x.mp4", FPS)
    raw = (tmp_path / "x.mp4").read_bytes()
    kinds, at = [], 0
    while at < len(raw):
        kinds.append(raw[at + 4 : at + 8])
        at += int.from_bytes(raw[at : at + 4], "big")
    assert kinds[:2] == [b"ftyp", b"moov"]
    assert kinds[-1] == b"mdat"


def test_nothing_of_the_muxers_version_gets_in(video, tmp_path: Path) -> None:
    write_shard(planned(video("av1-gop2"), (0, 24)), tmp_path / "x.mp4", FPS)
    assert b"Lavf" in video("av1-gop2").read_bytes()
    assert b"Lavf" not in (tmp_path / "x.mp4").read_bytes()


def test_a_source_with_another_time_base_is_put_on_the_grids(video, tmp_path: Path) -> None:
    source = tmp_path / "90k.mp4"
    options = {"video_track_timescale": "90000"}
    with av.open(str(video("h264-gop12-b"))) as old, av.open(str(source), "w", options=options) as new:
        stream = new.add_stream_from_template(old.streams.video[0], opaque=True)
        stream.time_base = Fraction(1, 90_000)
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    _, (output,) = copy_and_judge([Segment(source, 2, 7), Segment(source, 14, 3)], tmp_path)
    with av.open(str(output)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert packets[0].time_base == Fraction(1, 10_240)
    assert {packet.duration for packet in packets} == {1024}
    assert [packet.dts for packet in packets] == [1024 * (k - 2) for k in range(len(packets))]


def test_where_seeking_fails_the_file_is_read_from_its_beginning(
    video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoSeek:
        def __init__(self, container):
            self.demux = container.demux

        def seek(self, *_, **__):
            raise av.error.PermissionError(1, "no seeking")

    get = packets_module._OpenSources.get

    def without_seek(self, path, rewind=False):
        container, stream = get(self, path, rewind)
        return NoSeek(container), stream

    path = video("hevc-closed-gop6")
    plan = planned(path, (12, 6), (0, 6))
    write_shard(plan, tmp_path / "usual.mp4", FPS)
    expected = hash_segments(path, [(13, 4), (2, 3)], FPS)
    monkeypatch.setattr(packets_module._OpenSources, "get", without_seek)
    write_shard(plan, tmp_path / "other.mp4", FPS)
    assert (tmp_path / "other.mp4").read_bytes() == (tmp_path / "usual.mp4").read_bytes()
    assert hash_segments(path, [(13, 4), (2, 3)], FPS) == expected


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640)])
def test_the_mode_follows_the_umask(video, tmp_path: Path, umask: int, mode: int) -> None:
    plan = planned(video("av1-gop2"), (0, 4))
    before = os.umask(umask)
    try:
        write_shard(plan, tmp_path / "x.mp4", FPS)
    finally:
        os.umask(before)
    assert (tmp_path / "x.mp4").stat().st_mode & 0o777 == mode


def test_an_existing_file_is_refused_and_kept(video, tmp_path: Path) -> None:
    target = tmp_path / "x.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        write_shard(planned(video("av1-gop2"), (0, 4)), target, FPS)
    assert target.read_bytes() == b"mine"


def held_open(target: Path) -> list[str]:
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(str(entry.readlink()))
        except OSError:
            continue
    return [name for name in names if str(target) in name]


def test_a_source_that_changed_leaves_nothing_behind(video, tmp_path: Path) -> None:
    source, target = tmp_path / "source.mp4", tmp_path / "x.mp4"
    source.write_bytes(video("av1-gop2").read_bytes())
    plan = planned(source, (0, 4), (8, 8))
    source.write_bytes(video("av1-gop2-crf45").read_bytes())
    with pytest.raises(VideoError, match=r"source\.mp4: error: packet \d+ changed since"):
        write_shard(plan, target, FPS)
    assert not target.exists()
    assert not held_open(target)
    source.write_bytes(video("h264-gop2").read_bytes())
    with pytest.raises(VideoError, match="parameters changed"):
        write_shard(plan, target, FPS)
    assert not target.exists()
    source.unlink()
    with pytest.raises(VideoError, match="cannot be read"):
        write_shard(plan, target, FPS)
    assert not target.exists()


def test_an_index_without_room_is_an_error_and_leaves_nothing_behind(video, tmp_path: Path) -> None:
    plan = dataclasses.replace(planned(video("av1-gop2"), (0, 24)), moov_bytes=64)
    with pytest.raises(VideoError, match="cannot be finished"):
        write_shard(plan, tmp_path / "x.mp4", FPS)
    assert list(tmp_path.iterdir()) == []
    assert not held_open(tmp_path / "x.mp4")


def test_a_hash_tells_payload_place_and_order(video, tmp_path: Path) -> None:
    path = video("h264-gop12-b")
    assert hash_segment(path, 0, 12, FPS) != hash_segment(path, 12, 12, FPS)
    assert hash_segment(path, 0, 12, FPS) != hash_segment(path, 0, 11, FPS)
    spans = [(12, 12), (3, 4), (0, 24)]
    assert hash_segments(path, spans, FPS) == [hash_segment(path, *span, FPS) for span in spans]
    late = video("h264-late")  # the same packets, seven frames later
    assert hash_segment(late, 10, 9, FPS) == hash_segment(path, 3, 9, FPS)
    flipped = bytearray(path.read_bytes())
    at = flipped.index(b"mdat") + 4000
    flipped[at] ^= 1
    (tmp_path / "flipped.mp4").write_bytes(flipped)
    assert hash_segment(tmp_path / "flipped.mp4", 0, 24, FPS) != hash_segment(path, 0, 24, FPS)
    with pytest.raises(VideoError, match="frame 24 is not in the file"):
        hash_segment(path, 20, 6, FPS)


def test_lerobots_own_join_reads_the_outputs(video, tmp_path: Path) -> None:
    """What it does when its merge appends an output to another file: packets copied, times shifted."""
    _, (output,) = copy_and_judge(
        [Segment(video("av1-gop2"), 4, 8), Segment(video("av1-gop2"), 0, 4)], tmp_path
    )
    joined = decode_all(concatenate(tmp_path / "joined.mp4", [output, output]))
    once = decode_all(output)
    assert joined == once | {frame + 12: digest for frame, digest in once.items()}


def test_a_run_that_begins_on_a_cra_twice(tmp_path: Path) -> None:
    """Subset of a subset: the file that starts on a CRA image is copied again."""
    source = encode(tmp_path / "source.mp4", x265(6), 24)
    (tmp_path / "one").mkdir()
    _, (first,) = copy_and_judge([Segment(source, 6, 15)], tmp_path / "one")
    (tmp_path / "two").mkdir()
    plans, _ = copy_and_judge([Segment(first, 0, 4), Segment(first, 6, 6)], tmp_path / "two")
    assert len(plans) == 2
