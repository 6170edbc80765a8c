"""Tasks after ``set_task``: those of the rows count, and nothing names a task that is not listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin.editing.config import SetTaskConfig
from lerobot_grasp_plugin.verify.verifier import verify_dataset
from tests.support.edited import codes, edited
from tests.support.factories import Legacy, data_table, episodes_table, write_legacy, write_lines
from tests.support.lerobot_judge import open_set

type Recorded = Callable[[str], Path]

SPEC = Legacy(lengths=(4, 3, 5), tasks=("pick", "place", "look"))


def listed_as(root: Path, episode: int, tasks: list[str]) -> Path:
    """A dataset of three episodes with a task each, whose list names other tasks for one of them."""
    write_legacy(root, SPEC)
    path = root / "meta/episodes.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[episode]["tasks"] = tasks
    write_lines(path, lines)
    return root


def tasks_of_rows(root: Path) -> list[str]:
    tasks = open_set(root).meta.tasks.index
    return [tasks[number] for number in data_table(root)["task_index"].to_pylist()]


@pytest.mark.parametrize("chosen", [[0], None])
def test_an_episode_whose_rows_have_another_task_than_the_list_says_gets_it(
    tmp_path: Path, chosen: list[int] | None
) -> None:
    source = listed_as(tmp_path / "source", 0, ["place"])
    report = edited(source, tmp_path / "out", SetTaskConfig(new_task="place", episode_indices=chosen))
    assert codes(report) == []
    wanted = ["place", "place", "look" if chosen else "place"]
    assert tasks_of_rows(tmp_path / "out") == [wanted[0]] * 4 + [wanted[1]] * 3 + [wanted[2]] * 5
    assert episodes_table(tmp_path / "out")["tasks"].to_pylist() == [[task] for task in wanted]


def test_no_episode_lists_a_task_that_is_left_out(tmp_path: Path) -> None:
    """Of ``look`` there are no rows left, though episode 0 lists it."""
    source = listed_as(tmp_path / "source", 0, ["pick", "look"])
    report = edited(source, tmp_path / "out", SetTaskConfig(new_task="lift", episode_indices=[2]))
    said = "the metadata lists other tasks than the rows for episode 0; the rows' tasks are used"
    assert said in report.reports[0].sources[0].notes
    assert [*open_set(tmp_path / "out").meta.tasks.index] == ["pick", "place", "lift"]
    assert episodes_table(tmp_path / "out")["tasks"].to_pylist() == [["pick"], ["place"], ["lift"]]


def test_a_task_of_an_episode_that_is_left_out_is_left_out(tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", SPEC)
    (tmp_path / "labels.txt").write_text("# flag 2: blurred\n0: 2-\n1: 2-\n2: 2-\n")
    operation = SetTaskConfig(new_task="lift", episode_indices=[2])
    options = {"annotations": tmp_path / "labels.txt", "exclude_flagged": True}
    edited(source, tmp_path / "out", operation, **options)
    assert [*open_set(tmp_path / "out").meta.tasks.index] == ["pick", "place"]


def test_a_task_in_two_spellings_is_named_with_what_gives_it_one(tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", SPEC)
    report = edited(source, tmp_path / "out", SetTaskConfig(new_task="Pick.", episode_indices="1-2"))
    (warning,) = report.reports[0].warnings
    assert warning.code == "near-tasks"
    assert "--operation.type set_task --operation.new_task pick" in warning.hint
    (finding,) = [one for one in verify_dataset(tmp_path / "out").problems if one.code == "near-tasks"]
    (command,) = finding.commands
    assert command.flags["operation.episode_indices"] == "1-2"
