"""How many problems become text."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.commands.run import guarded
from lerobot_grasp_plugin.findings.collect import folded
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem


def missing(number: int, hint: str = "copy it again") -> Problem:
    return Problem("missing-file", "the file is missing", f"/set/{number}", hint)


def test_many_problems_alike_are_three_places_a_count_and_one_hint() -> None:
    odd = Problem("bad-info", "fps should be a number", "/set/info.json")
    assert list(folded([missing(0), odd, *map(missing, range(1, 200))])) == [
        "/set/0: error: the file is missing [missing-file]",
        "/set/1: error: the file is missing [missing-file]",
        "/set/2: error: the file is missing [missing-file]",
        "    copy it again",
        "error: 197 more like it [missing-file]",
        "/set/info.json: error: fps should be a number [bad-info]",
    ]


def test_four_alike_are_all_given_and_each_hint_of_its_own() -> None:
    lines = list(folded([missing(0), missing(1, "fetch it"), missing(2, "fetch it"), missing(3, "")]))
    assert [line for line in lines if line.startswith("    ")] == ["    copy it again", "    fetch it"]
    assert len(lines) == 6


def test_a_refusal_prints_the_folded_list_and_keeps_the_whole_one(capsys: pytest.CaptureFixture[str]) -> None:
    error = DatasetError(map(missing, range(200)))

    def fails() -> int:
        raise error

    assert guarded(fails, writes=True) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert lines[-2:] == ["error: 197 more like it [missing-file]", "200 errors; nothing was written."]
    assert str(error).count("[missing-file]") == len(error.problems) == 200
