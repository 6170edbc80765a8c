"""Recordings and copies that were broken off: refused for what they are, in the words of verify."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin import DatasetError, MergeConfig, RelabelConfig, SourceConfig, merge, relabel
from lerobot_grasp_plugin.frames.config import FramesConfig
from lerobot_grasp_plugin.frames.extract import extract_frames
from tests.support.factories import Legacy, Recording, change_info, features_of, write_legacy

type Recorded = Callable[[str], Path]


def created(root: Path, copied: Recorded) -> None:
    from lerobot.datasets import LeRobotDataset

    LeRobotDataset.create("lab/new", fps=10, features=features_of(Recording(())), root=root)


def killed(root: Path, copied: Recorded) -> None:
    shutil.move(copied("av1"), root)
    shutil.rmtree(root / "meta/episodes")
    (path,) = (root / "data").rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-64])


def metadata_alone(root: Path, copied: Recorded) -> None:
    shutil.move(copied("av1"), root)
    shutil.rmtree(root / "data")
    shutil.rmtree(root / "videos")


def empty_v21(root: Path, copied: Recorded) -> None:
    write_legacy(root, Legacy(lengths=()))
    change_info(root, total_episodes=0)
    (root / "meta/tasks.jsonl").unlink()
    (root / "images/observation.images.wrist/episode_000000").mkdir(parents=True)
    (root / "images/observation.images.wrist/episode_000000/frame_000000.png").write_bytes(b"x")


CASES = {
    "no-episodes": created,
    "unfinished-recording": killed,
    "only-metadata": metadata_alone,
    "no-episodes of v2.1": empty_v21,
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_broken_off_is_named_as_that(case: str, tmp_path: Path, copied: Recorded) -> None:
    root = tmp_path / "set"
    CASES[case](root, copied)
    (labels := tmp_path / "labels.txt").write_text("0: 2-\n")
    runs: list[Callable[[], object]] = [
        lambda: merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "out")),
        lambda: extract_frames(FramesConfig(root=root, output_dir=tmp_path / "frames")),
    ]
    if case != "only-metadata":
        runs.append(lambda: relabel(RelabelConfig(root=root, annotations=labels, new_root=tmp_path / "out")))
    for run in runs:
        with pytest.raises(DatasetError) as caught:
            run()
        errors = [problem for problem in caught.value.problems if problem.severity == "error"]
        assert errors[0].code == case.split()[0]
        assert "copy it again" not in str(caught.value)
