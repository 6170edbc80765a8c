"""Places: how they are rendered, and what becomes of them when a dataset moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lerobot_grasp_plugin.findings.command import Command
from lerobot_grasp_plugin.findings.problem import (
    EPISODES,
    NOWHERE,
    Episodes,
    Place,
    Problem,
    column_of,
    the_episodes,
)
from lerobot_grasp_plugin.verify.report import VerifyReport


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (NOWHERE, ""),
        (Place("labels.txt", 3, 5), "labels.txt:3:5"),
        (Place("meta/tasks.jsonl", 2), "meta/tasks.jsonl:2"),
        (Place(field="env.type"), "env.type"),
        (Place(episode=0), "episode 0"),
        (Place("a.mp4", episode=3, frame=0), "a.mp4, episode 3, frame 0"),
        (replace(column_of(Path("a.parquet"), "action"), episode=1), "a.parquet: column action, episode 1"),
        (Place("labels.txt", 3, field="dataset.annotations"), "labels.txt:3: dataset.annotations"),
        (Place("meta/info.json", root="/sets/arm"), "/sets/arm/meta/info.json"),
    ],
)
def test_a_place_is_rendered_in_one_way(place: Place, text: str) -> None:
    assert str(place) == text


@pytest.mark.parametrize("root", [Path("/sets/arm"), Path("sets/arm"), Path("data")])
def test_a_file_in_a_dataset_becomes_relative_to_it(root: Path) -> None:
    place = Place(str(root / "data/file.parquet"), episode=2)
    inside = place.within(root)
    assert (inside.root, inside.file, inside.episode) == (str(root), "data/file.parquet", 2)
    assert str(inside) == str(place)
    assert inside.within(root) == inside
    assert str(Place(str(root)).within(root)) == str(root)


def test_a_file_elsewhere_stays_as_it_is() -> None:
    for place in (NOWHERE, Place("labels.txt", 3), Place("/sets/arm-2/meta/info.json"), Place(field="fps")):
        assert place.within(Path("/sets/arm")) == place


def test_a_path_is_a_file_and_a_text_a_field() -> None:
    assert Problem("bad-value", "wrong", Path("a/b.json")).place == Place("a/b.json")
    assert Problem("bad-value", "wrong", "env.fps").place == Place(field="env.fps")


def test_a_report_moves_with_its_dataset_and_so_do_commands_in_hints() -> None:
    root = Path("/sets/arm.staging-1")
    command = Command("lerobot-edit-dataset", root, flags={"names": {"arm.staging-1": "b"}})
    place = Place(str(root / "meta/info.json")).within(root)
    problems = [
        Problem("bad-info", "fps", place, "spell arm.staging-1 right:", commands=[command]),
        Problem("unused-section", "no source", Place("/labels/arm.staging-1.txt", 2)),
    ]
    moved = VerifyReport(root, [], problems).moved(Path("/sets/arm"))
    assert [str(problem.place) for problem in moved.problems] == [
        "/sets/arm/meta/info.json",
        "/labels/arm.staging-1.txt:2",
    ]
    assert moved.problems[0].advice == (
        "spell arm.staging-1 right: lerobot-edit-dataset --repo_id arm --root /sets/arm "
        """--names '{"arm.staging-1": "b"}'"""
    )


def test_episodes_are_named_where_the_text_has_their_place() -> None:
    text = f"4 rows of {EPISODES} are wrong"
    assert Problem("bad-info", text, episodes=the_episodes([3, 1, 2, 7])).message == (
        "4 rows of episodes 1-3, 7 are wrong"
    )
    others = [Episodes((0,), "bad"), Episodes((4, 5), "good")]
    assert Problem("bad-info", text, episodes=others).message == (
        "4 rows of episode 0 of bad and episodes 4-5 of good are wrong"
    )
