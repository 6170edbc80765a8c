"""Damage of a source: an error that names the file, before anything is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import (
    DataError,
    DatasetError,
    MergeConfig,
    RelabelConfig,
    SourceConfig,
    merge,
    relabel,
)
from tests.support.factories import Legacy, change_info, read_info, tree, write_legacy
from tests.support.lerobot_judge import assert_items, legacy_items
from tests.support.refusals import refused

type Recorded = Callable[[str], Path]


def test_every_missing_file_is_named(tmp_path: Path) -> None:
    source = write_legacy(
        tmp_path / "source", Legacy(cameras=("observation.images.a", "observation.images.b"))
    )
    gone = [
        source / "data/chunk-000/episode_000001.parquet",
        source / "videos/chunk-000/observation.images.a/episode_000002.mp4",
    ]
    for path in [*gone, *(source / "videos/chunk-000/observation.images.b").iterdir()]:
        path.unlink()
    problems = refused(tmp_path / "out", SourceConfig(root=source), error=DatasetError)
    assert {problem.place.path for problem in problems} >= {str(path) for path in gone}
    whole = [problem for problem in problems if "has no video files" in problem.message]
    assert len(whole) == 1
    assert "--drop_features '[\"observation.images.b\"]'" in whole[0].hint


def test_missing_files_of_episodes_not_chosen_do_no_harm(tmp_path: Path) -> None:
    spec = Legacy()
    source = write_legacy(tmp_path / "source", spec)
    (source / "data/chunk-000/episode_000001.parquet").unlink()
    merge(MergeConfig(sources=[SourceConfig(root=source, episodes="0, 2")], new_root=tmp_path / "out"))
    assert_items(tmp_path / "out", [legacy_items(source, spec, episode) for episode in (0, 2)])


def damaged_footer(root: Path) -> None:
    path = next((root / "data").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-9])


def damaged_rows(root: Path) -> None:
    path = next((root / "data").rglob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[4:600] = bytes(596)
    path.write_bytes(content)


def emptied(root: Path) -> None:
    next((root / "data").rglob("*.parquet")).write_bytes(b"")


def pointer(root: Path) -> None:
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    next((root / "data").rglob("*.parquet")).write_text(text)


def text_instead(root: Path) -> None:
    next((root / "data").rglob("*.parquet")).write_text("no table at all")


def folder_instead(root: Path) -> None:
    path = next((root / "data").rglob("*.parquet"))
    path.unlink()
    path.mkdir()


def no_episodes_table(root: Path) -> None:
    next((root / "meta/episodes").rglob("*.parquet")).unlink()


def no_tasks(root: Path) -> None:
    (root / "meta/tasks.parquet").unlink()


def video_cut(root: Path) -> None:
    path = next((root / "videos").rglob("*.mp4"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def video_empty(root: Path) -> None:
    next((root / "videos").rglob("*.mp4")).write_bytes(b"")


def with_column(name: str, change: Callable[[pa.ChunkedArray], pa.Array | None]) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        path = next((root / "data").rglob("*.parquet"))
        table = pq.ParquetFile(path).read()
        column = change(table[name])
        number = table.column_names.index(name)
        table = table.remove_column(number)
        if column is not None:
            table = table.add_column(number, name, column)
        pq.write_table(table, path)

    spoil.__name__ = f"column_{name}_{change.__name__}"
    return spoil


def gone(column: pa.ChunkedArray) -> None:
    return None


def nulls(column: pa.ChunkedArray) -> pa.Array:
    values = column.to_pylist()
    values[3] = None
    return pa.array(values, column.type)


def words(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([str(value) for value in column.to_pylist()])


def ragged(column: pa.ChunkedArray) -> pa.Array:
    values = column.to_pylist()
    values[2] = values[2][:1]
    return pa.array(values, pa.list_(pa.float32()))


def longer(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([[*value, 0.0] for value in column.to_pylist()], pa.list_(pa.float32()))


def backwards(column: pa.ChunkedArray) -> pa.Array:
    return pa.array(column.to_pylist()[::-1], column.type)


def elsewhere(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([value + 100 for value in column.to_pylist()], column.type)


def halves(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([value + 0.5 for value in column.to_pylist()], pa.float64())


SPOILERS = [
    damaged_footer,
    damaged_rows,
    emptied,
    pointer,
    text_instead,
    folder_instead,
    no_episodes_table,
    no_tasks,
    video_cut,
    video_empty,
    with_column("action", gone),
    with_column("action", nulls),
    with_column("action", words),
    with_column("action", ragged),
    with_column("action", longer),
    with_column("next.reward", nulls),
    with_column("next.done", words),
    with_column("frame_index", backwards),
    with_column("frame_index", halves),
    with_column("episode_index", gone),
    with_column("episode_index", elsewhere),
    with_column("episode_index", nulls),
    with_column("task_index", gone),
    with_column("task_index", elsewhere),
    with_column("task_index", nulls),
]


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("operation", ["merge", "relabel"])
def test_damage_is_an_error_that_names_the_file(
    spoil: Callable[[Path], None], operation: str, copied: Recorded, tmp_path: Path
) -> None:
    source = copied("av1")
    spoil(source)
    before = tree(source)
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{episode}: 2\n" for episode in range(5)))
    beside = set(tmp_path.iterdir())
    recipe = MergeConfig(sources=[SourceConfig(root=source, episodes=[4, 0])], new_root=tmp_path / "out")
    config = RelabelConfig(root=source, annotations=labels, new_root=tmp_path / "out")
    with pytest.raises(DataError) as caught:
        merge(recipe) if operation == "merge" else relabel(config)
    assert all(str(source) in problem.place.path for problem in caught.value.problems)
    assert all(len(problem.message) < 500 for problem in caught.value.problems)
    assert set(tmp_path.iterdir()) == beside
    assert tree(source) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("meta/info.json", "{"),
        ("meta/info.json", "[]"),
        ("meta/info.json", "\x00\xff"),
        ("meta/info.json", "[" * 100_000),
        (
            "meta/episodes.jsonl",
            '{"episode_index": 0, "tasks": ["x"], "length": 6}\n{"episode_index": 1, "ta',
        ),
        ("meta/episodes.jsonl", ""),
        ("meta/episodes.jsonl", "[1]\n"),
        ("meta/episodes.jsonl", '{"episode_index": 0, "length": 0, "tasks": []}\n'),
        ("meta/episodes.jsonl", '{"episode_index": 0, "length": 6, "tasks": ["x"]}\n' * 3),
        ("meta/tasks.jsonl", '{"task_index": "0"}\n'),
        ("meta/tasks.jsonl", "{"),
        ("meta/episodes_stats.jsonl", "{"),
        ("meta/episodes_stats.jsonl", '{"episode_index": 0}\n'),
    ],
)
def test_damaged_metadata(name: str, content: str, tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy())
    (source / name).write_text(content, encoding="latin-1")
    problems = refused(tmp_path / "out", SourceConfig(root=source), error=DatasetError)
    assert all(str(source / name) in problem.place.path for problem in problems)


@pytest.mark.parametrize(
    "changes",
    [
        {"codebase_version": "v1.6"},
        {"codebase_version": None},
        {"fps": 0},
        {"fps": -10},
        {"fps": "10"},
        {"fps": True},
        {"fps": None},
        {"features": None},
        {"features": {}},
        {"features": {"action": 3}},
        {"features": {"action": {"dtype": "float32", "shape": [0]}}},
        {"features": {"action": {"dtype": "float32", "shape": ["2"]}}},
        {"features": {"../../x": {"dtype": "video", "shape": [1, 1, 3]}}},
        {"total_episodes": 4},
        {"total_episodes": -1},
        {"total_episodes": "3"},
        {"total_frames": 1e400},
        {"total_frames": float("nan")},
        {"chunks_size": -1},
        {"data_path": "../{episode_index}.parquet"},
        {"data_path": "/etc/passwd"},
        {"data_path": "data/{nonsense}.parquet"},
        {"data_path": "data/{episode_index"},
        {"data_path": "data/{episode_index.__class__}"},
        {"data_path": "data/{episode_index:999999999999d}.parquet"},
        {"data_path": 7},
        {"video_path": "../{video_key}/{episode_index}.mp4"},
        {"video_path": "videos/{video_key!x}"},
    ],
    ids=str,
)
def test_strange_info(changes: dict, tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy())
    (source / "meta/info.json").write_text(json.dumps(read_info(source) | changes))
    problems = refused(tmp_path / "out", SourceConfig(root=source), error=DatasetError)
    assert all(str(source) in problem.place.path for problem in problems)


@pytest.mark.parametrize("name", ["timestamp", "index", "frame_index", "task_index", "episode_index"])
@pytest.mark.parametrize("change", [{"shape": [3]}, {"dtype": "float16"}, {"names": ["a", "b"]}], ids=str)
def test_columns_that_are_computed_are_declared_right(name: str, change: dict, tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy(cameras=()))
    features = read_info(source)["features"]
    change_info(source, features=features | {name: features[name] | change})
    report = merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    assert report.verification.ok
    declared = read_info(tmp_path / "out")["features"][name]
    kind = "float32" if name == "timestamp" else "int64"
    assert declared == {"dtype": kind, "shape": [1], "names": None}


def test_wrong_total_frames_are_no_hindrance(tmp_path: Path) -> None:
    """Totals are counted anew; only the number of episodes decides what is there."""
    source = write_legacy(tmp_path / "source", Legacy())
    change_info(source, total_frames=999, total_videos=0)
    merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    assert read_info(tmp_path / "out")["total_frames"] == 15


@pytest.mark.parametrize("dtype", ["complex64", "float128", "language_x", ""])
def test_unknown_dtypes(dtype: str, tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy())
    info = read_info(source)
    info["features"]["action"]["dtype"] = dtype
    change_info(source, **info)
    problems = refused(tmp_path / "out", SourceConfig(root=source), error=DatasetError)
    assert "action" in problems[0].message


@pytest.mark.parametrize("length", [5, 7])
def test_a_table_of_another_length(length: int, tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy())
    text = (source / "meta/episodes.jsonl").read_text()
    (source / "meta/episodes.jsonl").write_text(text.replace('"length": 6', f'"length": {length}'))
    problems = refused(tmp_path / "out", SourceConfig(root=source), error=DatasetError)
    assert problems
    assert all("episode" in problem.message or "frame" in problem.message for problem in problems)


def test_a_video_that_is_too_short(tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy(extra_video_frames=-2))
    problems = refused(tmp_path / "out", SourceConfig(root=source), error=DatasetError)
    assert any("episode_000000.mp4" in problem.place.path for problem in problems)


@pytest.mark.parametrize("episodes", [None, [0]])
def test_a_video_of_another_rate_is_refused_whole_or_in_parts(
    episodes: list[int] | None, copied: Recorded, tmp_path: Path
) -> None:
    source = copied("h264")
    change_info(source, fps=read_info(source)["fps"] // 2)
    problems = refused(tmp_path / "out", SourceConfig(root=source, episodes=episodes), error=DataError)
    assert {problem.code for problem in problems} == {"video-off-grid"}


def test_a_task_nobody_knows_is_refused(copied: Recorded, tmp_path: Path) -> None:
    source = copied("h264")
    [path] = (source / "data").rglob("*.parquet")
    table = pq.read_table(path)
    at = table.column_names.index("task_index")
    pq.write_table(table.set_column(at, "task_index", pa.array([9] * len(table))), path)
    problems = refused(tmp_path / "out", SourceConfig(root=source), error=DataError)
    assert [problem.code for problem in problems] == ["unknown-task"]
    merge(MergeConfig(sources=[SourceConfig(root=source, task="grasp")], new_root=tmp_path / "out"))


def test_tasks_out_of_order_are_refused(copied: Recorded, tmp_path: Path) -> None:
    """LeRobot takes a task by its row, a table says its task_index: where these differ, which is meant?"""
    source = copied("av1")
    path = source / "meta/tasks.parquet"
    table = pq.read_table(path)
    at = table.column_names.index("task_index")
    pq.write_table(table.set_column(at, "task_index", pa.array([1, 0])), path)
    problems = refused(tmp_path / "out", SourceConfig(root=source), error=DataError)
    assert [problem.code for problem in problems] == ["task-numbering"]
