"""Verification reports as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.findings.collect import as_values, counts
from lerobot_grasp_plugin.ops.report import VerifyReport


def as_json(report: VerifyReport, repo_id: str) -> dict[str, Any]:
    """A report as plain values; places are null where there is none, numbers 0-based."""
    return {
        "repo_id": repo_id,
        "root": str(report.root),
        "level": report.level,
        "ok": report.ok,
        "checks": [{"name": each.name, "ok": each.ok, "detail": each.detail} for each in report.checks],
        "counts": counts(report.problems),
        "problems": [as_values(problem) for problem in report.problems],
    }


def write_report(path: Path, datasets: Sequence[dict[str, Any]]) -> int:
    """Writes the reports of all datasets; returns 0."""
    write_json(path, {"format": 1, "datasets": list(datasets)})
    return 0


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a report."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
