"""The schema of the reports, and the check that the tests make with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lerobot_grasp_plugin.commands.verify import main
from tests.support.factories import Legacy, write_legacy
from tests.support.report_schema import violation


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("report")
    root = write_legacy(folder / "set", Legacy(cameras=(), lengths=(12, 11)))
    lines = (root / "meta/episodes.jsonl").read_text().splitlines()
    (root / "meta/episodes.jsonl").write_text("\n".join([lines[0], "{", lines[1]]) + "\n")
    assert main(["--root", str(root), "--level", "data", "--report", str(folder / "report.json")]) == 1
    return json.loads((folder / "report.json").read_text())


def test_a_written_report_is_as_the_schema_says(report: Any) -> None:
    assert violation(report) is None
    (dataset,) = report["datasets"]
    problem = next(each for each in dataset["problems"] if each["code"] == "bad-json")
    assert problem["file"] == str(Path(dataset["root"]) / "meta/episodes.jsonl")
    assert (problem["line"], problem["column"], problem["field"]) == (2, None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("line", "2"),
        ("line", 0),
        ("line", True),
        ("file", ""),
        ("code", "Bad"),
        ("severity", "fatal"),
        ("x", 1),
    ],
)
def test_another_problem_is_not(name: str, value: Any, report: Any) -> None:
    dataset = report["datasets"][0]
    changed = {**report, "datasets": [{**dataset, "problems": [{**dataset["problems"][0], name: value}]}]}
    place = "$.datasets[0].problems[0]" + ("" if name == "x" else f".{name}")
    assert str(violation(changed)).startswith(f"{place}: ")


@pytest.mark.parametrize("name", ["line", "episode", "hint"])
def test_a_field_may_not_be_left_out(name: str, report: Any) -> None:
    problem = dict(report["datasets"][0]["problems"][0])
    del problem[name]
    changed = {**report, "datasets": [{**report["datasets"][0], "problems": [problem]}]}
    assert violation(changed) == f"$.datasets[0].problems[0]: '{name}' is a required property"
