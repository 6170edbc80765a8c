"""The table of checks: what runs at which level, and what is said of the checks that cannot run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from lerobot_grasp_plugin import Problem, verify_dataset
from lerobot_grasp_plugin.core.choices import Level
from lerobot_grasp_plugin.verify import verifier
from lerobot_grasp_plugin.verify.checks import CHECKS, CheckEntry
from lerobot_grasp_plugin.verify.facts import Facts
from lerobot_grasp_plugin.verify.rows import Rows
from tests.support.factories import change_info

type Recorded = Callable[[str], Path]


def test_each_entry_is_one_check() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    for check in CHECKS:
        assert (check.find is None) != (check.rows is None), check.name
        assert check.rows is None or check.level != "meta", check.name


def test_a_deeper_level_runs_all_checks_of_the_others() -> None:
    asked = [
        {check.name for check in CHECKS if check.is_asked(level, thorough=True)} for level in get_args(Level)
    ]
    for less, more in pairwise(asked):
        assert less < more
    assert asked[-1] == {check.name for check in CHECKS}


class _Breaking:
    """A check of rows that breaks off."""

    def see(self, rows: Rows) -> None:
        raise RuntimeError("odd rows")

    def found(self) -> Iterator[Problem]:
        raise AssertionError("a check that broke off is not asked for findings")


def _breaks(facts: Facts) -> list[Problem]:
    raise RuntimeError("odd metadata")


@pytest.mark.parametrize(
    "check",
    [CheckEntry("a new one", _breaks), CheckEntry("a new one", rows=lambda facts: _Breaking(), level="data")],
)
def test_a_check_that_breaks_off_hides_no_other(
    check: CheckEntry, copied: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copied("av1")
    change_info(root, total_frames=3)
    monkeypatch.setattr(verifier, "CHECKS", (check, *CHECKS))
    problems = {problem.code: problem for problem in verify_dataset(root, level="data").problems}
    assert {"wrong-total", "check-failed"} <= problems.keys()
    assert (
        "the check of a new one could not be finished: RuntimeError: odd" in problems["check-failed"].message
    )


@pytest.mark.parametrize(
    ("level", "parts"),
    [
        ("meta", None),
        ("data", "timestamps were not checked: fps is unknown"),
        ("video", "timestamps and videos were not checked: fps is unknown"),
    ],
)
def test_a_missing_need_names_what_the_level_would_check(
    level: Level, parts: str | None, copied: Recorded
) -> None:
    root = copied("av1")
    change_info(root, fps="fast")
    notes = [
        each.message for each in verify_dataset(root, level=level).problems if each.code == "not-checked"
    ]
    assert notes == ([] if parts is None else [parts])


def test_tables_without_episodes_leave_out_what_needs_them(copied: Recorded) -> None:
    root = copied("av1")
    for path in (root / "data").rglob("*.parquet"):
        path.unlink()
    notes = [
        each.message for each in verify_dataset(root, level="data").problems if each.code == "not-checked"
    ]
    (note,) = notes
    assert note.startswith("values, indices, timestamps, labels and the statistics over all rows were not")
