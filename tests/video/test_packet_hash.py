"""Hashes of coded frames: equal where images are equal by their packets, wherever these are copied to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin.core.video_index import Segment
from lerobot_grasp_plugin.core.video_plan import plan_shards
from lerobot_grasp_plugin.video.packets import write_shard
from lerobot_grasp_plugin.video.probe import scan
from tests.support.video_judge import FPS, NO_LIMIT, concatenate, encode, x264

type Video = Callable[[str], Path]

CODECS = [
    "av1-gop2",
    "aom-gop8",
    "vp9-gop4",
    "h264-gop2",
    "h264-gop12-b",
    "h264-open-gop8",
    "hevc-open-gop6",
    "hevc-closed-gop6",
    "hevc-gop30",
]


def hashes(path: Path, start: int = 0, length: int = NO_LIMIT) -> list[bytes]:
    """Of each shown frame, in presentation order."""
    index = scan(path, FPS, hashes=True)
    assert index.hashes is not None
    order = np.argsort(index.frames[index.shown])
    frames = index.frames[index.shown][order]
    inside = (frames >= start) & (frames < start + length)
    return [bytes(each) for each in index.hashes[index.shown][order][inside]]


@pytest.mark.parametrize("name", CODECS)
def test_copies_have_the_hashes_of_their_source(video: Video, tmp_path: Path, name: str) -> None:
    spans = [(16, 8), (3, 8), (0, 7)]
    segments = [Segment(video(name), *span) for span in spans]
    plans = plan_shards(segments, {video(name): scan(video(name), FPS)}, FPS, NO_LIMIT)
    copied = []
    for plan in plans:
        path = tmp_path / f"{plan.ordinal}.mp4"
        write_shard(plan, path, FPS)
        for placement in plan.placements:
            length = placement.to_frame - placement.from_frame
            copied.append(hashes(path, placement.from_frame, length))
    assert copied == [hashes(video(name), *span) for span in spans]
    assert len({each for part in copied for each in part}) == 8 + 8 + 7 - 4


@pytest.mark.parametrize("name", CODECS)
def test_files_joined_by_lerobot_have_them(video: Video, tmp_path: Path, name: str) -> None:
    """For H.264 ffmpeg writes the parameters of each file in front of its keyframes."""
    joined = concatenate(tmp_path / "joined.mp4", [video(name), video(name)])
    assert hashes(joined) == hashes(video(name)) * 2


def test_parameters_in_effect_count(tmp_path: Path) -> None:
    """Two encoders' files in one: each frame is hashed with the parameters of its own file."""
    first = encode(tmp_path / "a.mp4", x264(6, 2), 12)
    other = encode(tmp_path / "b.mp4", x264(6, 2, ":cabac=0"), 12, seed=1)
    joined = concatenate(tmp_path / "joined.mp4", [first, other])
    assert hashes(joined) == hashes(first) + hashes(other)


def test_a_change_reaches_the_frames_that_may_refer_to_it(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", x264(6), 18)
    before = hashes(path)
    data = bytearray(path.read_bytes())
    with_sizes = scan(path, FPS)
    at = data.find(b"mdat") + 4 + int(with_sizes.sizes[:8].sum())
    data[at + int(with_sizes.sizes[8]) // 2] ^= 1
    path.write_bytes(data)
    changed = [frame for frame, (old, new) in enumerate(zip(before, hashes(path), strict=True)) if old != new]
    assert changed == [8, 9, 10, 11]
