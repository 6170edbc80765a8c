"""``lerobot-grasp-edit`` as it is typed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.edit import main
from lerobot_grasp_plugin.commands.merge import main as merge_main
from tests.support.command_call import ended_by
from tests.support.factories import data_table, tree
from tests.support.lerobot_judge import assert_items, items_of

type Recorded = Callable[[str], Path]


ended = partial(ended_by, main)


def call(operation: str, **options: object) -> list[str]:
    flags = [f"--operation.{name}={value}" for name, value in options.items()]
    return [f"--operation.type={operation}", *flags]


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        (call("delete", episode_indices="[0, 2]"), [1, 3, 4]),
        (call("delete", episode_indices="1-3"), [0, 4]),
        (call("reorder", episode_indices="[4, 0, 1, 2, 3]"), [4, 0, 1, 2, 3]),
    ],
)
def test_flags(recorded: Recorded, tmp_path: Path, capsys, operation: list[str], wanted: list[int]) -> None:
    source = recorded("av1")
    code, out, err = ended(["--root", source, *operation, "--new_root", tmp_path / "out"], capsys)
    assert (code, err) == (0, "")
    assert out.endswith(f"Wrote out to {tmp_path / 'out'}\n")
    assert_items(tmp_path / "out", [items_of(source, episode) for episode in wanted])


def test_a_config_file(recorded: Recorded, tmp_path: Path, capsys) -> None:
    source, other = recorded("av1"), recorded("av1-other")
    config = tmp_path / "edit.yaml"
    config.write_text(
        f"root: {source}\nnew_root: {tmp_path / 'out'}\nrobot_type: so_follower\n"
        f"operation:\n  type: replace\n  episode_index: 4\n"
        f"  source: {{root: {other}, episodes: [2], frames: {{2: 2-4}}}}\n"
    )
    code, _, err = ended(["--config_path", config], capsys)
    assert (code, err) == (0, "")
    assert len(data_table(tmp_path / "out")) == 7 + 5 + 9 + 6 + 3


def test_a_dry_run_is_a_recipe_for_merge(recorded: Recorded, tmp_path: Path, capsys) -> None:
    """The recipe alone is on stdout, what is odd about it on stderr; its ranges can be changed."""
    source = recorded("av1")
    given = ["--root", source, "--new_root", tmp_path / "out"]
    operation = call("split", parts=2, episode_indices="[0]")
    code, out, err = ended([*given, *operation, "--dry_run"], capsys)
    assert code == 0
    assert "statistics-of-whole-episode" in err
    assert not (tmp_path / "out").exists()
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(out.replace("1-3, 4-", "2-3, 4-6"))
    code, _, _ = ended_by(merge_main, ["--config_path", recipe], capsys)
    assert code == 0
    zero, rest = items_of(source, 0), [items_of(source, episode) for episode in range(1, 5)]
    assert_items(tmp_path / "out", [zero[1:3], zero[3:6], *rest])


def test_a_source_in_flags_of_their_own(recorded: Recorded, tmp_path: Path, capsys) -> None:
    """Also after merge has read a call, which takes sources that are only text."""
    source = recorded("av1")
    ended_by(merge_main, ["--sources", "[x]"], capsys)
    options = {"episode_index": 0, "source.root": source, "source.episodes": "[4]", "source.task": "push"}
    code, _, err = ended(
        ["--root", source, *call("insert", **options), "--new_root", tmp_path / "out"], capsys
    )
    assert code == 0, err
    own = [items_of(source, episode) for episode in range(5)]
    tasks = ["push", *(items[0]["task"] for items in own)]
    assert_items(tmp_path / "out", [own[4], *own], tasks=tasks)


def test_in_place_names_its_backup(copied: Recorded, capsys) -> None:
    source = copied("unlabelled")
    before = tree(source)
    operation = call("set_task", new_task="stack", episode_indices="[1]")
    code, out, _ = ended(["--root", source, "--in_place", *operation], capsys)
    assert code == 0
    assert out.startswith("episode 1: task 'stack'\n=== unlabelled ===\n")
    line = next(line for line in out.splitlines() if line.startswith("The old dataset is kept at "))
    backup = Path(line.removeprefix("The old dataset is kept at ").split(";")[0])
    assert tree(backup) == before
    assert tree(source) != before


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            [],
            [
                "no-dataset",
                "no operation is given",
                "no-target",
                "give --operation.type: delete, insert, reorder",
            ],
        ),
        (call("remove"), ["--operation.type must be one of trim, "]),
        (
            call("delete", episode_index="[3]"),
            ["unknown option episode_index in operation, did you mean episode_indices?"],
        ),
        (call("trim", threshold="big"), ["--operation.threshold must be a number, not 'big'"]),
        (call("split", parts="two"), ["--operation.parts must be an integer, not 'two'"]),
        (
            ["--operation", "delete"],
            ["--operation must be a block of options with a type: --operation.type NAME"],
        ),
        (
            call("replace", source="/nowhere"),
            ["--operation.source must be a block of options: --operation.source.OPTION VALUE"],
        ),
        (
            call("split", splits="[0.8]"),
            ["--operation.splits must be a mapping, such as '{NAME: VALUE}', not '[0.8]'"],
        ),
        (
            call("delete", episode_indices="!3"),
            ["put !3 in quotes of its own: --operation.episode_indices '\"!3\"'"],
        ),
        (call("trim", frames="{x: 1-}"), ["a key of --operation.frames must be an integer, not 'x'"]),
        ([*call("delete", episode_indices="[9]"), "--root", "{source}"], ["unknown-episode", "no-target"]),
        ([*call("split", splits="{a: 0.5, b: 0.5}"), "--root", "{source}"], ["no-target"]),
        ([*call("delete"), "--root", "/nowhere", "--new_root", "{out}"], ["no-dataset"]),
        (
            [*call("split", at="gaps"), "--root", "{source}", "--new_root", "{out}"],
            ["state_jump, timestamp_gap"],
        ),
    ],
    ids=[
        "nothing",
        "type",
        "option",
        "value",
        "number",
        "text",
        "folder",
        "list",
        "tag",
        "key",
        "episode",
        "parts",
        "root",
        "choice",
    ],
)
def test_calls_at_fault_end_in_2(
    args: list[str], said: list[str], recorded: Recorded, tmp_path: Path, capsys
) -> None:
    places = {"source": recorded("av1"), "out": tmp_path / "out"}
    filled = [arg.format(**places) if arg.startswith("{") else arg for arg in args]
    code, out, err = ended(filled, capsys)
    assert (code, out) == (2, "")
    for text in said:
        assert text in err
    assert not (tmp_path / "out").exists()


def test_damaged_data_ends_in_1(copied: Recorded, tmp_path: Path, capsys) -> None:
    source = copied("av1")
    next((source / "data").rglob("*.parquet")).write_bytes(b"PAR1")
    operation = call("delete", episode_indices="[1]")
    code, out, err = ended(["--root", source, "--new_root", tmp_path / "out", *operation], capsys)
    assert (code, out) == (1, "")
    assert "bad-parquet" in err
    assert "nothing was written." in err
