"""Verification reports as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.ops.report import VerifyReport


def as_json(report: VerifyReport, repo_id: str) -> dict[str, Any]:
    """A report as plain values; places are null where there is none, numbers 0-based."""
    return {
        "repo_id": repo_id,
        "root": str(report.root),
        "level": report.level,
        "ok": report.ok,
        "checks": [{"name": each.name, "ok": each.ok, "detail": each.detail} for each in report.checks],
        "counts": {name: report.count(name) for name in ("error", "warning", "note")},
        "problems": [_problem(problem) for problem in report.problems],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "file": problem.where or None,
        "episode": problem.episode,
        "frame": problem.frame,
        "hint": problem.hint or None,
    }


def write_report(path: Path, datasets: Sequence[dict[str, Any]]) -> int:
    """Writes the reports of all datasets; returns 0."""
    content = {"format": 1, "datasets": list(datasets)}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0
