"""``info.json``, tasks and the episodes list: each fault is named, and hides no other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge, verify_dataset
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.findings.problem import DatasetError
from lerobot_grasp_plugin.verify.verifier import fetch_files
from tests.support.factories import Legacy, change_info, read_info, write_legacy
from tests.support.lerobot_judge import items_of, open_set
from tests.support.verifying import (
    DATA,
    EPISODES,
    by_code,
    change_column,
    change_json,
    change_table,
    findings,
    found,
)

#: Takes from root what lets it read any file.
AS_ANYBODY = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    if os.geteuid() == 0
    else []
)
VIDEO = "videos/observation.images.wrist/chunk-000/file-000.mp4"
PLACE = "{chunk_index}/{file_index}"

type Recorded = Callable[[str], Path]


def info(**changes: Any) -> Callable[[Path], None]:
    return lambda root: change_info(root, **changes)


def feature(name: str, **changes: Any) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        features = read_info(root)["features"]
        features[name] = {**features[name], **changes}
        change_info(root, features=features)

    return spoil


def undeclare(name: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        features = read_info(root)["features"]
        del features[name]
        change_info(root, features=features)

    return spoil


INFO_FAULTS = {
    "no chunks": (info(chunks_size=0), "bad-info", "error"),
    "chunks of half a file": (info(chunks_size=1.5), "bad-info", "error"),
    "no rate": (info(fps=0), "bad-info", "error"),
    "rate as text": (info(fps="10"), "bad-info", "error"),
    "unknown version": (info(codebase_version="v9"), "unknown-codebase-version", "error"),
    "more episodes": (info(total_episodes=6), "wrong-total", "error"),
    "more frames": (info(total_frames=36), "wrong-total", "error"),
    "more tasks": (info(total_tasks=9), "wrong-total", "warning"),
    "no tasks": (info(total_tasks=0), "wrong-total", "error"),
    "null video path": (info(video_path=None), "bad-path-template", "error"),
    "null data path": (info(data_path=None), "bad-path-template", "warning"),
    "absolute data path": (
        info(data_path="/etc/{chunk_index}/{file_index}"),
        "path-outside-dataset",
        "error",
    ),
    "data path upwards": (info(data_path="../{chunk_index}/{file_index}"), "path-outside-dataset", "error"),
    "splits past the end": (info(splits={"train": "0:100"}), "bad-splits", "warning"),
    "splits that are none": (info(splits={"train": [0, 5]}), "bad-splits", "warning"),
    "another width": (feature("action", shape=[3]), "shape-mismatch", "error"),
    "another type": (feature("action", dtype="int64"), "dtype-mismatch", "error"),
    "a narrower type": (feature("action", dtype="float64"), "dtype-mismatch", "warning"),
    "a float index": (feature("episode_index", dtype="float64"), "index-dtype", "error"),
    "an image of two dimensions": (feature("observation.images.wrist", shape=[64, 96]), "bad-info", "error"),
    "a codec by its tag": (
        feature("observation.images.wrist", info={"video.codec": "mp4v"}),
        "codec-name",
        "warning",
    ),
    "another rate of a feature": (feature("action", fps=30.0), "feature-fps", "warning"),
    "splits that share episodes": (
        info(splits={"train": "0:4", "test": "3:5"}),
        "bad-splits",
        "warning",
    ),
    "a data path without digits": (
        info(data_path="data/chunk-{chunk_index}/file-{file_index}.parquet"),
        "template-mismatch",
        "warning",
    ),
    "a video path without digits": (
        info(video_path="videos/{video_key}/chunk-{chunk_index}/file-{file_index}.mp4"),
        "template-mismatch",
        "error",
    ),
    "a camera declared as images": (
        feature("observation.images.wrist", dtype="image"),
        "missing-column",
        "error",
    ),
    "undeclared": (undeclare("next.reward"), "undeclared-column", "error"),
}


@pytest.mark.parametrize("fault", INFO_FAULTS)
def test_info_that_says_something_else(fault: str, copied: Recorded) -> None:
    root = copied("av1")
    spoil, code, severity = INFO_FAULTS[fault]
    spoil(root)
    assert (code, severity) in found(root), [str(problem) for problem in findings(root)]
    assert not {"wrong-file", "missing-file"} & {code for code, _ in found(root)}


@pytest.mark.parametrize(
    ("codec", "hint"), [("mp4v", "cannot encode them"), ("avc1", "write 'h264'"), ("libdav1d", "write 'av1'")]
)
def test_a_codec_that_lerobot_does_not_accept_is_named_at_every_level(
    codec: str, hint: str, copied: Recorded
) -> None:
    root = copied("av1")
    feature("observation.images.wrist", info={"video.codec": codec})(root)
    report = verify_dataset(root=root, level="meta")
    (problem,) = [each for each in report.problems if each.code == "codec-name"]
    assert repr(codec) in problem.message
    assert problem.hint.endswith(hint)


def test_a_declared_column_that_is_not_there(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, DATA, lambda table: table.drop_columns(["next.done"]))
    problem = by_code(root, "missing-column")
    assert (problem.place.path, problem.severity) == (str(root / DATA), "error")
    assert "'next.done'" in problem.message


def test_a_path_template_without_a_field(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    change_info(root, data_path="data/chunk-000/episode.parquet")
    assert "{episode_index}" in by_code(root, "bad-path-template").message


def test_a_template_that_leads_to_files_of_that_name_elsewhere(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    change_info(root, data_path="data/chunk-{episode_index:03d}/episode_{episode_index:06d}.parquet")
    assert found(root) == [("template-mismatch", "warning")]


@pytest.mark.parametrize("lost", ["meta/info.json", "meta/tasks.parquet", EPISODES, "meta/stats.json"])
@pytest.mark.parametrize(
    "content", [b"", b"null", b"\xff" * 40, b"version https://git-lfs.github.com/spec/v1"]
)
def test_one_broken_file_hides_nothing_else(lost: str, content: bytes, copied: Recorded) -> None:
    root = copied("av1")
    change_column(root, DATA, "index", lambda values: [*values[:9], 99, *values[10:]])
    (root / lost).write_bytes(content)
    problems = findings(root)
    assert str(root / lost) in {problem.place.path for problem in problems}
    assert ("index-wrong", 1, 2) in {(each.code, each.place.episode, each.place.frame) for each in problems}


def test_metadata_of_two_formats(copied: Recorded, tmp_path: Path) -> None:
    both = copied("av1")
    shutil.copy(write_legacy(tmp_path / "old", Legacy(cameras=())) / "meta/tasks.jsonl", both / "meta")
    assert found(both) == [("mixed-versions", "warning")]
    old = write_legacy(tmp_path / "changed", Legacy(cameras=()))
    change_info(old, codebase_version="v3.0")
    assert ("version-mismatch", "error") in found(old)


EPISODE_FAULTS = {
    "a number left out": ("episode_index", lambda v: [0, 1, 2, 3, 5], "episode-numbering", 4),
    "a number twice": ("episode_index", lambda v: [0, 1, 1, 3, 4], "episode-numbering", 2),
    "another length": ("length", lambda v: [7, 5, 8, 6, 8], "wrong-length", 2),
    "no length": ("length", lambda v: [7, 0, 9, 6, 8], "empty-episode", 1),
    "another start": ("dataset_from_index", lambda v: [v[0], v[1] + 1, *v[2:]], "wrong-range", 1),
    "another end": ("dataset_to_index", lambda v: [*v[:4], v[4] + 1], "wrong-range", 4),
    "another file": ("data/file_index", lambda v: [0, 0, 0, 7, 0], "wrong-file", 3),
    "a file past the limit": ("data/file_index", lambda v: [0, 0, 0, 1000, 0], "chunk-limit", 3),
}


@pytest.mark.parametrize("fault", EPISODE_FAULTS)
def test_an_episodes_table_that_says_something_else(fault: str, copied: Recorded) -> None:
    root = copied("av1")
    column, change, code, episode = EPISODE_FAULTS[fault]
    change_column(root, EPISODES, column, change)
    assert (code, episode) in {(problem.code, problem.place.episode) for problem in findings(root)}


@pytest.mark.parametrize("lost", ["length", "data/chunk_index", "dataset_from_index"])
def test_an_episodes_table_without_a_column(lost: str, copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, EPISODES, lambda table: table.drop_columns([lost]))
    assert repr(lost) in by_code(root, "missing-column").message


@pytest.mark.parametrize(("lost", "severity"), [("from_timestamp", "error"), ("to_timestamp", "warning")])
def test_an_episodes_table_without_seconds(lost: str, severity: str, copied: Recorded) -> None:
    root = copied("av1")
    column = f"videos/observation.images.wrist/{lost}"
    change_table(root, EPISODES, lambda table: table.drop_columns([column]))
    problem = by_code(root, "missing-column")
    assert repr(column) in problem.message
    assert problem.severity == severity


@pytest.mark.parametrize(
    ("name", "statistic"), [("action", "mean"), ("action", "q50"), ("observation.images.wrist", "std")]
)
def test_statistics_that_are_no_numbers(name: str, statistic: str, copied: Recorded) -> None:
    root = copied("av1")
    path = root / "meta/stats.json"
    stats = json.loads(path.read_text())
    values = stats[name][statistic]
    while isinstance(values[0], list):
        values = values[0]
    values[0] = float("nan")
    path.write_text(json.dumps(stats))
    assert repr(name) in by_code(root, "wrong-statistics").message


def test_statistics_that_lack_one(copied: Recorded) -> None:
    root = copied("av1")
    path = root / "meta/stats.json"
    stats = json.loads(path.read_text())
    del stats["action"]["std"]
    path.write_text(json.dumps(stats))
    assert by_code(root, "missing-stats").message == "'action' has no std"


def test_totals_that_nothing_reads(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    change_info(root, total_videos=2, total_chunks=0)
    notes = [problem.message for problem in findings(root, notes=True) if problem.code == "wrong-total"]
    assert notes == [
        "total_videos is 2, but 0 by the episodes list",
        "total_chunks is 0, but 1 by the episodes list",
    ]
    assert found(root) == []


def test_lines_that_are_no_episodes(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    path = root / "meta/episodes.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], '{"episode_index": 1}', lines[2]]))
    assert str(by_code(root, "bad-json").place) == f"{path}:2"


def test_a_task_that_is_listed_twice_the_same(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    path = root / "meta/tasks.jsonl"
    path.write_text(path.read_text() * 2)
    assert by_code(root, "duplicate-task").message == "task_index 0 is listed twice or more: 'pick the cube'"


def test_tasks_that_lerobot_looks_up_by_their_place(copied: Recorded) -> None:
    root = copied("av1")
    change_column(root, "meta/tasks.parquet", "task_index", lambda values: [1, 0])
    assert ("task-numbering", "error") in found(root)
    change_column(root, "meta/tasks.parquet", "task_index", lambda values: [1, 2])
    assert {("task-numbering", "error"), ("unknown-task", "error")} <= set(found(root))


@pytest.mark.parametrize(
    ("rows", "misread"),
    [
        ([(0, "pick the cube"), (0, "pick the cube"), (1, "place the cube")], True),
        ([(0, "pick the cube"), (0, "push"), (1, "place the cube")], True),
        ([(1, "place the cube"), (1, "push"), (0, "pick the cube")], True),
        ([(0, "pick the cube"), (1, "place the cube"), (0, "pick the cube")], False),
        ([(0, "pick the cube"), (1, "place the cube"), (0, "push")], False),
    ],
)
def test_a_task_listed_twice_moves_those_behind_it(
    rows: list[tuple[int, str]], misread: bool, copied: Recorded, tmp_path: Path
) -> None:
    """LeRobot takes task_index for the row's number: with a row too many, items have another task."""
    root = copied("av1")
    wanted = [item["task"] for episode in (0, 1) for item in items_of(root, episode)]
    path = root / "meta/tasks.parquet"
    schema = pq.ParquetFile(path).schema_arrow
    table = pa.table({"task_index": [n for n, _ in rows], "task": [task for _, task in rows]})
    pq.write_table(table.select(schema.names).cast(schema), path)
    change_info(root, total_tasks=2)
    dataset = open_set(root)
    assert ([dataset[index]["task"] for index in range(len(wanted))] != wanted) is misread
    assert (("task-numbering", "error") in found(root)) is misread
    config = MergeConfig(sources=[SourceConfig(root=root, episodes="0-1")], new_root=tmp_path / "out")
    if misread:
        with pytest.raises(DatasetError, match="task_index"):
            merge(config)
    else:
        merge(config)
        merged = open_set(tmp_path / "out")
        assert [merged[index]["task"] for index in range(len(merged))] == wanted


def test_a_task_without_a_text(copied: Recorded, tmp_path: Path) -> None:
    root = copied("av1")
    change_column(root, "meta/tasks.parquet", "task", lambda values: [values[0], None])
    assert "'task' is empty (null) for task_index 1" in by_code(root, "bad-column").message
    with pytest.raises(DatasetError, match="null"):
        merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "out"))


def test_tasks_without_their_pandas_index(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, "meta/tasks.parquet", lambda table: table.replace_schema_metadata(None))
    assert found(root) == [("task-index-lost", "error")]


def test_seconds_that_are_no_numbers(copied: Recorded) -> None:
    root = copied("av1")
    column = "videos/observation.images.wrist/from_timestamp"
    change_column(root, EPISODES, column, lambda values: [*values[:-1], float("nan")])
    problem = by_code(root, "bad-column")
    assert (problem.severity, problem.place.episode) == ("error", 4)
    assert "unreferenced-frames" not in {code for code, _ in found(root, "video")}


def test_rows_that_cannot_be_read_say_nothing_of_statistics(copied: Recorded) -> None:
    root = copied("split")
    lost = sorted((root / "data").rglob("*.parquet"))[-1]
    lost.write_bytes(b"<html>not found</html>")
    problem = by_code(root, "bad-parquet")
    assert "download it again" in problem.hint
    assert not {"wrong-statistics", "stale-label-statistics"} & {code for code, _ in found(root)}


def test_tasks_of_an_episode(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), tasks=("pick", "place")))
    path = root / "meta/episodes.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    entries[1]["tasks"] = ["pick"]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    problem = by_code(root, "episode-tasks")
    assert (problem.place.episode, "'place'" in problem.message) == (1, True)


def test_files_of_the_hub_are_fetched_as_far_as_the_level_needs_them(copied: Recorded) -> None:
    root = copied("av1")
    fetched: list[str] = []
    location = Location("lab/av1", root, fetched.extend)
    wanted = {"meta": [], "data": [DATA], "video": [DATA, VIDEO], "decode": [DATA, VIDEO]}
    for level, files in wanted.items():
        fetched.clear()
        fetch_files(location, level)  # type: ignore[arg-type]
        assert sorted(fetched) == files
    fetch_files(Location("lab/av1", root), "video")  # of this machine: nothing to fetch


def test_levels(copied: Recorded) -> None:
    """``meta`` reads no rows, ``data`` reads no videos."""
    root = copied("av1")
    change_column(root, DATA, "index", lambda values: values[::-1])
    next(root.rglob("*.mp4")).write_bytes(b"no video")
    codes = {level: {code for code, _ in found(root, level)} for level in ("meta", "data", "video")}
    assert "index-wrong" not in codes["meta"]
    assert "index-wrong" in codes["data"]
    assert codes["meta"] < codes["data"] < codes["video"]
    assert [check.ok for check in verify_dataset(root, level="meta").checks].count(None) == 3


def test_links_that_lead_outside_are_not_followed(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    (root / "data").rename(tmp_path / "elsewhere")
    (root / "data").symlink_to(tmp_path / "elsewhere")
    assert ("path-outside-dataset", "error") in found(root)
    assert not any("elsewhere/" in problem.place.path for problem in findings(root))


def test_sizes_of_tables_are_noted(copied: Recorded) -> None:
    root = copied("av1")
    change_json(root, "meta/info.json", lambda content: content.update(data_files_size_in_mb=-1))
    assert ("bad-info", "error") in found(root)


def test_a_column_of_nothing(copied: Recorded) -> None:
    root = copied("av1")
    change_column(root, DATA, "next.reward", lambda values: [None] * len(values))
    assert "empty (null) in 35 rows" in by_code(root, "null-values").message
    change_table(root, DATA, lambda table: _replaced(table, "next.reward", pa.nulls(35)))
    assert "empty (null) in all rows" in by_code(root, "null-values").message
    assert not {"dtype-mismatch", "not-finite"} & {code for code, _ in found(root)}


def _replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def test_texts_that_are_not_there(copied: Recorded) -> None:
    root = copied("odd")
    change_column(root, DATA, "odd.text", lambda values: [*values[:5], None, *values[6:]])
    problem = by_code(root, "null-values")
    assert (problem.place.episode, problem.place.frame) == (1, 1)


@pytest.mark.parametrize(
    ("content", "code"), [("version https://git-lfs.github.com/spec/v1\n", "lfs-pointer"), ("", "empty-file")]
)
def test_a_file_without_its_content_is_one_finding(content: str, code: str, copied: Recorded) -> None:
    root = copied("av1")
    (root / "meta/info.json").write_text(content)
    assert [each for each, _ in found(root)] == [code]


def test_a_wrong_shape_is_one_finding(copied: Recorded) -> None:
    root = copied("av1")
    feature("action", shape=[3], names=None)(root)
    assert [code for code, severity in found(root) if severity == "error"] == ["shape-mismatch"]


def test_single_values_in_lists(copied: Recorded) -> None:
    root = copied("av1")

    def listed(table: pa.Table) -> pa.Table:
        values = pa.array([[value] for value in table["next.reward"].to_pylist()], pa.list_(pa.float32()))
        return table.set_column(table.column_names.index("next.reward"), "next.reward", values)

    change_table(root, DATA, listed)
    assert "1 levels of lists" in by_code(root, "shape-mismatch").message


def test_types_by_their_names_in_arrow_are_those_of_lerobot(copied: Recorded) -> None:
    root = copied("odd")
    feature("odd.text", dtype="large_string")(root)
    feature("action", dtype="float")(root)
    feature("odd.double", dtype="double")(root)
    assert set(found(root)) == {("dtype-alias", "warning"), ("reward-all-zero", "warning")}
    feature("odd.text", dtype="str")(root)
    assert ("bad-info", "error") in found(root)


@pytest.mark.parametrize("version", ["3.0", "v3", "v3.0.0", "V3.0"])
def test_other_spellings_of_a_version(version: str, copied: Recorded) -> None:
    root = copied("av1")
    change_info(root, codebase_version=version)
    assert found(root) == []
    assert by_code(root, "version-spelling").severity == "note"


def test_episodes_listed_in_another_file_are_one_finding_per_file(copied: Recorded) -> None:
    root = copied("av1")
    change_column(root, EPISODES, "data/file_index", lambda values: [0, 0, 7, 7, 7])
    assert found(root) == [("missing-file", "warning"), ("wrong-file", "warning")]
    problem = by_code(root, "wrong-file")
    assert (problem.place.path, problem.place.episode) == (str(root / DATA), 2)
    assert "episodes 2-4 are here" in problem.message
    assert "file-007.parquet, which does not exist" in problem.message
    assert not [each for each in findings(root, notes=True) if each.code == "not-checked"]


def test_texts_that_are_written_once(copied: Recorded) -> None:
    """A column that pandas wrote as categories is one of texts."""
    root = copied("odd")

    def categories(table: pa.Table) -> pa.Table:
        at = table.column_names.index("odd.text")
        return table.set_column(at, "odd.text", table["odd.text"].dictionary_encode())

    change_table(root, DATA, categories)
    assert found(root) == [("reward-all-zero", "warning")]


def test_columns_of_other_tools_are_none_of_lerobots(copied: Recorded) -> None:
    """pandas writes its row index; a column may be called an index without being one."""
    root = copied("av1")

    def more(table: pa.Table) -> pa.Table:
        table = table.append_column("__index_level_0__", pa.array([3, 4, 5, 6, 7]))
        return table.append_column("scene_index", pa.array(list("abcde")))

    change_table(root, EPISODES, more)
    assert found(root) == []


def test_files_of_episodes_that_do_not_go_together_are_one_finding(copied: Recorded) -> None:
    root = copied("av1")
    other = EPISODES.replace("file-000", "file-001")
    shutil.copy(root / EPISODES, root / other)
    change_table(root, EPISODES, lambda table: table.slice(0, 3))

    def texts(table: pa.Table) -> pa.Table:
        at = table.column_names.index("tasks")
        return table.slice(3).set_column(at, "tasks", pa.array(["a", "b"]))

    change_table(root, other, texts)
    assert ("episodes-columns", "error") in found(root)
    assert not {"missing-column", "unlisted-rows", "wrong-total", "episode-tasks"} & {
        code for code, _ in found(root)
    }


def test_episodes_out_of_order_are_one_finding(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, EPISODES, lambda table: table.take([1, 0, 2, 3, 4]))
    assert found(root) == [("episode-numbering", "error")]


def test_lengths_are_taken_from_the_ranges_where_they_are_missing(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, EPISODES, lambda table: table.drop_columns(["length"]))
    change_table(root, DATA, lambda table: pa.concat_tables([table.slice(0, 9), table.slice(10)]))
    assert by_code(root, "wrong-length").place.episode == 1


@pytest.mark.parametrize("entry", [None, "float32", {"dtype": "float32"}, {"shape": [2]}])
def test_a_feature_that_cannot_be_understood_is_one_finding(entry: object, copied: Recorded) -> None:
    root = copied("av1")
    change_info(root, features={**read_info(root)["features"], "action": entry})
    assert found(root) == [("bad-info", "error")]


def test_images_declared_as_a_video_are_not_undeclared(copied: Recorded) -> None:
    root = copied("odd")
    feature("observation.images.eye", dtype="video")(root)
    assert "as video" in by_code(root, "undeclared-column").message
    assert len([code for code, _ in found(root, "video") if code == "missing-column"]) == 1


@pytest.mark.parametrize("cut", [0, 40])
def test_a_resumed_recording_that_was_killed_is_named_as_such(cut: int, copied: Recorded) -> None:
    """info.json and stats.json are written with each episode, tables and list when a session ends."""
    root = copied("av1")
    new = DATA.replace("file-000", "file-001")
    shutil.copy(root / DATA, root / new)
    change_table(root, DATA, lambda table: table.slice(0, 27))
    change_table(root, new, lambda table: table.slice(27))
    change_table(root, EPISODES, lambda table: table.slice(0, 4))
    content = (root / new).read_bytes()
    (root / new).write_bytes(content[: len(content) - cut])
    other = "bad-parquet" if cut else "unlisted-rows"
    assert set(found(root)) == {("unfinished-resume", "error"), (other, "error")}
    hint = by_code(root, "unfinished-resume").hint
    assert "set total_episodes to 4 and total_frames to 27" in hint
    assert ("of the 8 rows" in hint) == (not cut)


def test_a_clone_without_its_large_files_is_no_interrupted_recording(copied: Recorded) -> None:
    root = copied("av1")
    for path in [*root.rglob("*.parquet"), *root.rglob("*.mp4")]:
        path.write_text("version https://git-lfs.github.com/spec/v1\n")
    assert {code for code, _ in found(root)} == {"lfs-pointer", "video-lfs-pointer"}


def test_another_frame_rate_in_info_is_one_finding_of_a_camera(tmp_path: Path) -> None:
    """The videos are sound; only ``fps`` is not."""
    root = write_legacy(tmp_path / "set", Legacy())
    change_info(root, fps=20)
    problem = by_code(root, "video-wrong-fps", "video")
    assert problem.severity == "error"
    assert "the same in" in problem.message


def test_frames_no_row_refers_to_are_summed_up_for_a_camera(tmp_path: Path) -> None:
    spec = Legacy(lengths=(6, 4, 5, 7), extra_video_frames=2)
    root = write_legacy(tmp_path / "set", spec)
    message = by_code(root, "unreferenced-total", "video").message
    assert "8 of 30 frames (0.8 s, 26.7 %) in 4 of 4 files belong to no row" in message
    assert [code for code, _ in found(root, "video")].count("unreferenced-frames") == 4


def test_rows_of_no_listed_episode_may_be_newer_than_the_list(copied: Recorded, tmp_path: Path) -> None:
    root = copied("av1")
    change_table(root, EPISODES, lambda table: table.slice(0, 4))
    change_info(root, total_episodes=4, total_frames=27)
    hint = by_code(root, "unlisted-rows").hint
    assert "finalize()" in hint
    assert "older" in hint
    legacy = write_legacy(tmp_path / "set", Legacy(cameras=()))
    lines = (legacy / "meta/episodes.jsonl").read_text().splitlines(keepends=True)
    (legacy / "meta/episodes.jsonl").write_text("".join(lines[:-1]))
    assert "finalize" not in by_code(legacy, "unlisted-rows").hint


def test_what_to_do_is_told_with_faults_of_hand_edits(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, EPISODES, lambda table: table.filter(pa.array([True, True, False, True, True])))
    assert "lerobot-grasp-merge writes and renumbers the others" in by_code(root, "episode-numbering").hint
    (root / "meta/info.json").write_text("{},")
    assert "copy it again" in by_code(root, "bad-json").hint


def test_a_wrong_length_is_no_wrong_range(copied: Recorded) -> None:
    root = copied("av1")
    change_column(root, EPISODES, "length", lambda values: [values[0] + 1, *values[1:]])
    assert [code for code, severity in found(root) if severity == "error"] == ["wrong-length"]


@pytest.mark.parametrize("folder", ["meta", "meta/episodes", "data", "videos/observation.images.wrist"])
def test_folders_that_may_not_be_opened(
    folder: str, copied: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copied("av1")
    allowed = os.access

    def access(path: Path, mode: int, **options: bool) -> bool:
        return allowed(path, mode, **options) and (mode == os.F_OK or path != root / folder)

    monkeypatch.setattr(os, "access", access)
    assert found(root, "decode") == [("unreadable-folder", "error")]
    assert by_code(root, "unreadable-folder", "decode").place.path == str(root / folder)
    assert "not-checked" in {problem.code for problem in findings(root, "decode", notes=True)}


def test_what_may_not_be_read(recorded: Recorded, tmp_path: Path) -> None:
    names = ["meta/info.json", "meta", DATA, "data", "meta/tasks.parquet"]
    roots = [tmp_path / f"set{number}" for number in range(len(names))]
    report = tmp_path / "report.json"
    modes: dict[Path, int] = {}
    for root, name in zip(roots, names, strict=True):
        path = shutil.copytree(recorded("av1"), root) / name
        modes[path] = path.stat().st_mode
        path.chmod(0)
    command = [Path(sys.executable).parent / "lerobot-grasp-verify", f"--report={report}"]
    command.append(f"--roots=[{', '.join(map(str, roots))}]")
    try:
        done = subprocess.run([*AS_ANYBODY, *command], capture_output=True, text=True, check=False)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert (done.returncode, done.stderr) == (1, "")
    for written in json.loads(report.read_text())["datasets"]:
        codes = [each["code"] for each in written["problems"] if each["severity"] == "error"]
        assert codes in (["unreadable-file"], ["unreadable-folder"]), written["root"]


@pytest.mark.parametrize("name", ["length", "dataset_to_index", "data/file_index", "episode_index"])
def test_a_column_of_episodes_that_is_empty(name: str, copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, EPISODES, lambda table: _replaced(table, name, pa.nulls(5)))
    problem = by_code(root, "bad-index-column")
    assert (problem.place.episode, "empty (null) for 5 episodes" in problem.message) == (0, True)


def test_rows_twice_are_no_wrong_range(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, DATA, lambda table: pa.concat_tables([table, table]))
    assert "wrong-range" not in {code for code, _ in found(root)}
