"""Datasets with videos after merge, relabel, each edit and LeRobot's converter: each is named as it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import DatasetError, MergeConfig, RelabelConfig, SourceConfig, merge, relabel
from lerobot_grasp_plugin.diff.report import FeatureChange
from lerobot_grasp_plugin.editing.config import (
    DeleteConfig,
    InsertConfig,
    PlacedEpisodes,
    ReorderConfig,
    ReplaceConfig,
    SetTaskConfig,
    SplitConfig,
    TrimConfig,
)
from tests.support import factories
from tests.support.differing import brief, compared, episodes_of
from tests.support.edited import edited, slow_recording
from tests.support.factories import RECORDINGS, Legacy, tree, write_legacy

type Recorded = Callable[[str], Path]
type Made = Callable[..., Path]

SPEC = Legacy(lengths=(40, 35, 50), tasks=("pick", "place"), labels=True)
WRIST = "observation.images.wrist"


@pytest.fixture(scope="session")
def slow(once: Made) -> Path:
    """H.264 with B-frames and a keyframe every 30 images, format v2.1."""
    return once("diff-slow", lambda root: slow_recording(root, SPEC))


@pytest.fixture(scope="session")
def v30(once: Made, slow: Path) -> Path:
    """The same in format v3.0, by this package."""
    return once("diff-v30", lambda root: merged(root, SourceConfig(root=slow)))


@pytest.fixture(scope="session")
def other(once: Made) -> Path:
    """Two episodes of another recording."""
    spec = Legacy(lengths=(30, 20), seed=8, labels=True)
    return once("diff-other", lambda root: slow_recording(root, spec))


def merged(target: Path, *sources: SourceConfig, **options: Any) -> Path:
    merge(MergeConfig(sources=list(sources), new_root=target, **options))
    return target


def same(*pairs: tuple[int, int]) -> list[tuple]:
    return [("same" if a == b else "moved", a, b) for a, b in pairs]


def test_formats_are_the_same(slow: Path, v30: Path) -> None:
    before = tree(slow)
    report = compared(slow, v30)
    assert report.equal
    assert (report.a.codebase_version, report.b.codebase_version) == ("v2.1", "v3.0")
    assert tree(slow) == before


@pytest.mark.parametrize("encoded", ["slow", "quick"])
def test_lerobots_converter_changes_nothing(slow: Path, tmp_path: Path, encoded: str) -> None:
    from lerobot.scripts.convert_dataset_v21_to_v30 import convert_dataset

    source = slow
    if encoded == "quick":
        spec = Legacy(lengths=(6, 4, 5), cameras=(WRIST, "observation.images.top"), labels=True)
        source = write_legacy(tmp_path / "quick", spec)
    root = Path(shutil.copytree(source, tmp_path / "set"))
    convert_dataset("lab/set", root=root, push_to_hub=False)
    assert compared(source, root).equal


def test_merged_episodes_have_moved(slow: Path, other: Path, tmp_path: Path) -> None:
    sources = [SourceConfig(root=other), SourceConfig(root=slow, episodes=[2, 0])]
    target = merged(tmp_path / "out", *sources)
    alone = [("only in B", None, 0), ("only in B", None, 1)]
    wanted = [*same((2, 2), (0, 3)), *alone, ("only in A", 1, None)]
    assert sorted(episodes_of(compared(slow, target)), key=str) == sorted(wanted, key=str)
    wanted = [*same((0, 0), (1, 1)), ("only in B", None, 2), ("only in B", None, 3)]
    assert episodes_of(compared(other, target)) == wanted


def test_relabelled_frames(v30: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    roots = []
    for number, text in enumerate(("0: 5-9, 30-\n1: all fail\n2: 50\n", "0: 5-10, 30-\n1: 3\n2: 50\n")):
        labels.write_text(text)
        roots.append(tmp_path / str(number))
        relabel(RelabelConfig(root=v30, annotations=labels, new_root=roots[-1]))
    report = compared(*roots)
    assert [brief(each) for each in report.episodes] == [
        ("relabelled", 0, 0, None, {"next.reward": [[9, 10]]}, None, {}),
        ("relabelled", 1, 1, None, {"next.reward": [[2, 3]]}, None, {}),
        ("same", 2, 2, None, {}, None, {}),
    ]
    assert not report.dataset
    first = compared(v30, roots[0])
    assert first.episodes[0].labels["next.reward"].pairs() == [[4, 9], [29, 39]]


def test_labels_where_there_were_none(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("0: 3-\n1: 1\n2: all fail\n")
    source = recorded("unlabelled")
    relabel(RelabelConfig(root=source, annotations=tmp_path / "labels.txt", new_root=tmp_path / "out"))
    report = compared(source, tmp_path / "out")
    assert episodes_of(report) == same((0, 0), (1, 1), (2, 2))
    found = [(each.field, each.name, each.a is None) for each in report.dataset]
    assert found == [("features", "next.reward", True), ("features", "next.done", True)]


def test_trim_and_split_are_cuts(slow: Path, tmp_path: Path) -> None:
    """Neither cut is on a keyframe: packets in front of it are copied, too."""
    edited(slow, tmp_path / "trimmed", TrimConfig(frames={1: "4-20", 2: "33-"}))
    assert [brief(each)[:4] for each in compared(slow, tmp_path / "trimmed").episodes] == [
        ("same", 0, 0, None),
        ("cut", 1, 1, (3, 20)),
        ("cut", 2, 2, (32, 50)),
    ]
    edited(slow, tmp_path / "split", SplitConfig(parts=2, episode_indices=[1]))
    report = compared(slow, tmp_path / "split")
    assert [brief(each)[:4] for each in report.episodes] == [
        ("same", 0, 0, None),
        ("cut", 1, 1, (0, 17)),
        ("cut", 1, 2, (17, 35)),
        ("moved", 2, 3, None),
    ]
    assert not any(each.features for each in report.episodes)


def test_delete_reorder_insert_replace(slow: Path, other: Path, tmp_path: Path) -> None:
    edited(slow, tmp_path / "fewer", DeleteConfig(episode_indices=[1]))
    assert episodes_of(compared(slow, tmp_path / "fewer")) == [*same((0, 0), (2, 1)), ("only in A", 1, None)]
    edited(slow, tmp_path / "ordered", ReorderConfig(episode_indices=[2, 0, 1]))
    assert episodes_of(compared(slow, tmp_path / "ordered")) == same((2, 0), (0, 1), (1, 2))
    new = PlacedEpisodes(root=other, episodes=[1])
    edited(slow, tmp_path / "replaced", ReplaceConfig(episode_index=1, source=new))
    assert episodes_of(compared(slow, tmp_path / "replaced")) == [
        *same((0, 0), (2, 2)),
        ("only in B", None, 1),
        ("only in A", 1, None),
    ]
    edited(slow, tmp_path / "longer", InsertConfig(episode_index=0, source=new))
    assert episodes_of(compared(slow, tmp_path / "longer")) == [
        *same((0, 1), (1, 2), (2, 3)),
        ("only in B", None, 0),
    ]


def test_set_task(slow: Path, tmp_path: Path) -> None:
    edited(slow, tmp_path / "out", SetTaskConfig(new_task="lift", episode_indices=[1]))
    report = compared(slow, tmp_path / "out")
    assert brief(report.episodes[1]) == ("retasked", 1, 1, None, {}, (["place"], ["lift"]), {})
    assert [(each.name, each.a, each.b) for each in report.dataset] == [
        ("lift", False, True),
        ("place", True, False),
    ]


def test_several_cameras_in_small_files(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("split")
    edited(source, tmp_path / "out", DeleteConfig(episode_indices=[6, 0]))
    kept = [episode for episode in range(len(RECORDINGS["split"].lengths)) if episode not in (0, 6)]
    wanted = [*same(*((a, b) for b, a in enumerate(kept)))]
    assert episodes_of(compared(source, tmp_path / "out"))[:6] == wanted


def test_a_dataset_without_episodes(v30: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(v30, tmp_path / "set"))
    for path in (root / "meta/episodes").rglob("*.parquet"):
        pq.write_table(pq.ParquetFile(path).read().slice(0, 0), path)
    factories.change_info(root, total_episodes=0, total_frames=0)
    assert compared(root, root).equal
    assert episodes_of(compared(v30, root)) == [("only in A", episode, None) for episode in range(3)]


def test_images_encoded_again(slow: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(slow, tmp_path / "set"))
    path = root / factories.LEGACY_VIDEO.format(episode_chunk=0, video_key=WRIST, episode_index=1)
    factories.encode(path, [factories.image(SPEC.seed, 1, frame) for frame in range(35)])
    (change,) = compared(slow, root).episodes[1].features
    assert change == FeatureChange(WRIST, 35, 0, is_video=True)
    assert compared(slow, root, level="data").equal


def test_a_cut_whose_images_were_encoded_again(slow: Path, tmp_path: Path) -> None:
    edited(slow, tmp_path / "cut", TrimConfig(frames={1: "4-20"}))
    root = tmp_path / "cut"
    path = next((root / "videos").rglob("*.mp4"))
    images = [factories.image(SPEC.seed, 0, frame) for frame in range(200)]
    factories.encode(path, images)
    each = compared(slow, root).episodes[1]
    assert brief(each)[:4] == ("cut", 1, 1, (3, 20))
    assert each.features == [FeatureChange(WRIST, 17, 0, is_video=True)]


def test_a_video_that_lacks_frames(slow: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(slow, tmp_path / "set"))
    path = root / factories.LEGACY_VIDEO.format(episode_chunk=0, video_key=WRIST, episode_index=2)
    images = [factories.image(SPEC.seed, 2, frame) for frame in range(45)]
    factories.encode(path, images, parameters="keyint=30:bframes=0:scenecut=0:threads=1")
    whole = Path(shutil.copytree(root, tmp_path / "whole"))
    images += [factories.image(SPEC.seed, 2, frame) for frame in range(45, 50)]
    factories.encode(
        whole / path.relative_to(root), images, parameters="keyint=30:bframes=0:scenecut=0:threads=1"
    )
    (change,) = compared(whole, root).episodes[2].features
    assert (change.frames, change.first) == (5, 45)


def test_a_real_recording(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    """Its timestamps are off the grid, and merge sets them to it."""
    source = shared_data("cr5_banana_v21")
    assert compared(source, source).equal
    edited(source, tmp_path / "out", TrimConfig(frames={1: "31-100", 3: "2-60"}))
    report = compared(source, tmp_path / "out")
    assert [brief(each)[:4] for each in report.episodes if each.kind != "same"] == [
        ("cut", 1, 1, (30, 100)),
        ("cut", 3, 3, (1, 60)),
    ]
    assert not any(each.features for each in report.episodes)
    assert sum(each.timestamp is not None for each in report.episodes) == 20


@pytest.mark.parametrize("name", ["gr1_picknplace_v20", "koch_screwdriver_v21"])
def test_tables_without_their_videos(shared_data: Callable[[str], Path], name: str) -> None:
    source = shared_data(name)
    with pytest.raises(DatasetError, match="video-missing"):
        compared(source, source)
    assert compared(source, source, level="data").equal
