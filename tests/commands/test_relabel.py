"""``lerobot-grasp-relabel`` as it is typed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lerobot_grasp_plugin.commands.relabel import main
from tests.support.command_call import ended_by
from tests.support.factories import data_table, tree

type Recorded = Callable[[str], Path]

SCRIPT = str(Path(sys.executable).with_name("lerobot-grasp-relabel"))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("0: 3-\n1: 1, 4-5\n2: all fail\n3: all success\n4: 8\n")
    return path


ended = partial(ended_by, main)


def test_flags(recorded: Recorded, labels: Path, tmp_path: Path, capsys) -> None:
    code, out, err = ended(
        [
            *("--root", recorded("av1"), "--annotations", labels, "--new_root", tmp_path / "out"),
            *("--done", "first_success", "--alignment", "next", "--success_value", "2"),
            *("--next_success", "true", "--link", "copy"),
        ],
        capsys,
    )
    assert (code, err) == (0, "")
    assert "next.done is true in the first success frame" in out
    table = data_table(tmp_path / "out").to_pydict()
    assert table["next.reward"][:7] == [0, 2, 2, 2, 2, 2, 2]
    assert table["next.done"][:7] == [False, True, False, False, False, False, True]
    assert table["next.success"][:2] == [False, True]


def test_a_config_file(recorded: Recorded, labels: Path, tmp_path: Path, capsys) -> None:
    config = tmp_path / "relabel.yaml"
    config.write_text(f"root: {recorded('av1')}\nannotations: {labels}\nnew_root: {tmp_path / 'out'}\n")
    code, out, _ = ended(["--config_path", config], capsys)
    assert code == 0
    assert ["av1", "5", "35", "15", "42.9", "%"] in [line.split() for line in out.splitlines()]


def test_in_place_names_its_backup(copied: Recorded, labels: Path, capsys) -> None:
    source = copied("av1")
    before = tree(source)
    code, out, _ = ended(["--root", source, "--annotations", labels, "--in_place", "true"], capsys)
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("The old dataset is kept at "))
    backup = Path(line.removeprefix("The old dataset is kept at ").split(";")[0])
    assert tree(backup) == before
    assert tree(source) != before


def test_errors_show_the_line(recorded: Recorded, labels: Path, tmp_path: Path, capsys) -> None:
    labels.write_text("0: 3-\n1: 5-4\n2: all fial\n3: 1\n4: 8\n")
    code, out, err = ended(
        ["--root", recorded("av1"), "--annotations", labels, "--new_root", tmp_path / "out"], capsys
    )
    assert (code, out) == (1, "")
    assert f"{labels}:2:" in err
    assert f"{labels}:3:" in err
    assert "2: all fial" in err
    assert "^" in err
    assert "2 errors; nothing was written." in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "no-annotations"),
        (["--annotations", "{labels}", "--root", "/nowhere", "--new_root", "{out}"], "no-dataset"),
        (["--annotations", "/nowhere.txt", "--root", "{source}", "--new_root", "{out}"], "/nowhere.txt"),
        (["--annotations", "{labels}", "--root", "{source}"], "no-target"),
        (["--annotation", "{labels}"], "annotation"),
        (
            ["--index_base", "2", "--annotations", "{labels}", "--root", "{source}", "--new_root", "{out}"],
            "2",
        ),
        (
            [
                "--success_value",
                "nan",
                "--annotations",
                "{labels}",
                "--root",
                "{source}",
                "--new_root",
                "{out}",
            ],
            "",
        ),
    ],
)
def test_calls_at_fault_end_in_2(
    args: list[str], said: str, recorded: Recorded, labels: Path, tmp_path: Path, capsys
) -> None:
    places = {"labels": labels, "source": recorded("av1"), "out": tmp_path / "out"}
    code, out, err = ended([arg.format(**places) for arg in args], capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert err
    assert not (tmp_path / "out").exists()


def test_as_a_process(recorded: Recorded, labels: Path, tmp_path: Path) -> None:
    call: list[str | Path] = [
        SCRIPT,
        "--root",
        recorded("av1"),
        "--annotations",
        labels,
        "--new_root",
        tmp_path / "out",
    ]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    rewards: list[Any] = data_table(tmp_path / "out")["next.reward"].to_pylist()
    assert sum(rewards) == 15
    again = subprocess.run(call, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "Traceback" not in again.stderr
