"""``lerobot-grasp-compare``: figures, what to look at first, and the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.compare import main
from tests.support.factories import Legacy, write_legacy
from tests.support.file_schemas import read

A = "00: 3-\n01: all fail\n02: 2-3\n03: all fail\n"
B = "00: 5-\n01: all fail\n02: all success\n04: 2-\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_legacy(tmp_path / "set", Legacy(lengths=(10, 8, 6, 5, 4), cameras=()))
    (tmp_path / "a.txt").write_text(A)
    (tmp_path / "b.txt").write_text(B)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_most_disagreement_comes_first(here: Path, capsys) -> None:
    assert main(["a.txt", "b.txt", "--root", "set", "--report=out.json"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "A: a.txt",
        "B: b.txt",
        "=== set ===",
        "Episode  Frames  Success A  Success B   Agree  Boundary  Kappa  Look at",
        "2             6          2          6  33.3 %         -   0.00  only in B: 1 and 4-6",
        "0            10          8          6  80.0 %       2.0   0.55  only in A: 3-4",
        "in all       24         10         12  75.0 %       2.0   0.50",
        "1 episode of 3 agree on every frame",
        "only A lists episode 3",
        "only B lists episode 4",
    ]
    report = read(here / "out.json", "comparison")
    assert report["annotations"] == ["a.txt", "b.txt"]
    (dataset,) = report["datasets"]
    assert dataset["look_first"] == [2, 0]
    assert dataset["only_listed"] == [[3], [4]]
    assert (dataset["frames"], dataset["differing"], dataset["agreement"]) == (24, 6, 0.75)
    assert dataset["episodes"][0] == {
        "episode_index": 0,
        "frames": 10,
        "first_success": 8,
        "second_success": 6,
        "differing": 2,
        "agreement": 0.8,
        "boundary_distance": 2.0,
        "unmatched_boundaries": 0,
        "kappa": pytest.approx(0.5454545),
        "only_first": [[2, 4]],
        "only_second": [],
    }


def test_headers_name_the_dataset(here: Path, capsys) -> None:
    for name, text in (("a.txt", A), ("b.txt", B)):
        (here / name).write_text(f"# dataset path: set\n{text}")
    assert main(["--index_base", "1", "a.txt", "b.txt"]) == 0
    assert "in all       24" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["a.txt", "b.txt"], "no-header"),
        (["a.txt", "none.txt", "--root", "set"], "unreadable-file"),
        (["a.txt", "c.txt", "--root", "set"], "unlisted-episode"),
        (["a.txt", "d.txt", "--root", "set"], "range-past-end"),
        (["a.txt", "b.txt", "--root", "none"], "no-dataset"),
    ],
)
def test_what_cannot_be_compared(args: list[str], code: str, here: Path, capsys) -> None:
    (here / "c.txt").write_text("04: 2-\n")
    (here / "d.txt").write_text("00: 2-99\n")
    assert main(args) in (1, 2)
    assert f"[{code}]" in capsys.readouterr().err


@pytest.mark.parametrize("files", [[], ["a.txt"], ["a.txt", "b.txt", "c.txt"]])
def test_two_files_are_needed(files: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*files, "--root", "set"])
    assert ended.value.code == 2
    assert f"not {len(files)}" in capsys.readouterr().err


def test_a_file_equals_itself(shared_data: Callable[[str], Path], capsys) -> None:
    path = str(shared_data("cr5_banana.txt"))
    assert main([path, path, "--root", str(shared_data("cr5_banana_v21"))]) == 0
    out = capsys.readouterr().out
    assert "in all     4499        779        779  100.0 %" in out
    assert "20 episodes of 20 agree on every frame" in out
