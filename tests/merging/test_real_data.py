"""Recordings of others; skipped where they are not at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import (
    DataError,
    DatasetError,
    MergeConfig,
    MergeReport,
    RelabelConfig,
    SourceConfig,
    merge,
    open_dataset,
    relabel,
)
from tests.support.factories import data_table, episodes_table, read_info, tree
from tests.support.lerobot_judge import open_set

type SharedData = Callable[[str], Path]

TOP = "observation.images.top"


@pytest.fixture(scope="module")
def banana(shared_data: SharedData, tmp_path_factory: pytest.TempPathFactory) -> MergeReport:
    source, labels = shared_data("cr5_banana_v21"), shared_data("cr5_banana.txt")
    target = tmp_path_factory.mktemp("banana") / "labelled"
    return relabel(RelabelConfig(root=source, annotations=labels, new_root=target))


def images_equal(output: Path, camera: str, paths: list[Path]) -> None:
    """First and last images of each episode against a file of its own."""
    import torch
    from lerobot.datasets.video_utils import decode_video_frames

    dataset = open_set(output)
    for row, path in zip(dataset.meta.episodes, paths, strict=True):
        for frame in (0, row["length"] - 1):
            (image,) = decode_video_frames(path, [frame / dataset.fps], 1e-4, backend="pyav")
            assert torch.equal(dataset[row["dataset_from_index"] + frame][camera], image), (path, frame)


def test_banana_figures(banana: MergeReport) -> None:
    assert (len(banana.episodes), banana.frames, banana.success_frames) == (20, 4499, 779)
    assert banana.sources[0].timestamps_fixed > 1000
    assert banana.verification.ok
    assert sum(data_table(banana.root)["next.reward"].to_pylist()) == 779


def banana_video(shared_data: SharedData, episode: int) -> Path:
    return shared_data("cr5_banana_v21") / f"videos/chunk-000/{TOP}/episode_{episode:06d}.mp4"


def test_banana_rows_and_images(banana: MergeReport, shared_data: SharedData) -> None:
    own, tables = data_table(banana.root), []
    for episode in range(20):
        path = shared_data("cr5_banana_v21") / f"data/chunk-000/episode_{episode:06d}.parquet"
        tables.append(pq.ParquetFile(path).read())
    for name in ("action", "observation.state", "frame_index", "episode_index"):
        assert own[name].to_pylist() == [value for table in tables for value in table[name].to_pylist()]
    dataset = open_set(banana.root)
    assert len(dataset) == 4499
    for index in (0, 2500, 4498):
        assert dataset[index][TOP].shape == (3, 480, 640)


def test_banana_refuses_to_keep_its_timestamps(shared_data: SharedData, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="timestamp-off-grid"):
        relabel(
            RelabelConfig(
                root=shared_data("cr5_banana_v21"),
                annotations=shared_data("cr5_banana.txt"),
                new_root=tmp_path / "out",
                timestamps="keep",
            )
        )
    assert list(tmp_path.iterdir()) == []


def test_banana_subset_with_another(banana: MergeReport, shared_data: SharedData, tmp_path: Path) -> None:
    source = shared_data("cr5_banana_v21")
    other = merge(
        MergeConfig(
            sources=[SourceConfig(root=banana.root, episodes="18-19", task="eat it")],
            drop_features=["next.reward", "next.done"],
            new_root=tmp_path / "other",
        )
    )
    report = merge(
        MergeConfig(
            sources=[SourceConfig(root=source, episodes=[3, 7, 11]), SourceConfig(root=other.root)],
            new_root=tmp_path / "out",
        )
    )
    lengths = open_dataset(root=source).lengths
    assert [episode.frames for episode in report.episodes] == [lengths[n] for n in (3, 7, 11, 18, 19)]
    paths = [banana_video(shared_data, episode) for episode in (3, 7, 11, 18, 19)]
    images_equal(tmp_path / "out", TOP, paths)
    assert open_set(tmp_path / "out")[report.frames - 1]["task"] == "eat it"


def test_gr1(shared_data: SharedData, tmp_path: Path) -> None:
    source = shared_data("gr1_picknplace_v20")
    before = tree(source)
    extra = [name for name in read_info(source)["features"] if name.startswith("annotation.")]
    ghost = "observation.images.egoview"  # declared, without a single file
    with pytest.raises(DatasetError, match="video-missing") as caught:
        merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    assert ghost in caught.value.problems[0].hint
    extra.append(ghost)
    report = merge(
        MergeConfig(
            sources=[SourceConfig(root=source, episodes=[4])],
            drop_features=extra,
            new_root=tmp_path / "out",
        )
    )
    camera = "observation.images.ego_view"
    paths = [source / f"videos/chunk-000/{camera}/episode_{own:06d}.mp4" for own in (4,)]
    images_equal(tmp_path / "out", camera, paths)
    own = data_table(tmp_path / "out")
    theirs = [pq.ParquetFile(source / f"data/chunk-000/episode_{n:06d}.parquet").read() for n in (4,)]
    for name in ("observation.state", "action", "next.reward", "next.done"):
        wanted = [value for table in theirs for value in table[name].to_pylist()]
        assert own[name].to_pylist() == wanted, name
    assert any(problem.code == "template-mismatch" for problem in report.warnings)
    assert any("computed from its images" in note for note in report.sources[0].notes)
    assert f"stats/{camera}/q99" in episodes_table(tmp_path / "out").column_names
    assert tree(source) == before
    info = read_info(tmp_path / "out")
    assert not [name for name in info["features"] if name.startswith("annotation.")]


def test_koch_lacks_its_videos(shared_data: SharedData, tmp_path: Path) -> None:
    source = shared_data("koch_screwdriver_v21")
    with pytest.raises(DatasetError) as caught:
        merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    cameras = open_dataset(root=source).info.video_keys
    assert [problem.code for problem in caught.value.problems] == ["video-missing"] * len(cameras)
    assert list(tmp_path.iterdir()) == []
    report = merge(
        MergeConfig(
            sources=[SourceConfig(root=source)], drop_features=list(cameras), new_root=tmp_path / "out"
        )
    )
    assert (len(report.episodes), report.frames) == (5, 1217)
    assert len(open_set(tmp_path / "out")) == 1217


def test_b601_without_camera(shared_data: SharedData, tmp_path: Path) -> None:
    source = shared_data("b601_v30_nocam")
    merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    own, theirs = data_table(tmp_path / "out"), data_table(source)
    assert len(open_set(tmp_path / "out")) == 871
    for name in ("action", "observation.state"):
        assert own[name].to_pylist() == theirs[name].to_pylist()


@pytest.mark.parametrize("name", ["lerobotv2", "lerobotv2-image"])
def test_ioai_v2(name: str, shared_data: SharedData, tmp_path: Path) -> None:
    source = shared_data("ioai_tiny") / name
    report = merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    assert (len(report.episodes), report.frames) == (2, 6)
    dataset = open_set(tmp_path / "out")
    assert [int(dataset[index]["frame_index"]) for index in range(6)] == [0, 1, 2, 0, 1, 2]


def test_ioai_v3_says_what_it_lacks(shared_data: SharedData, tmp_path: Path) -> None:
    source = shared_data("ioai_tiny") / "lerobotv3"
    with pytest.raises(DatasetError) as caught:
        merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    problem = caught.value.problems[0]
    assert str(source / "meta") in problem.place.path
    assert "column" in problem.message or "missing" in problem.message
