"""``lerobot-grasp-verify`` for programs: ``--format``, ``--ignore``, ``--baseline``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from lerobot_grasp_plugin.commands.verify import VerifyConfig, main
from lerobot_grasp_plugin.core.choices import ReportFormat
from tests.support.factories import change_info
from tests.support.file_schemas import violation
from tests.support.project import PROJECT


@pytest.fixture
def damaged(recorded: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A recording with a total that is wrong."""
    root = Path(shutil.copytree(recorded("h264"), tmp_path / "set"))
    change_info(root, total_frames=7)
    capsys.readouterr()
    return root


def printed(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str]:
    code = main([str(arg) for arg in args])
    said = capsys.readouterr()
    assert said.err == ""
    return code, said.out


@pytest.mark.parametrize("form", get_args(ReportFormat))
def test_every_form_names_every_finding_and_ends_alike(form: str, damaged: Path, capsys) -> None:
    code, said = printed(capsys, "--root", damaged, "--format", form)
    assert code == 1
    assert "wrong-total" in said
    assert "meta/info.json" in said


def test_json_is_what_report_writes(damaged: Path, tmp_path: Path, capsys) -> None:
    report = tmp_path / "report.json"
    _, said = printed(capsys, "--root", damaged, "--format", "json", "--report", report)
    assert json.loads(said) == json.loads(report.read_text())
    assert violation(json.loads(said)) is None


def test_sarif_says_the_code_the_file_and_the_level(
    damaged: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, said = printed(capsys, "--root", damaged, "--format", "sarif")
    document = json.loads(said)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    result = next(each for each in run["results"] if each["ruleId"] == "wrong-total")
    assert rules[result["ruleIndex"]]["id"] == "wrong-total"
    assert result["level"] == "error"
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "set/meta/info.json"
    assert location["physicalLocation"]["region"]["startLine"] == 1


def test_markdown_is_a_table_whatever_a_message_holds(damaged: Path, capsys) -> None:
    change_info(damaged, total_frames="7|8<b>")
    _, said = printed(capsys, "--root", damaged, "--format", "markdown")
    rows = [line for line in said.splitlines() if line.startswith("| error")]
    assert any("7\\|8&lt;b>" in row for row in rows)
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)


def test_ignored_codes_are_neither_shown_nor_counted(damaged: Path, capsys) -> None:
    _, before = printed(capsys, "--root", damaged)
    code, after = printed(capsys, "--root", damaged, "--ignore", "[wrong-total]")
    assert (code, "[wrong-total]" in before, "[wrong-total]" in after) == (0, True, False)
    assert "1 finding left out" in after


def test_a_baseline_hides_what_was_known_and_nothing_new(damaged: Path, tmp_path: Path, capsys) -> None:
    report = tmp_path / "known.json"
    printed(capsys, "--root", damaged, "--report", report)
    moved = Path(shutil.move(damaged, tmp_path / "elsewhere" / "set"))
    code, _ = printed(capsys, "--root", moved, "--baseline", report)
    assert code == 0
    change_info(moved, total_frames=8)
    code, said = printed(capsys, "--root", moved, "--baseline", report)
    assert code == 1
    assert "[wrong-total]" in said


@pytest.mark.parametrize(
    ("option", "content", "says"),
    [
        ("--ignore=[wrong-totl]", "", "similar: wrong-total"),
        ("--baseline={file}", "no JSON", "is not a report"),
        ("--baseline={file}", '{"datasets": [{"repo_id": "x"}]}', "is not a report"),
        ("--baseline={file}", "[]", "is not a report"),
        ("--baseline={file}.missing", "", "cannot be read"),
        ("--format=xml", "", "text, json, sarif, markdown"),
    ],
)
def test_a_wrong_call_is_answered(
    option: str, content: str, says: str, damaged: Path, tmp_path: Path, capsys
) -> None:
    file = tmp_path / "file.json"
    file.write_text(content)
    try:
        code: Any = main(["--root", str(damaged), option.format(file=file)])
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr()
    assert code == 2
    assert says in said.err
    assert said.out == ""


def options_of(command: str) -> set[str]:
    return {word.removeprefix("--").partition("=")[0] for word in command.split() if word.startswith("--")}


def test_the_hook_and_the_action_call_the_command_with_its_options() -> None:
    known = set(VerifyConfig.__dataclass_fields__)
    (hook,) = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"].split()[0] == "lerobot-grasp-verify"
    assert options_of(hook["entry"]) <= known
    action = yaml.safe_load((PROJECT / "action.yml").read_text())
    (run,) = [
        step["run"] for step in action["runs"]["steps"] if "lerobot-grasp-verify" in step.get("run", "")
    ]
    assert options_of(run) <= known
