"""Merges, judged item by item with LeRobot."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin import MergeConfig, MergeReport, SourceConfig, merge
from tests.support.factories import (
    RECORDINGS,
    Legacy,
    change_info,
    data_table,
    episodes_table,
    read_info,
    tree,
    write_legacy,
)
from tests.support.lerobot_judge import (
    assert_items,
    items_of,
    label_columns,
    legacy_items,
    open_set,
    without_success,
)
from tests.support.verifying import LEGACY_DATA, change_column

type Recorded = Callable[[str], Path]


def merged(target: Path, *sources: SourceConfig, **options: object) -> MergeReport:
    return merge(MergeConfig(sources=list(sources), new_root=target, **options))


def test_a_subset_in_any_order(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("av1")
    report = merged(tmp_path / "out", SourceConfig(root=source, episodes=[3, 0, 4]))
    assert_items(tmp_path / "out", [items_of(source, episode) for episode in (3, 0, 4)])
    assert [(e.episode_index, e.source_episode, e.frames) for e in report.episodes] == [
        (0, 3, 6),
        (1, 0, 7),
        (2, 4, 8),
    ]
    assert report.verification.ok
    assert report.success_frames == 0 + 2 + 1


def test_a_source_may_come_twice(recorded: Recorded, tmp_path: Path) -> None:
    one, other = recorded("av1"), recorded("av1-other")
    report = merged(
        tmp_path / "out",
        SourceConfig(root=one, episodes="3-"),
        SourceConfig(root=other, episodes="!1"),
        SourceConfig(root=one, episodes="0, 3"),
        robot_type="so_follower",
    )
    wanted = [(one, 3), (one, 4), (other, 0), (other, 2), (one, 0), (one, 3)]
    assert_items(tmp_path / "out", [items_of(root, episode) for root, episode in wanted])
    assert [problem.code for problem in report.warnings] == ["episode-chosen-twice"]
    assert read_info(tmp_path / "out")["robot_type"] == "so_follower"
    assert [source.frames for source in report.sources] == [14, 11, 13]


def test_many_episodes_that_come_twice_are_one_warning(recorded: Recorded, tmp_path: Path) -> None:
    one = recorded("av1")
    report = merged(tmp_path / "out", SourceConfig(root=one), SourceConfig(root=one))
    (warning,) = report.warnings
    assert warning.message == (
        "episode 0 of av1 is in the output twice, as episodes 0 and 5, and so are 4 more"
    )


def test_episodes_that_sources_have_in_common_are_named(recorded: Recorded, tmp_path: Path) -> None:
    one = recorded("av1")
    merged(tmp_path / "part", SourceConfig(root=one, episodes=[2, 4]))
    report = merged(tmp_path / "out", SourceConfig(root=one), SourceConfig(root=tmp_path / "part"))
    (warning,) = report.warnings
    assert warning.code == "duplicate-episode"
    assert warning.message == "part: episodes 0-1 have the same values as episodes 2, 4 of av1"
    report = merged(tmp_path / "again", SourceConfig(root=tmp_path / "out", episodes="4-"))
    (warning,) = report.warnings
    assert warning.message == "out: episode 6 has the same values as episode 4"


def test_several_attempts_in_one_episode_are_named(tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy(lengths=(6, 20), stats=False))
    attempt = [[0.1 * step, -0.2 * step] for step in range(10)]
    change_column(source, LEGACY_DATA, "observation.state", lambda values: attempt + attempt)
    report = merged(tmp_path / "out", SourceConfig(root=source))
    (jump,) = [problem for problem in report.verification.problems if problem.code == "state-jump"]
    assert (jump.severity, jump.place.episode, jump.place.frame) == ("warning", 1, 10)
    assert report.verification.ok


def test_tasks_are_the_union_in_order_of_appearance(recorded: Recorded, tmp_path: Path) -> None:
    out = tmp_path / "out"
    merged(
        out,
        SourceConfig(root=recorded("av1-other")),
        SourceConfig(root=recorded("av1")),
        robot_type="so_follower",
    )
    tasks = open_set(out).meta.tasks
    assert tasks["task_index"].to_dict() == {"place the cube": 0, "push the cube": 1, "pick the cube": 2}
    assert read_info(out)["total_tasks"] == 3
    per_episode = episodes_table(out)["tasks"].to_pylist()
    assert per_episode[3] == ["pick the cube"]
    assert per_episode[4] == ["place the cube"]
    other, one = recorded("av1-other"), recorded("av1")
    assert_items(out, [items_of(other, e) for e in range(3)] + [items_of(one, e) for e in range(5)])


def test_cameras_chunks_and_files(recorded: Recorded, tmp_path: Path) -> None:
    split, other = recorded("split"), recorded("split-other")
    files = [p.relative_to(split).as_posix() for p in sorted(split.rglob("*.mp4"))]
    assert len(files) == 8
    assert any("chunk-001" in path for path in files)
    assert len(list((split / "data").rglob("*.parquet"))) > 1
    chosen = [7, 1, 2, 3, 4, 0]
    report = merged(tmp_path / "out", SourceConfig(root=split, episodes=chosen), SourceConfig(root=other))
    wanted = [items_of(split, e) for e in chosen] + [items_of(other, e) for e in range(2)]
    assert_items(tmp_path / "out", wanted)
    assert set(report.video_files) == {"packets"}


def test_whole_sources_of_several_files(recorded: Recorded, tmp_path: Path) -> None:
    split = recorded("split")
    merged(tmp_path / "out", SourceConfig(root=split))
    assert_items(tmp_path / "out", [items_of(split, episode) for episode in range(8)])


def test_image_and_odd_features(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("odd")
    out = tmp_path / "out"
    merged(out, SourceConfig(root=source, episodes=[2, 0]), SourceConfig(root=source, episodes=[1]))
    assert_items(out, [items_of(source, episode) for episode in (2, 0, 1)])
    table = data_table(out)
    assert table["odd.text"].to_pylist()[:2] == ["söme text 0", "söme text 1"]
    assert table["odd.double"].to_pylist()[4] == [0.0, 0.0, 1e-300]


def test_rename_task_and_dropped_features(recorded: Recorded, tmp_path: Path) -> None:
    one, other, out = recorded("av1"), recorded("av1-other"), tmp_path / "out"
    renamed = {"observation.images.wrist": "observation.images.hand", "action": "action.old"}
    merged(
        out,
        SourceConfig(root=one, episodes="0-1", rename=renamed, task="grasp it"),
        SourceConfig(root=other, episodes=[0], rename=renamed),
        drop_features=["observation.state"],
        robot_type="arm",
    )
    assert_items(
        out,
        [items_of(one, 0), items_of(one, 1), items_of(other, 0)],
        rename=renamed,
        dropped=["observation.state"],
        tasks=["grasp it", "grasp it", "place the cube"],
    )
    assert "observation.state" not in read_info(out)["features"]
    assert list((out / "videos").iterdir()) == [out / "videos/observation.images.hand"]
    assert not [name for name in episodes_table(out).column_names if "observation.state" in name]


def test_dropping_the_only_camera_leaves_no_videos(recorded: Recorded, tmp_path: Path) -> None:
    out = tmp_path / "out"
    merged(out, SourceConfig(root=recorded("av1")), drop_features=["observation.images.wrist"])
    assert not (out / "videos").exists()
    assert read_info(out)["video_path"] is None
    assert len(open_set(out)) == 35


def test_labels_of_two_sources_in_one_pass(recorded: Recorded, tmp_path: Path) -> None:
    one, other = recorded("av1"), recorded("unlabelled")
    labels = tmp_path / "labels.txt"
    labels.write_text(
        "# dataset path: av1\n0: 6-\n1: 2-3, 5\n2: all fail\n3: all success\n4: 1\n"
        "# dataset path: unlabelled\n0: 3-\n1: 1\n2: 2-4\n"
    )
    report = merged(
        tmp_path / "out",
        SourceConfig(root=one, episodes=[4, 1, 0, 3]),
        SourceConfig(root=other),
        annotations=labels,
        robot_type="so_follower",
        next_success=True,
    )
    success = [[0], [1, 2, 4], [5, 6], range(6), [2, 3, 4], [0], [1, 2, 3]]
    wanted = [items_of(one, e) for e in (4, 1, 0, 3)] + [items_of(other, e) for e in range(3)]
    columns = [label_columns(list(s), len(items)) for s, items in zip(success, wanted, strict=True)]
    assert_items(tmp_path / "out", wanted, labels=columns)
    assert [source.success_frames for source in report.sources] == [12, 7]
    assert report.success_frames == 19
    assert [episode.success_frames for episode in report.episodes] == [len(list(s)) for s in success]


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_legacy_sources(version: str, tmp_path: Path) -> None:
    spec = Legacy(
        version=version,
        cameras=("observation.images.a", "observation.images.b"),
        images=("observation.images.c",),
        tasks=("one", "two"),
        labels=True,
        video_info="video_info" if version == "v2.0" else "info",
    )
    source = write_legacy(tmp_path / "source", spec)
    before = tree(source)
    report = merged(tmp_path / "out", SourceConfig(root=source, episodes=[2, 0]))
    assert_items(tmp_path / "out", [legacy_items(source, spec, episode) for episode in (2, 0)])
    assert tree(source) == before
    info = read_info(tmp_path / "out")
    assert info["features"]["observation.images.a"]["info"]["video.codec"] == "h264"
    assert "video_info" not in info["features"]["observation.images.a"]
    assert report.sources[0].codebase_version == version


@pytest.mark.parametrize(
    "changes",
    [
        {"data_path": "d/{episode_index}.parquet", "video_path": "v/{video_key}/{episode_index:03d}.mp4"},
        {"data_path": None, "video_path": None},
        {"chunks_size": 2},
        {"index_dtype": "float64"},
        {"without_columns": ("frame_index",)},
        {"without_columns": ("task_index", "index", "episode_index", "timestamp")},
        {"extra_column": True},
        {"extra_video_frames": 3},
        {"stats": False},
        {"lengths": (1, 3, 1)},
    ],
    ids=lambda changes: ",".join(changes),
)
def test_legacy_peculiarities(changes: dict, tmp_path: Path) -> None:
    spec = Legacy(**changes)
    source = write_legacy(tmp_path / "source", spec)
    merged(tmp_path / "out", SourceConfig(root=source))
    assert_items(tmp_path / "out", [legacy_items(source, spec, episode) for episode in range(3)])
    assert "undeclared" not in data_table(tmp_path / "out").column_names


def test_versions_may_mix(recorded: Recorded, tmp_path: Path) -> None:
    spec = Legacy(tasks=("pick the cube", "lift"))
    legacy = write_legacy(tmp_path / "legacy", spec)
    h264, out = recorded("h264"), tmp_path / "out"
    merged(
        out,
        SourceConfig(root=legacy, episodes=[1]),
        SourceConfig(root=h264),
        SourceConfig(root=legacy, episodes=[0, 2]),
        drop_features=["next.reward", "next.done"],
    )
    wanted = [legacy_items(legacy, spec, 1), items_of(h264, 0), items_of(h264, 1)]
    wanted += [legacy_items(legacy, spec, 0), legacy_items(legacy, spec, 2)]
    assert_items(out, wanted, dropped=["next.reward", "next.done"])


def test_one_recipe_gives_the_same_bytes_twice(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("# av1\n" + "".join(f"{n}: 2-\n" for n in range(5)) + "# av1-other\n0: 1\n1: 1\n2: 1\n")
    trees = []
    for name in ("first", "second"):
        target = tmp_path / name / "out"
        merged(
            target,
            SourceConfig(root=recorded("av1")),
            SourceConfig(root=recorded("av1-other")),
            annotations=labels,
            robot_type="so_follower",
        )
        trees.append(tree(target))
    assert trees[0] == trees[1]
    assert len(trees[0]) == 8


def test_lerobots_own_tools_run_on_the_output(recorded: Recorded, tmp_path: Path) -> None:
    from lerobot.datasets.dataset_tools import delete_episodes, merge_datasets, split_dataset

    one, other = recorded("av1"), recorded("av1-other")
    outputs = []
    for name, first, second in (("a", "2-4", "0-1"), ("b", "0", "2")):
        out = tmp_path / name
        merged(
            out,
            SourceConfig(root=one, episodes=first),
            SourceConfig(root=other, episodes=second),
            robot_type="so_follower",
        )
        outputs.append(open_set(out))
    merge_datasets(outputs, "judge/both", tmp_path / "both")
    wanted_a = [items_of(one, e) for e in (2, 3, 4)] + [items_of(other, e) for e in (0, 1)]
    wanted_b = [items_of(one, 0), items_of(other, 2)]
    assert_items(tmp_path / "both", wanted_a + wanted_b)
    split = split_dataset(outputs[0], {"x": [0, 1, 2, 3, 4]}, tmp_path / "parts")
    assert_items(split["x"].root, wanted_a)
    parts = split_dataset(outputs[0], {"y": [0, 3], "z": [1]}, tmp_path / "more")
    deleted = delete_episodes(outputs[0], [0, 2], tmp_path / "deleted", "judge/deleted")
    for dataset, wanted in (
        (parts["y"], [wanted_a[0], wanted_a[3]]),
        (parts["z"], [wanted_a[1]]),
        (deleted, [wanted_a[1], wanted_a[3], wanted_a[4]]),
    ):
        flat = [item for items in wanted for item in items]
        again = open_set(Path(dataset.root))
        assert len(again) == len(flat)
        for index, source in enumerate(flat):  # these two re-encode, so images are near, not equal
            item = again[index]
            assert np.array_equal(item["observation.state"], source["observation.state"])
            assert item["task"] == source["task"]
            key = "observation.images.wrist"
            assert float((item[key] - source[key]).abs().mean()) < 0.06


def test_lerobots_delete_on_several_files_and_cameras(recorded: Recorded, tmp_path: Path) -> None:
    from lerobot.datasets.dataset_tools import delete_episodes

    split, other = recorded("split"), recorded("split-other")
    merged(tmp_path / "out", SourceConfig(root=other), SourceConfig(root=split, episodes="1-3"))
    deleted = delete_episodes(open_set(tmp_path / "out"), [1], tmp_path / "deleted", "judge/deleted")
    states = [items_of(other, 0), *(items_of(split, e) for e in (1, 2, 3))]
    again = open_set(Path(deleted.root))
    flat = [item for items in states for item in items]
    assert len(again) == len(flat)
    for index, source in enumerate(flat):
        assert np.array_equal(again[index]["observation.state"], source["observation.state"])


def test_a_path_with_any_letters(recorded: Recorded, tmp_path: Path) -> None:
    folder = tmp_path / "dätä set's {x}" / "名前"
    source = Path(shutil.copytree(recorded("av1"), folder / "in"))
    merged(folder / "out", SourceConfig(root=source, episodes=[1]))
    assert_items(folder / "out", [items_of(source, 1)])


def test_a_read_only_source(copied: Recorded, tmp_path: Path) -> None:
    source = copied("av1")
    paths = [source, *source.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        merged(tmp_path / "out", SourceConfig(root=source))
        assert all((path.stat().st_mode & 0o200) for path in (tmp_path / "out").rglob("*"))
        assert_items(tmp_path / "out", [items_of(source, episode) for episode in range(5)])
    finally:
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_h264_and_av1_in_files_of_their_own(recorded: Recorded, tmp_path: Path) -> None:
    h264, av1 = recorded("h264"), recorded("av1")
    out = tmp_path / "out"
    merged(
        out,
        SourceConfig(root=h264),
        SourceConfig(root=av1, episodes="0-1"),
        SourceConfig(root=h264, episodes=[0]),
        mixed_codecs=True,
    )
    wanted = [(h264, 0), (h264, 1), (av1, 0), (av1, 1), (h264, 0)]
    assert_items(out, [items_of(*place) for place in wanted])
    assert len(list((out / "videos").rglob("*.mp4"))) == 3


def test_sources_of_one_name_in_two_folders(recorded: Recorded, tmp_path: Path) -> None:
    one = Path(shutil.copytree(recorded("av1"), tmp_path / "x/set"))
    other = Path(shutil.copytree(recorded("av1-other"), tmp_path / "y/set"))
    change_info(other, robot_type="so_follower")
    report = merged(tmp_path / "out", SourceConfig(root=one), SourceConfig(root=other))
    assert [source.frames for source in report.sources] == [
        sum(RECORDINGS["av1"].lengths),
        sum(RECORDINGS["av1-other"].lengths),
    ]


def test_unlabelled_sources_stay_without_labels(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("unlabelled")
    report = merged(tmp_path / "out", SourceConfig(root=source))
    assert_items(tmp_path / "out", [items_of(source, episode) for episode in range(3)])
    assert "next.reward" not in read_info(tmp_path / "out")["features"]
    assert report.success_frames is None
    assert report.episodes[0].success_frames is None


def test_only_one_source_labelled_by_its_own_file(recorded: Recorded, tmp_path: Path) -> None:
    one, other = recorded("av1"), recorded("av1-other")
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 2-\n1: all fail\n2: 1\n")
    merged(
        tmp_path / "out",
        SourceConfig(root=one, episodes=[0]),
        SourceConfig(root=other, annotations=labels),
        robot_type="x",
        unlisted="keep",
    )
    wanted = [items_of(one, 0), *(items_of(other, e) for e in range(3))]
    columns = [label_columns([5, 6], 7)]
    columns += [label_columns(s, n) for s, n in (([1, 2, 3, 4, 5], 6), ([], 4), ([0], 5))]
    assert_items(tmp_path / "out", wanted, labels=[without_success(column) for column in columns])
