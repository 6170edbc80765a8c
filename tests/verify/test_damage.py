"""Faults injected one at a time into a sound dataset; verify names each by its code and place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin import Problem, verify_dataset
from tests.support.factories import Legacy, write_legacy

DATA = "data/chunk-000/episode_000001.parquet"
VIDEO = "videos/chunk-000/observation.images.wrist/episode_000001.mp4"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


def found(root: Path) -> list[Problem]:
    """What verify finds, but for the episodes being as short as tests have them."""
    return [problem for problem in verify_dataset(root).problems if problem.code != "short-episode"]


def written(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda root: (root / name).write_bytes(content)


FAULTS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "table is empty": (written(DATA, b""), "empty-file", DATA),
    "table is an LFS pointer": (written(DATA, LFS), "lfs-pointer", DATA),
    "table without footer": (written(DATA, b"PAR1" + bytes(99)), "bad-parquet", DATA),
    "video is empty": (written(VIDEO, b""), "video-empty", VIDEO),
    "video is an LFS pointer": (written(VIDEO, LFS), "video-lfs-pointer", VIDEO),
    "video is missing": (lambda root: (root / VIDEO).unlink(), "video-missing", VIDEO),
    "info is no JSON": (written("meta/info.json", b"{"), "bad-json", "meta/info.json"),
    "tasks are an LFS pointer": (written("meta/tasks.jsonl", LFS), "lfs-pointer", "meta/tasks.jsonl"),
    "two formats": (written("meta/tasks.parquet", b"PAR1"), "mixed-versions", "meta"),
}


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault: str, version: str, tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(version=version))
    assert found(root) == []
    inject, code, place = FAULTS[fault]
    inject(root)
    assert (code, str(root / place)) in [(problem.code, problem.place.path) for problem in found(root)]


def test_jittered_timestamps_and_unreferenced_frames(tmp_path: Path) -> None:
    jittered = found(write_legacy(tmp_path / "jitter", Legacy(jitter_s=0.01)))
    assert [(problem.code, problem.place.episode, problem.place.frame) for problem in jittered] == [
        ("timestamp-off-grid", 0, 0)
    ]
    surplus = found(write_legacy(tmp_path / "surplus", Legacy(extra_video_frames=2)))
    assert {(problem.code, problem.severity) for problem in surplus} == {("unreferenced-frames", "warning")}
