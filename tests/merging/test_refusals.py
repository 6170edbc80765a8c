"""What a merge refuses: all of it at once, before anything is written."""

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
    GraspError,
    MergeConfig,
    MergeError,
    RelabelConfig,
    SourceConfig,
    UsageError,
    merge,
    relabel,
)
from tests.support.factories import Legacy, change_info, read_info, tree, write_legacy
from tests.support.lerobot_judge import assert_items, items_of, leftovers, legacy_items

type Recorded = Callable[[str], Path]


def refused(target: Path, *sources: SourceConfig, error: type[GraspError] = GraspError, **options: object):
    """Merges, expects an error, and looks whether anything is left behind."""
    beside = set(target.parent.iterdir())
    with pytest.raises(error) as caught:
        merge(MergeConfig(sources=list(sources), new_root=target, **options))
    assert set(target.parent.iterdir()) == beside
    return caught.value.problems


def test_every_mismatch_at_once(tmp_path: Path, copied: Recorded) -> None:
    one = copied("av1")
    other = write_legacy(tmp_path / "other", Legacy(robot_type=None, labels=True))
    info = read_info(other)
    info["fps"] = 20
    info["features"]["observation.state"]["names"] = ["left", "right"]
    info["features"]["action"] |= {"dtype": "float64", "shape": [3]}
    info["features"]["extra"] = {"dtype": "float32", "shape": [1], "names": None}
    change_info(other, **info)
    before = tree(one), tree(other)
    problems = refused(tmp_path / "out", SourceConfig(root=one), SourceConfig(root=other), error=MergeError)
    found = {problem.code: problem for problem in problems}
    assert set(found) == {
        "fps-mismatch",
        "robot-type-mismatch",
        "feature-names",
        "feature-dtype",
        "feature-shape",
        "feature-missing",
        "codec-mismatch",
    }
    assert "--robot_type so_follower" in found["robot-type-mismatch"].hint
    assert "--names first" in found["feature-names"].hint
    assert "--drop_features '[\"action\"]'" in found["feature-dtype"].hint
    assert "--drop_features '[\"extra\"]'" in found["feature-missing"].hint
    assert "--mixed_codecs true" in found["codec-mismatch"].hint
    assert "10 in av1; 20 in other" in found["fps-mismatch"].message
    assert (tree(one), tree(other)) == before


def test_names_of_dimensions_are_compared_and_not_their_spelling(tmp_path: Path) -> None:
    """Older recordings write ``{"motors": [...]}`` where newer ones write the list."""
    one = write_legacy(tmp_path / "one", Legacy())
    other = write_legacy(tmp_path / "other", Legacy(version="v2.0"))
    features = read_info(other)["features"]
    names = features["observation.state"]["names"]
    features["observation.state"]["names"] = {"motors": names}
    change_info(other, features=features)
    merge(MergeConfig(sources=[SourceConfig(root=one), SourceConfig(root=other)], new_root=tmp_path / "out"))
    assert read_info(tmp_path / "out")["features"]["observation.state"]["names"] == names


def test_each_option_settles_its_mismatch(tmp_path: Path, copied: Recorded) -> None:
    one = copied("av1")
    other = write_legacy(tmp_path / "other", Legacy(robot_type=None, labels=True))
    info = read_info(other)
    info["features"]["observation.state"]["names"] = ["left", "right"]
    info["features"]["action"]["dtype"] = "float64"
    change_info(other, **info)
    merge(
        MergeConfig(
            sources=[SourceConfig(root=one, episodes=[0]), SourceConfig(root=other, episodes=[1])],
            new_root=tmp_path / "out",
            robot_type="so_follower",
            names="first",
            drop_features=["action"],
            mixed_codecs=True,
        )
    )
    wanted = [items_of(one, 0), legacy_items(other, Legacy(labels=True), 1)]
    assert_items(tmp_path / "out", wanted, dropped=["action"])
    assert read_info(tmp_path / "out")["features"]["observation.state"]["names"][0] == "shoulder.pos"


def test_one_rate_that_is_rounded_elsewhere_is_one_rate(tmp_path: Path) -> None:
    spellings = (30000 / 1001, 29.97002997)
    roots = [write_legacy(tmp_path / f"{n}", Legacy(fps=fps, seed=n)) for n, fps in enumerate(spellings)]
    report = merge(
        MergeConfig(sources=[SourceConfig(root=root) for root in roots], new_root=tmp_path / "out")
    )
    assert report.verification.ok
    assert report.frames == 30
    write_legacy(tmp_path / "other", Legacy(fps=29.97))
    sources = (SourceConfig(root=roots[0]), SourceConfig(root=tmp_path / "other"))
    assert [problem.code for problem in refused(tmp_path / "no", *sources)] == ["fps-mismatch"]


def test_labels_in_one_source_only(recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(
        tmp_path / "out",
        SourceConfig(root=recorded("av1-other")),
        SourceConfig(root=recorded("unlabelled")),
        error=MergeError,
    )
    assert [problem.code for problem in problems] == ["feature-missing", "feature-missing"]
    assert all("--annotations" in problem.hint for problem in problems)


def test_an_existing_target_is_untouched(recorded: Recorded, tmp_path: Path) -> None:
    for name, make in (
        ("folder", lambda path: path.mkdir()),
        ("file", lambda path: path.write_text("mine")),
        ("link", lambda path: path.symlink_to("/nowhere")),
    ):
        target = tmp_path / name
        make(target)
        problems = refused(target, SourceConfig(root=recorded("av1")), error=UsageError)
        assert [problem.code for problem in problems] == ["target-exists"]
    assert (tmp_path / "file").read_text() == "mine"
    assert (tmp_path / "link").is_symlink()
    source = recorded("av1")
    before = tree(source)
    refused(source, SourceConfig(root=source), error=UsageError)
    assert tree(source) == before


def test_a_target_that_cannot_be_made(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(GraspError):
        merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=tmp_path / "file/below/out"))
    assert (tmp_path / "file").read_text() == "x"


def test_a_target_inside_its_source(copied: Recorded) -> None:
    source = copied("av1")
    before = tree(source)
    with pytest.raises(UsageError):
        merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=source / "data/out"))
    assert tree(source) == before


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"sources": []}, "no-sources"),
        ({"sources": [SourceConfig()]}, "no-dataset"),
        ({"sources": [SourceConfig(root=Path("/nowhere/at/all"))]}, "no-dataset"),
        ({"sources": [SourceConfig(repo_id="not a name!")]}, "bad-repo-id"),
        ({"sources": [SourceConfig(repo_id="../../etc")]}, "bad-repo-id"),
        ({"sources": [SourceConfig(repo_id="nobody/nothing")]}, "no-dataset"),
        ({"new_root": None}, "no-target"),
        ({"new_root": None, "new_repo_id": "../out"}, "bad-repo-id"),
        ({"drop_features": ["nothing"]}, "unknown-feature"),
        ({"drop_features": ["timestamp", "task_index"]}, "needed-feature"),
        ({"annotations": Path("/nowhere.txt")}, "unreadable-file"),
        ({"index_base": 2, "annotations": Path(__file__)}, "index-base-unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_calls_that_are_at_fault(
    options: dict, code: str, recorded: Recorded, tmp_path: Path, lerobot_home: Path
) -> None:
    call = {"sources": [SourceConfig(root=recorded("av1"))], "new_root": tmp_path / "out"} | options
    with pytest.raises(UsageError) as caught:
        merge(MergeConfig(**call))
    assert [problem.code for problem in caught.value.problems] == [code]
    assert list(tmp_path.iterdir()) == [lerobot_home]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ({"episodes": [5]}, "unknown-episode"),
        ({"episodes": []}, "empty-selection"),
        ({"episodes": "!0-4"}, "empty-selection"),
        ({"episodes": [1, 1]}, "listed-twice"),
        ({"rename": {"nothing": "x"}}, "unknown-feature"),
        ({"rename": {"index": "x"}}, "bad-rename"),
        ({"rename": {"action": "observation.state"}}, "bad-rename"),
        ({"rename": {"action": "a/b"}}, "bad-rename"),
        ({"rename": {"action": "timestamp"}}, "bad-rename"),
        ({"rename": {"action": "next.reward"}}, "bad-rename"),
        ({"task": " "}, "empty-task"),
    ],
)
def test_sources_that_are_at_fault(source: dict, code: str, recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(tmp_path / "out", SourceConfig(root=recorded("av1"), **source), error=UsageError)
    assert code in {problem.code for problem in problems}


def test_faults_of_all_sources_at_once(recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(
        tmp_path / "out",
        SourceConfig(root=recorded("av1"), episodes=[9]),
        SourceConfig(root=tmp_path / "missing"),
        SourceConfig(root=recorded("av1-other"), rename={"x": "y"}),
        error=UsageError,
    )
    assert [problem.code for problem in problems] == ["unknown-episode", "no-dataset", "unknown-feature"]


def test_the_source_of_a_wrong_selection_is_named(recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(
        tmp_path / "out",
        SourceConfig(root=recorded("av1"), episodes="3-99"),
        SourceConfig(root=recorded("av1-other"), episodes="20"),
    )
    assert [str(problem.place) for problem in problems] == [
        "episodes of av1:1:1",
        "episodes of av1-other:1:1",
    ]


def test_drop_features_are_output_names(recorded: Recorded, tmp_path: Path) -> None:
    wrist, front = "observation.images.wrist", "observation.images.front"
    swapped = SourceConfig(root=recorded("split"), rename={wrist: front, front: wrist})
    merge(MergeConfig(sources=[swapped], drop_features=[front], new_root=tmp_path / "out"))
    info = read_info(tmp_path / "out")
    assert [key for key in info["features"] if "images" in key] == [wrist]
    clash = SourceConfig(root=recorded("split"), rename={front: wrist})
    [problem] = refused(tmp_path / "no", clash, error=UsageError, drop_features=[wrist])
    assert problem.code == "bad-rename"
    both = refused(
        tmp_path / "no", SourceConfig(root=recorded("av1")), drop_features=["task_index", "nothing"]
    )
    assert [problem.code for problem in both] == ["needed-feature", "unknown-feature"]


# -- damage -----------------------------------------------------------------------------------------


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


# -- timestamps -------------------------------------------------------------------------------------


def test_jittered_timestamps_are_set_and_named(tmp_path: Path) -> None:
    spec = Legacy(jitter_s=0.004)
    source = write_legacy(tmp_path / "source", spec)
    report = merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    assert_items(tmp_path / "out", [legacy_items(source, spec, episode) for episode in range(3)])
    assert report.sources[0].timestamps_fixed == 15
    assert 0.002 < report.sources[0].max_deviation_s < 0.0041
    sidecar = json.loads((tmp_path / "out/meta/grasp_provenance.json").read_text())
    assert sidecar["timestamps_fixed"] == [
        {"source": 0, "rows": 15, "max_deviation_s": report.sources[0].max_deviation_s}
    ]


def test_one_timestamp_that_is_set_sets_all_of_its_episode(tmp_path: Path) -> None:
    from tests.support.factories import data_table

    source = write_legacy(tmp_path / "source", Legacy(jitter_s=0.00008))
    path = source / "data/chunk-000/episode_000001.parquet"
    table = pq.read_table(path)
    stamps = table["timestamp"].to_pylist()
    stamps[2] += 0.003
    pq.write_table(table.set_column(table.column_names.index("timestamp"), "timestamp", [stamps]), path)
    report = merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    written = data_table(tmp_path / "out")["timestamp"].to_pylist()
    assert written[6:10] == pytest.approx([0, 0.1, 0.2, 0.3], abs=1e-7)
    assert written[1] > 0.1 + 3e-5  # the episode before needed nothing
    assert report.sources[0].timestamps_fixed == 4


CLOCKS: dict[str, Callable[[int], object]] = {
    "epoch": lambda frame: 1.7e9 + frame / 10,
    "milliseconds": lambda frame: 100 * frame,
    "offset": lambda frame: 12.345 + frame / 10,
    "duplicates": lambda frame: (frame // 2) / 10,
    "constant": lambda frame: 0.0,
    "backwards": lambda frame: -frame / 10,
    "null": lambda frame: None if frame == 1 else frame / 10,
    "not a number": lambda frame: float("nan"),
    "text": lambda frame: f"00:00:{frame:02d}",
}


@pytest.mark.parametrize("clock", CLOCKS)
def test_no_recording_is_refused_for_its_clock(clock: str, tmp_path: Path) -> None:
    spec = Legacy()
    source = write_legacy(tmp_path / "source", spec)
    for path in source.rglob("*.parquet"):
        table = pq.read_table(path)
        values = pa.array([CLOCKS[clock](frame) for frame in table["frame_index"].to_pylist()])
        table = table.set_column(table.column_names.index("timestamp"), "timestamp", values)
        pq.write_table(table.replace_schema_metadata(None), path)
    report = merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    assert report.verification.ok
    assert report.sources[0].timestamps_fixed
    expected = write_legacy(tmp_path / "right", spec)
    assert_items(tmp_path / "out", [legacy_items(expected, spec, episode) for episode in range(3)])


def test_jittered_timestamps_are_refused_with_keep(tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy(jitter_s=0.004))
    twice = [SourceConfig(root=source, episodes=[episode]) for episode in (1, 2)]
    problems = refused(tmp_path / "out", *twice, error=DataError, timestamps="keep")
    assert [(p.code, p.place.episode) for p in problems] == [
        ("timestamp-off-grid", 1),
        ("timestamp-off-grid", 2),
    ]
    assert "--timestamps fix" in problems[0].hint


def test_timestamps_within_tolerance_are_kept_to_the_bit(tmp_path: Path) -> None:
    from tests.support.factories import data_table, legacy_timestamps

    spec = Legacy(jitter_s=0.00008)
    source = write_legacy(tmp_path / "source", spec)
    report = merge(
        MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out", timestamps="keep")
    )
    wanted = [stamp for episode in range(3) for stamp in legacy_timestamps(spec, episode).tolist()]
    assert data_table(tmp_path / "out")["timestamp"].to_pylist() == wanted
    assert report.sources[0].timestamps_fixed == 0


# -- interrupted runs -------------------------------------------------------------------------------


def test_an_interrupt_leaves_nothing(recorded: Recorded, tmp_path: Path) -> None:
    def interrupt(step: str, done: int, total: int) -> None:
        if step == "writing videos":
            assert list(leftovers(tmp_path))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=tmp_path / "out"), interrupt)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_another_run_are_named_and_kept(recorded: Recorded, tmp_path: Path) -> None:
    left = tmp_path / ".out.grasp-staging-deadbeef"
    left.mkdir()
    (left / "file").write_text("x")
    report = merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=tmp_path / "out"))
    assert [problem.code for problem in report.warnings] == ["interrupted-run"]
    assert (left / "file").read_text() == "x"


def test_a_target_that_appears_meanwhile_is_untouched(recorded: Recorded, tmp_path: Path) -> None:
    target = tmp_path / "out"

    def rival(step: str, done: int, total: int) -> None:
        if step == "writing videos" and not target.exists():
            target.mkdir()
            (target / "mine").write_text("x")

    with pytest.raises(UsageError, match="target-exists"):
        merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=target), rival)
    assert tree(target) == tree(target)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (target / "mine").read_text() == "x"


# -- from Python ------------------------------------------------------------------------------------


def test_choices_that_are_none_are_refused_at_once(recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(
        tmp_path / "out",
        SourceConfig(root=recorded("av1")),
        error=UsageError,
        timestamps="Keep",
        names="foo",
        link="foo",
        alignment="foo",
        done="foo",
        unlisted=None,
    )
    assert {problem.code for problem in problems} == {"unknown-choice"}
    said = {problem.message.split()[0] for problem in problems}
    assert said == {"timestamps", "names", "link", "alignment", "done", "unlisted"}


def test_paths_as_text_and_one_episode(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("1: 1\n")
    source = SourceConfig(root=str(recorded("av1")), episodes=1, annotations=str(tmp_path / "labels.txt"))
    report = merge(MergeConfig(sources=[source], new_root=str(tmp_path / "out")))
    assert (report.frames, report.success_frames) == (5, 1)


def test_tasks_out_of_order_are_refused(copied: Recorded, tmp_path: Path) -> None:
    """LeRobot takes a task by its row, a table says its task_index: where these differ, which is meant?"""
    source = copied("av1")
    path = source / "meta/tasks.parquet"
    table = pq.read_table(path)
    at = table.column_names.index("task_index")
    pq.write_table(table.set_column(at, "task_index", pa.array([1, 0])), path)
    problems = refused(tmp_path / "out", SourceConfig(root=source), error=DataError)
    assert [problem.code for problem in problems] == ["task-numbering"]
