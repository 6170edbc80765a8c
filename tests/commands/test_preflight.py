"""The preflight command's report, its exit code, and lists that are cut short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands.preflight import main, preflight_lines
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight import PreflightReport
from tests.support.file_schemas import violation
from tests.support.preflight_case import sound


@pytest.fixture(autouse=True)
def _no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARSING", "MACHINE"):  # these import lerobot and torch
        monkeypatch.setattr(f"lerobot_grasp_plugin.learning.config_checks.{name}", ())
    monkeypatch.setattr("lerobot_grasp_plugin.commands.preflight._know_own_types", lambda facts: ())


def test_the_report_holds_all_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = sound(tmp_path)
    case.set("env/fps", 30)
    report = tmp_path / "report.json"
    assert main(["--config_path", str(case.write()), "--report", str(report)]) == 1
    content = json.loads(report.read_text())
    assert violation(content) is None
    assert not content["ok"]
    assert content["counts"]["error"] == 1
    (problem,) = [each for each in content["problems"] if each["severity"] == "error"]
    assert (problem["code"], problem["file"], problem["field"]) == ("fps", None, "env.fps")
    assert f"{problem['message']} [fps]" in capsys.readouterr().out


def test_strict_counts_warnings(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.set("output_dir", "outputs/not-there-yet")
    path = str(case.write())
    assert main(["--config_path", path]) == 0
    assert main(["--config_path", path, "--strict"]) == 1


def test_a_report_needs_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--config_path", str(sound(tmp_path).write()), "--report", str(tmp_path / "no/report.json")])
    assert "does not exist" in capsys.readouterr().err


def test_many_findings_alike_are_cut_short(tmp_path: Path) -> None:
    many = [Problem("image-size", "too small", f"camera {number}", "make it larger") for number in range(9)]
    lines = list(preflight_lines(PreflightReport(tmp_path, [], many), "--report FILE.json lists all"))
    assert lines[1:] == [
        *(f"camera {number}: error: too small [image-size]" for number in range(3)),
        "    make it larger",
        "error: 6 more like it [image-size]; --report FILE.json lists all",
        "9 errors",
    ]
