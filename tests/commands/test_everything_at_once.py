"""A call in which everything is wrong is told so in one run."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest


def ended(command: str, args: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = import_module(f"lerobot_grasp_plugin.commands.{command}").main(args)
    return code, capsys.readouterr().err


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "there").mkdir()
    (tmp_path / "labels.txt").write_text("0: 5-3\n")
    return {
        "no_file": f"--annotations={tmp_path}/none.txt",
        "bad_file": f"--annotations={tmp_path}/labels.txt",
        "root": f"{tmp_path}/none",
        "there": f"{tmp_path}/there",
    }


@pytest.mark.parametrize(
    ("command", "args", "codes"),
    [
        (
            "relabel",
            ["{no_file}", "--root={root}", "--new_root={there}"],
            ["no-dataset", "target-exists", "unreadable-file"],
        ),
        (
            "relabel",
            ["{bad_file}", "--index_base=3", "--root={root}"],
            ["no-dataset", "no-target", "index-base-unknown"],
        ),
        ("relabel", ["--in_place", "--new_root={there}"], ["no-dataset", "contradicting", "no-annotations"]),
        (
            "merge",
            ["--sources=[{{root: {root}}}]", "{no_file}", "--new_root={there}"],
            ["no-dataset", "target-exists", "unreadable-file"],
        ),
        (
            "merge",
            ["--sources=[{{root: {root}, annotations: {root}.txt}}]", "{bad_file}", "--success_value=0"],
            ["no-dataset", "no-target", "bad-label-values", "reversed-range", "unreadable-file"],
        ),
        ("merge", ["{no_file}", "--new_root={there}"], ["unreadable-file", "target-exists"]),
        (
            "frames",
            ["--root={root}", "--contact_sheet", "{bad_file}", "--crop=1,2", "--stride=0"],
            ["bad-value", "bad-crop", "no-dataset", "reversed-range"],
        ),
        (
            "review",
            ["--root={root}", "--annotations={root}/labels.txt", "--port=-1"],
            ["no-folder", "bad-value", "no-dataset"],
        ),
        ("review", ["--root={root}", "{bad_file}"], ["reversed-range", "no-dataset"]),
        (
            "eval_classifier",
            [
                *("--pretrained_path={root}", "--dataset.repo_id=me/x", "--dataset.root={root}"),
                *("--output_dir={there}", "{no_file}"),
            ],
            ["target-exists", "unreadable-file", "no-checkpoint", "no-dataset"],
        ),
        (
            "train_classifier",
            ["--dataset.repo_id=me/x", "--dataset.root={root}", "--output_dir={there}", "{no_file}"],
            ["unreadable-file", "target-exists", "no-dataset"],
        ),
    ],
)
def test_all_problems_of_a_call(command, args, codes, places, capsys):
    code, said = ended(command, [arg.format(**places) for arg in args], capsys)
    assert [name for name in codes if said.count(f"[{name}") != 1] == []
    assert f"\n{len(codes)} errors" in said
    assert code == (1 if "reversed-range" in codes else 2)


def test_a_target_and_labels_that_are_wrong(recorded, places, capsys):
    args = ["{bad_file}", f"--root={recorded('av1')}", "--new_root={there}"]
    code, said = ended("relabel", [arg.format(**places) for arg in args], capsys)
    assert code == 1
    assert said.count("[target-exists]") == said.count("[reversed-range]") == 1
