"""The list of episodes: each fault of it is named once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.factories import Legacy, change_info, write_legacy
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

type Recorded = Callable[[str], Path]
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


def test_lines_that_are_no_episodes(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    path = root / "meta/episodes.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], '{"episode_index": 1}', lines[2]]))
    assert str(by_code(root, "bad-json").place) == f"{path}:2"


def test_seconds_that_are_no_numbers(copied: Recorded) -> None:
    root = copied("av1")
    column = "videos/observation.images.wrist/from_timestamp"
    change_column(root, EPISODES, column, lambda values: [*values[:-1], float("nan")])
    problem = by_code(root, "bad-column")
    assert (problem.severity, problem.place.episode) == ("error", 4)
    assert "unreferenced-frames" not in {code for code, _ in found(root, "video")}


def test_tasks_of_an_episode(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), tasks=("pick", "place")))
    path = root / "meta/episodes.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    entries[1]["tasks"] = ["pick"]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    problem = by_code(root, "episode-tasks")
    assert (problem.place.episode, "'place'" in problem.message) == (1, True)


def test_episodes_listed_in_another_file_are_one_finding_per_file(copied: Recorded) -> None:
    root = copied("av1")
    change_column(root, EPISODES, "data/file_index", lambda values: [0, 0, 7, 7, 7])
    assert found(root) == [("missing-file", "warning"), ("wrong-file", "warning")]
    problem = by_code(root, "wrong-file")
    assert (problem.place.path, problem.place.episode) == (str(root / DATA), 2)
    assert "episodes 2-4 are here" in problem.message
    assert "file-007.parquet, which does not exist" in problem.message
    assert not [each for each in findings(root, notes=True) if each.code == "not-checked"]


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


def test_a_wrong_length_is_no_wrong_range(copied: Recorded) -> None:
    root = copied("av1")
    change_column(root, EPISODES, "length", lambda values: [values[0] + 1, *values[1:]])
    assert [code for code, severity in found(root) if severity == "error"] == ["wrong-length"]


@pytest.mark.parametrize("name", ["length", "dataset_to_index", "data/file_index", "episode_index"])
def test_a_column_of_episodes_that_is_empty(name: str, copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, EPISODES, lambda table: replaced(table, name, pa.nulls(5)))
    problem = by_code(root, "bad-index-column")
    assert (problem.place.episode, "empty (null) for 5 episodes" in problem.message) == (0, True)


def test_rows_twice_are_no_wrong_range(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, DATA, lambda table: pa.concat_tables([table, table]))
    assert "wrong-range" not in {code for code, _ in found(root)}
