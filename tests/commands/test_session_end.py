"""What becomes of labels that were changed while recording, when the session is over."""

from __future__ import annotations

import shlex
from types import SimpleNamespace

import pytest

from lerobot_grasp_plugin import SourceConfig, merge
from lerobot_grasp_plugin.commands import relabel as relabel_module
from lerobot_grasp_plugin.commands.run import INTERRUPTED, command
from lerobot_grasp_plugin.commands.session_end import finish
from lerobot_grasp_plugin.merging.recipe import MergeConfig
from lerobot_grasp_plugin.recording.options import GraspOptions
from lerobot_grasp_plugin.recording.relabelling import changed_episodes
from tests.support.factories import Legacy, write_legacy


@pytest.fixture
def report(tmp_path):
    """A session that left two episodes and their annotation file."""
    source = write_legacy(tmp_path / "source", Legacy(lengths=(12, 12), labels=True))
    root = tmp_path / "picks"
    merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=root, new_repo_id="lab/picks"))
    annotations = tmp_path / "picks_annotations.txt"
    annotations.write_text("# dataset path: lab/picks\n00: 12-\n01: 12-\n")
    return SimpleNamespace(root=root, repo_id="lab/picks", annotations=annotations, failure=None)


def change(report) -> None:
    report.annotations.write_text("# dataset path: lab/picks\n00: 12-\n01: 3-\n")


def ended(report, answers=(), **options) -> list[int]:
    """The episodes whose labels still differ afterwards."""
    grasp, left = GraspOptions(**options), list(answers)
    assert finish(grasp, report, lambda question: left.pop(0), False, False)
    assert not left
    return changed_episodes(report.root, report.repo_id, report.annotations, grasp)


def test_nobody_is_asked_where_nothing_changed(report):
    assert ended(report) == []


def test_a_typo_asks_again(report, capsys):
    change(report)
    assert ended(report, ["ny", "Yes"]) == []
    assert "'ny': press Enter or type n." in capsys.readouterr().out


@pytest.mark.parametrize("case", ["no", "ask is false", "the session failed", "never"])
def test_labels_that_are_left_are_named_with_the_command_that_applies_them(report, capsys, case):
    change(report)
    if case == "the session failed":
        report.failure = "cable"
    options = {"ask": False} if case == "ask is false" else {"relabel": "never"} if case == "never" else {}
    assert ended(report, ["n"] if case == "no" else [], **options) == [1]
    printed = capsys.readouterr().out
    assert "Labels changed since recording: episode 1\n" in printed
    line = next(line for line in printed.splitlines() if line.startswith("lerobot-grasp-relabel"))
    if case == "no":
        assert relabel_module.main(shlex.split(line)[1:]) == 0
        assert changed_episodes(report.root, report.repo_id, report.annotations, GraspOptions()) == []


def test_always_asks_nobody(report):
    change(report)
    assert ended(report, relabel="always", ask=False) == []


def test_ctrl_c_while_a_call_is_read_leaves_no_traceback(capsys):
    @command
    def main(args=None):
        raise KeyboardInterrupt

    assert main([]) == INTERRUPTED
    assert capsys.readouterr().err == "interrupted.\n"
