"""Verification reports for programs: JSON, SARIF for code scanning, Markdown for a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lerobot_grasp_plugin.core.choices import ReportFormat
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.collect import as_values, counts, summary
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.report import VerifyReport
from lerobot_grasp_plugin.version import VERSION


class Verified(NamedTuple):
    """A dataset and what was found in it."""

    repo_id: str
    report: VerifyReport


def document(form: ReportFormat, datasets: Sequence[Verified]) -> str:
    """One text for all datasets, in any format but ``text``."""
    if form == "markdown":
        return "\n".join(line for dataset in datasets for line in _as_markdown(dataset))
    values = _as_sarif(datasets) if form == "sarif" else as_json(datasets)
    return json.dumps(values, indent=2, ensure_ascii=False)


def as_json(datasets: Sequence[Verified]) -> dict[str, Any]:
    """Reports as docs/schemas/report.schema.json says; a missing place is null, numbers are 0-based."""
    return {
        "format": 1,
        "datasets": [
            {
                "repo_id": repo_id,
                "root": str(report.root),
                "level": report.level,
                "ok": report.ok,
                "checks": [
                    {"name": each.name, "ok": each.ok, "detail": each.detail} for each in report.checks
                ],
                "counts": counts(report.problems),
                "problems": [as_values(problem) for problem in report.problems],
            }
            for repo_id, report in datasets
        ],
    }


def write_report(path: Path, datasets: Sequence[Verified]) -> int:
    """Writes the reports of all datasets as JSON; returns 0."""
    write_json_file(path, as_json(datasets))
    return 0


def write_json_file(path: Path, content: dict[str, Any]) -> None:
    """Writes a report."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _as_sarif(datasets: Sequence[Verified]) -> dict[str, Any]:
    """SARIF 2.1.0, the format of code scanning (https://docs.oasis-open.org/sarif/sarif/v2.1.0)."""
    codes = sorted({problem.code for _, report in datasets for problem in report.problems})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CODES[code].meaning},
            "defaultConfiguration": {"level": CODES[code].severity},
        }
        for code in codes
    ]
    results = [
        _as_result(problem, report.root, codes.index(problem.code))
        for _, report in datasets
        for problem in report.problems
    ]
    driver = {"name": "lerobot-grasp-verify", "version": VERSION, "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _as_result(problem: Problem, root: Path, rule: int) -> dict[str, Any]:
    place = problem.place
    path = Path(place.path or root).absolute()
    here = Path.cwd()
    inside = path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_uri()
    region = {"startLine": place.line or 1}  # GitHub rejects a result without a line
    if place.column is not None:
        region["startColumn"] = place.column
    physical = {"artifactLocation": {"uri": inside}, "region": region}
    values = {"field": place.field or None, "episode": place.episode, "frame": place.frame}
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": "\n".join(filter(None, (problem.message, problem.advice)))},
        "locations": [{"physicalLocation": physical}],
        "properties": {name: value for name, value in values.items() if value is not None},
    }


def _as_markdown(dataset: Verified) -> Iterator[str]:
    repo_id, report = dataset
    yield from (f"### {repo_id}", "", "| check | |", "| --- | --- |")
    for check in report.checks:
        state = {True: "OK", False: "WRONG", None: "not checked"}[check.ok]
        yield f"| {check.name} | {state} {check.detail}".rstrip() + " |"
    yield from ("", f"**{summary(report.problems) or 'no findings'}**", "")
    if report.problems:
        yield from ("| severity | code | where | what |", "| --- | --- | --- | --- |")
    for problem in report.problems:
        what = "<br>".join(map(_cell, filter(None, (problem.message, problem.advice))))
        yield f"| {problem.severity} | `{problem.code}` | {_cell(str(problem.place))} | {what} |"
    if report.problems:
        yield ""


def _cell(text: str) -> str:
    """Text escaped for a table cell: no cell end, no HTML."""
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return " ".join(shown.split())
