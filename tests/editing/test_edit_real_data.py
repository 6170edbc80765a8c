"""Edits of a recording of others: H.264 with B-frames, a keyframe every second, timestamps off the grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from lerobot_grasp_plugin.dataset.provenance import FirstEpisode, read_provenance
from lerobot_grasp_plugin.editing.config import DeleteConfig, SplitConfig, TrimConfig
from tests.support.edited import edited, origins
from tests.support.factories import data_table, tree
from tests.support.lerobot_judge import open_set

type SharedData = Callable[[str], Path]
type Part = tuple[int, int, int]
"""Episode of the source, first frame and the one after the last."""

TOP = "observation.images.top"
AT_ONCE = 20
"""Images that are compared at a time."""


def assert_parts(root: Path, source: Path, parts: Sequence[Part]) -> None:
    """Rows and images are those of frames of the source's episodes; LeRobot reads each of them."""
    from lerobot.datasets.video_utils import decode_video_frames

    dataset = open_set(root)
    assert [row["length"] for row in dataset.meta.episodes] == [stop - start for _, start, stop in parts]
    rows, position = data_table(root), 0
    for episode, start, stop in parts:
        own = pq.ParquetFile(source / f"data/chunk-000/episode_{episode:06d}.parquet").read()
        for name in ("action", "observation.state"):
            wanted = own[name].slice(start, stop - start).to_pylist()
            assert rows[name].slice(position, stop - start).to_pylist() == wanted
        video = source / f"videos/chunk-000/{TOP}/episode_{episode:06d}.mp4"
        for first in range(start, stop, AT_ONCE):
            frames = range(first, min(first + AT_ONCE, stop))
            stamps = [frame / dataset.fps for frame in frames]
            images = decode_video_frames(video, stamps, 1e-4, backend="pyav")
            for frame, image in zip(frames, images, strict=True):
                item = dataset[position + frame - start]
                assert torch.equal(item[TOP], image), (episode, frame)
                assert int(item["frame_index"]) == frame - start
        position += stop - start


def test_banana_is_trimmed_and_divided(shared_data: SharedData, tmp_path: Path) -> None:
    source = shared_data("cr5_banana_v21")
    before = tree(source)
    edited(source, tmp_path / "two", DeleteConfig(episode_indices="0-16, 19"))
    lengths = [length for _, _, length in origins(tmp_path / "two") if length is not None]
    report = edited(tmp_path / "two", tmp_path / "trimmed", TrimConfig(threshold=0.05))
    assert report.reports[0].verification.ok
    ends = [(start or 0, (start or 0) + (length or 0)) for _, start, length in origins(tmp_path / "trimmed")]
    assert ends != [(0, length) for length in lengths]  # there is something to be cut off
    edited(tmp_path / "trimmed", tmp_path / "out", SplitConfig(parts=2, episode_indices=[0]))
    (start, stop), other = ends
    middle = start + (stop - start) // 2
    parts = [(17, start, middle), (17, middle, stop), (18, *other)]
    assert_parts(tmp_path / "out", source, parts)
    firsts = [entry.first for entry in read_provenance(tmp_path / "out").episodes.values()]
    assert firsts == [FirstEpisode("cr5_banana_v21", str(source), own, first) for own, first, _ in parts]
    assert tree(source) == before


@pytest.mark.parametrize("frames", ["2-31, 47-61", "100-"])
def test_banana_ranges(shared_data: SharedData, tmp_path: Path, frames: str) -> None:
    source = shared_data("cr5_banana_v21")
    edited(source, tmp_path / "out", TrimConfig(frames={3: frames}))
    kept = [(start, start + own) for each, start, own in origins(tmp_path / "out") if each == 3]
    edited(tmp_path / "out", tmp_path / "few", DeleteConfig(episode_indices=f"0-2, {3 + len(kept)}-"))
    assert_parts(tmp_path / "few", source, [(3, *span) for span in kept])
