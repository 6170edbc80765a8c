"""``info.json``, tasks and the episodes list: each fault is named, and hides no other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge, verify_dataset
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.findings.problem import DatasetError
from lerobot_grasp_plugin.verify.verifier import fetch_files
from tests.support.factories import Legacy, change_info, write_legacy
from tests.support.lerobot_judge import items_of, open_set
from tests.support.verifying import (
    DATA,
    EPISODES,
    by_code,
    change_column,
    change_table,
    findings,
    found,
    replaced,
)

#: Takes from root what lets it read any file.
AS_ANYBODY = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    if os.geteuid() == 0
    else []
)
VIDEO = "videos/observation.images.wrist/chunk-000/file-000.mp4"
type Recorded = Callable[[str], Path]


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


def test_rows_that_cannot_be_read_say_nothing_of_statistics(copied: Recorded) -> None:
    root = copied("split")
    lost = sorted((root / "data").rglob("*.parquet"))[-1]
    lost.write_bytes(b"<html>not found</html>")
    problem = by_code(root, "bad-parquet")
    assert "download it again" in problem.hint
    assert not {"wrong-statistics", "stale-label-statistics"} & {code for code, _ in found(root)}


def test_files_of_the_hub_are_fetched_as_far_as_the_level_needs_them(copied: Recorded) -> None:
    root = copied("av1")
    fetched: list[str] = []

    def fetch(relative_paths: Iterable[str]) -> None:
        fetched.extend(relative_paths)

    location = Location("lab/av1", root, fetch)
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


def test_a_column_of_nothing(copied: Recorded) -> None:
    root = copied("av1")
    change_column(root, DATA, "next.reward", lambda values: [None] * len(values))
    assert "empty (null) in 35 rows" in by_code(root, "null-values").message
    change_table(root, DATA, lambda table: replaced(table, "next.reward", pa.nulls(35)))
    assert "empty (null) in all rows" in by_code(root, "null-values").message
    assert not {"dtype-mismatch", "not-finite"} & {code for code, _ in found(root)}


def test_texts_that_are_not_there(copied: Recorded) -> None:
    root = copied("odd")
    change_column(root, DATA, "odd.text", lambda values: [*values[:5], None, *values[6:]])
    problem = by_code(root, "null-values")
    assert (problem.place.episode, problem.place.frame) == (1, 1)


def test_texts_that_are_written_once(copied: Recorded) -> None:
    """A column that pandas wrote as categories is one of texts."""
    root = copied("odd")

    def categories(table: pa.Table) -> pa.Table:
        at = table.column_names.index("odd.text")
        return table.set_column(at, "odd.text", table["odd.text"].dictionary_encode())

    change_table(root, DATA, categories)
    assert found(root) == [("reward-all-zero", "warning")]


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


def test_frames_no_row_refers_to_are_summed_up_for_a_camera(tmp_path: Path) -> None:
    spec = Legacy(lengths=(6, 4, 5, 7), extra_video_frames=2)
    root = write_legacy(tmp_path / "set", spec)
    message = by_code(root, "unreferenced-total", "video").message
    assert "8 of 30 frames (0.8 s, 26.7 %) in 4 of 4 files belong to no row" in message
    assert [code for code, _ in found(root, "video")].count("unreferenced-frames") == 4


def test_what_to_do_is_told_with_faults_of_hand_edits(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, EPISODES, lambda table: table.filter(pa.array([True, True, False, True, True])))
    assert "lerobot-grasp-merge writes and renumbers the others" in by_code(root, "episode-numbering").hint
    (root / "meta/info.json").write_text("{},")
    assert "copy it again" in by_code(root, "bad-json").hint


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
    command: list[str | Path] = [Path(sys.executable).parent / "lerobot-grasp-verify", f"--report={report}"]
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
