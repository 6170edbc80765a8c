"""Tables and statistics of an output, against LeRobot's and against plain numpy."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import MergeConfig, RelabelConfig, SourceConfig, merge, relabel
from tests.support.factories import RECORDINGS, Legacy, data_table, episodes_table, read_info, write_legacy
from tests.support.lerobot_judge import open_set

type Recorded = Callable[[str], Path]
type Output = Callable[[str, Sequence[int]], Path]

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
SHAPES = [("av1", [3, 0, 4]), ("odd", [2, 0, 1]), ("split", [6, 7, 1, 0, 2]), ("unlabelled", [2, 1])]


@pytest.fixture(scope="module")
def output(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Output:
    made: dict[str, Path] = {}

    def merged(name: str, episodes: Sequence[int]) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("output") / name
            source = SourceConfig(root=recorded(name), episodes=list(episodes))
            merge(MergeConfig(sources=[source], new_root=made[name]))
        return made[name]

    return merged


@pytest.mark.parametrize(("name", "episodes"), SHAPES)
def test_data_files_have_lerobots_schema(
    name: str, episodes: list[int], output: Output, recorded: Recorded
) -> None:
    from lerobot.datasets.feature_utils import get_hf_features_from_features

    out = output(name, episodes)
    file = pq.ParquetFile(out / "data/chunk-000/file-000.parquet")
    own = file.schema_arrow
    wanted = get_hf_features_from_features(open_set(out).meta.features).arrow_schema
    assert own.names == wanted.names
    assert own.types == wanted.types
    metadata = {key: json.loads(value) for key, value in own.metadata.items()}
    assert metadata == {key: json.loads(value) for key, value in wanted.metadata.items()}
    theirs = pq.ParquetFile(recorded(name) / "data/chunk-000/file-000.parquet")
    assert {field.name: (field.type, field.metadata) for field in own} == {
        field.name: (field.type, field.metadata) for field in theirs.schema_arrow
    }
    assert {file.metadata.row_group(0).column(n).compression for n in range(len(own))} == {"SNAPPY"}


@pytest.mark.parametrize(("name", "episodes"), SHAPES)
def test_one_row_group_per_episode(name: str, episodes: list[int], output: Output) -> None:
    file = pq.ParquetFile(output(name, episodes) / "data/chunk-000/file-000.parquet")
    rows = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    assert rows == [RECORDINGS[name].lengths[episode] for episode in episodes]


@pytest.mark.parametrize(("name", "episodes"), SHAPES)
def test_episodes_table_has_lerobots_columns(
    name: str, episodes: list[int], output: Output, recorded: Recorded
) -> None:
    own = episodes_table(output(name, episodes)).schema
    theirs = episodes_table(recorded(name)).schema
    assert {field.name: field.type for field in own} == {field.name: field.type for field in theirs}


@pytest.mark.parametrize(("name", "episodes"), SHAPES)
def test_episodes_table_points_at_the_rows(name: str, episodes: list[int], output: Output) -> None:
    out = output(name, episodes)
    lengths = [RECORDINGS[name].lengths[episode] for episode in episodes]
    table = episodes_table(out).to_pydict()
    ends = np.cumsum(lengths).tolist()
    assert table["length"] == lengths
    assert table["dataset_to_index"] == ends
    assert table["dataset_from_index"] == [0, *ends[:-1]]
    assert table["episode_index"] == list(range(len(lengths)))
    for key in RECORDINGS[name].cameras:
        starts, stops = (table[f"videos/{key}/{side}_timestamp"] for side in ("from", "to"))
        files = table[f"videos/{key}/file_index"]
        position = 0
        for number, length in enumerate(lengths):
            if number and files[number] != files[number - 1]:
                position = 0
            assert starts[number] == position / 10
            assert stops[number] == (position + length) / 10
            position += length
    rows = data_table(out).to_pydict()
    assert rows["index"] == list(range(sum(lengths)))
    assert rows["frame_index"] == [frame for length in lengths for frame in range(length)]
    assert rows["episode_index"] == [n for n, length in enumerate(lengths) for _ in range(length)]


@pytest.mark.parametrize(("name", "episodes"), SHAPES)
def test_statistics_of_every_column(name: str, episodes: list[int], output: Output) -> None:
    out = output(name, episodes)
    rows, table = data_table(out), episodes_table(out)
    features = read_info(out)["features"]
    names = [n for n, f in features.items() if f["dtype"] not in ("video", "image", "string")]
    assert len(names) >= 7
    for feature in names:
        values = np.array(rows[feature].to_pylist(), dtype=np.float64)
        start = 0
        for episode, row in enumerate(table["length"].to_pylist()):
            part = values[start : start + row]
            part = part.reshape(-1, 1 if part.ndim == 1 else part.shape[-1])  # as LeRobot's statistics
            start += row
            wanted = {
                "min": part.min(0),
                "max": part.max(0),
                "mean": part.mean(0),
                "std": part.std(0),
                "count": [row],
            } | {q: np.quantile(part, share, axis=0) for q, share in QUANTILES.items()}
            for statistic, expected in wanted.items():
                own = table[f"stats/{feature}/{statistic}"][episode].as_py()
                assert np.allclose(own, expected, rtol=1e-9, atol=1e-9), (feature, statistic, episode)


@pytest.mark.parametrize(("name", "episodes"), SHAPES)
def test_image_statistics_are_the_sources(
    name: str, episodes: list[int], output: Output, recorded: Recorded
) -> None:
    own, theirs = episodes_table(output(name, episodes)), episodes_table(recorded(name))
    for key in (*RECORDINGS[name].cameras, *RECORDINGS[name].images):
        columns = [column for column in theirs.column_names if column.startswith(f"stats/{key}/")]
        assert len(columns) == 10
        for column in columns:
            taken = [theirs[column][episode].as_py() for episode in episodes]
            assert own[column].to_pylist() == taken, column


@pytest.mark.parametrize(("name", "episodes"), SHAPES)
def test_global_statistics_are_lerobots_aggregate(name: str, episodes: list[int], output: Output) -> None:
    from lerobot.datasets.compute_stats import aggregate_stats

    out = output(name, episodes)
    table = episodes_table(out).to_pydict()
    per_episode = []
    for episode in range(len(episodes)):
        stats: dict[str, dict] = {}
        for column, values in table.items():
            if column.startswith("stats/"):
                feature, _, statistic = column.removeprefix("stats/").rpartition("/")
                stats.setdefault(feature, {})[statistic] = np.array(values[episode])
        per_episode.append(stats)
    wanted: Any = aggregate_stats(per_episode)
    own = json.loads((out / "meta/stats.json").read_text())
    assert set(own) == set(wanted)
    for feature, stats in wanted.items():
        assert set(own[feature]) == set(stats)
        for statistic, value in stats.items():
            assert isinstance(value, np.ndarray)
            assert np.shape(own[feature][statistic]) == value.shape, (feature, statistic)
            if statistic not in QUANTILES:  # which LeRobot averages: see test_statistics.py
                assert np.allclose(own[feature][statistic], value, rtol=1e-12, atol=1e-12), feature
    read = open_set(out).meta.stats
    assert set(read) == set(wanted)


def test_relabel_renews_the_statistics_of_labels(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 7\n1: all success\n2: all fail\n3: 1-3\n4: all fail\n")
    relabel(
        RelabelConfig(
            root=recorded("av1"),
            annotations=labels,
            new_root=tmp_path / "out",
            success_value=0.5,
            next_success=True,
        )
    )
    table = episodes_table(tmp_path / "out")
    assert table["stats/next.reward/max"].to_pylist() == [[0.5], [0.5], [0.0], [0.5], [0.0]]
    assert table["stats/next.reward/q50"].to_pylist() == [[0.0], [0.5], [0.0], [0.25], [0.0]]
    assert table["stats/next.success/mean"].to_pylist() == [[1 / 7], [1.0], [0.0], [0.5], [0.0]]
    own = json.loads((tmp_path / "out/meta/stats.json").read_text())
    assert own["next.reward"]["max"] == [0.5]
    assert own["next.reward"]["mean"] == [pytest.approx(0.5 * 9 / 35)]
    theirs = episodes_table(recorded("av1"))
    for column in theirs.column_names:
        if column.startswith("stats/observation.images."):
            assert table[column].to_pylist() == theirs[column].to_pylist()
        elif column.startswith(("stats/action/", "stats/observation.")) and "/q" not in column:
            own, their = (np.array(each[column].to_pylist()) for each in (table, theirs))
            assert np.allclose(own, their, rtol=1e-5)


def test_v20_images_are_measured_as_lerobot_does(tmp_path: Path) -> None:
    import torch
    from lerobot.datasets.compute_stats import compute_episode_stats
    from lerobot.datasets.video_utils import decode_video_frames
    from PIL import Image

    spec = Legacy(version="v2.0", images=("observation.images.eye",), lengths=(6, 1, 5))
    source = write_legacy(tmp_path / "source", spec)
    report = merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    assert len([note for note in report.sources[0].notes if "computed from its images" in note]) == 2
    table = episodes_table(tmp_path / "out")
    rows = data_table(tmp_path / "out")
    start = 0
    for episode, length in enumerate(spec.lengths):
        stamps = [frame / 10 for frame in range(length)]
        video = source / f"videos/chunk-000/observation.images.wrist/episode_{episode:06d}.mp4"
        decoded = decode_video_frames(video, stamps, 1e-4, backend="pyav")
        paths: dict[str, list[str]] = {"observation.images.wrist": [], "observation.images.eye": []}
        for frame in range(length):
            path = tmp_path / f"wrist-{episode}-{frame}.png"
            pixels = (decoded[frame].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
            Image.fromarray(pixels).save(path)
            paths["observation.images.wrist"].append(str(path))
            path = tmp_path / f"eye-{episode}-{frame}.png"
            path.write_bytes(rows["observation.images.eye"][start + frame].as_py()["bytes"])
            paths["observation.images.eye"].append(str(path))
        start += length
        wanted = compute_episode_stats(paths, read_info(tmp_path / "out")["features"])
        for key in paths:
            for statistic, value in wanted[key].items():
                own = np.array(table[f"stats/{key}/{statistic}"][episode].as_py())
                assert own.shape == value.shape
                close = 0.005 if statistic.startswith("q") else 5e-5  # LeRobot adds up in float32
                assert np.allclose(own, value, atol=close), (key, statistic)


def test_large_images_are_shrunk_as_lerobot_does() -> None:
    from lerobot.datasets.compute_stats import auto_downsample_height_width, sample_indices

    from lerobot_grasp_plugin.merging.image_stats import sampled_frames, shrunk

    for height, width in ((64, 96), (300, 200), (299, 299), (480, 640), (640, 480), (301, 1000), (720, 720)):
        pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)
        wanted = auto_downsample_height_width(pixels.transpose(2, 0, 1))
        assert np.array_equal(shrunk(pixels).transpose(2, 0, 1), wanted), (height, width)
    for length in (1, 2, 99, 100, 101, 463, 464, 1000, 20_000, 300_000):
        assert sampled_frames(length) == sample_indices(length)


def test_v21_statistics_without_quantiles(tmp_path: Path) -> None:
    """v2.1 kept five statistics; images keep these, columns are computed anew."""
    source = write_legacy(tmp_path / "source", Legacy())
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 1\n1: 1\n2: 1\n")
    relabel(RelabelConfig(root=source, annotations=labels, new_root=tmp_path / "out"))
    table = episodes_table(tmp_path / "out")
    key = "observation.images.wrist"
    assert {name for name in table.column_names if name.startswith(f"stats/{key}/")} == {
        f"stats/{key}/{statistic}" for statistic in ("min", "max", "mean", "std", "count")
    }
    assert "stats/action/q50" in table.column_names
    entry = json.loads((source / "meta/episodes_stats.jsonl").read_text().splitlines()[1])
    for statistic in ("min", "max", "mean", "std"):
        assert table[f"stats/{key}/{statistic}"][1].as_py() == entry["stats"][key][statistic]
    assert len(open_set(tmp_path / "out")) == 15


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_modes_follow_the_umask(mask: int, recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{episode}: 1\n" for episode in range(5)))
    before = os.umask(mask)
    try:
        relabel(RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "whole"))
        merge(
            MergeConfig(
                sources=[SourceConfig(root=recorded("av1"), episodes=[0])], new_root=tmp_path / "packed"
            )
        )
    finally:
        os.umask(before)
    for root in (tmp_path / "whole", tmp_path / "packed"):
        for path in (root, *root.rglob("*")):
            wanted = (0o777 if path.is_dir() else 0o666) & ~mask
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_info_is_what_lerobot_reads(recorded: Recorded, tmp_path: Path) -> None:
    out = tmp_path / "out"
    merge(MergeConfig(sources=[SourceConfig(root=recorded("split"))], new_root=out))
    own, theirs = read_info(out), read_info(recorded("split"))
    assert set(own) == set(theirs)
    assert own["chunks_size"] == 1000
    assert (own["total_episodes"], own["total_frames"], own["total_tasks"]) == (8, 54, 2)
    assert own["splits"] == {"train": "0:8"}
    assert own["features"] == theirs["features"]
    assert list(own["features"]) == list(theirs["features"])
    tasks = pq.ParquetFile(out / "meta/tasks.parquet").read().to_pandas()
    assert tasks.index.name == "task"
    assert tasks["task_index"].to_dict() == {"pick": 0, "place": 1}


def test_no_file_but_these(recorded: Recorded, tmp_path: Path) -> None:
    out = tmp_path / "out"
    merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=out))
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == [
        "README.md",
        "data/chunk-000/file-000.parquet",
        "meta/episodes/chunk-000/file-000.parquet",
        "meta/grasp_provenance.json",
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        "videos/observation.images.wrist/chunk-000/file-000.mp4",
    ]


def test_many_data_files(recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small limits, so that data, video and chunks break within the output."""
    from lerobot_grasp_plugin.dataset import layout
    from lerobot_grasp_plugin.merging import videos
    from tests.support.lerobot_judge import assert_items, items_of

    monkeypatch.setattr(layout, "DATA_FILES_SIZE_IN_MB", 0.004)
    monkeypatch.setattr(layout, "CHUNKS_SIZE", 2)
    monkeypatch.setattr(layout.chunk_and_file, "__defaults__", (2,))
    monkeypatch.setattr(videos, "_MAX_BYTES", 6500)
    out = tmp_path / "out"
    merge(MergeConfig(sources=[SourceConfig(root=recorded("split"), episodes="!2")], new_root=out))
    data = sorted(path.relative_to(out).as_posix() for path in (out / "data").rglob("*.parquet"))
    assert len(data) >= 3
    assert data[2].startswith("data/chunk-001/file-000")
    assert len(list((out / "videos").rglob("*.mp4"))) >= 4
    assert_items(out, [items_of(recorded("split"), episode) for episode in range(8) if episode != 2])
