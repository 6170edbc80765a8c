from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lerobot_grasp_plugin.core.selection import select_episodes
from lerobot_grasp_plugin.findings.problem import Problem, UsageError


def errors(selection: str | Sequence[int] | None, total: int = 10) -> tuple[Problem, ...]:
    with pytest.raises(UsageError) as caught:
        select_episodes(selection, total)
    return caught.value.problems


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (None, range(10)),
        ("all", range(10)),
        (" ALL ", range(10)),
        ("0-4", range(5)),
        ("2, 7, 8", [2, 7, 8]),
        ("8,2,7", [8, 2, 7]),
        ("7-", [7, 8, 9]),
        ("9-", [9]),
        ("7 - 8", [7, 8]),
        ("5-6, 0-1", [5, 6, 0, 1]),
        ([2, 7, 8], [2, 7, 8]),
        ((8, 2), [8, 2]),
        ([np.int64(4), np.int64(3)], [4, 3]),
        ("[2, 7, 8]", [2, 7, 8]),
        ("!7", [0, 1, 2, 3, 4, 5, 6, 8, 9]),
        ("!3, 5", [0, 1, 2, 4, 6, 7, 8, 9]),
        ("! 3-", [0, 1, 2]),
        ("!3, !5", [0, 1, 2, 4, 6, 7, 8, 9]),
        ("0-6, !3", [0, 1, 2, 4, 5, 6]),
        ("8, 0-3, !1, 8", [0, 2, 3]),
        ("all, !1-", [0]),
    ],
)
def test_selection(selection: str | Sequence[int] | None, expected: Sequence[int]) -> None:
    assert select_episodes(selection, 10) == tuple(expected)


@pytest.mark.parametrize(
    ("selection", "code", "column", "underlined"),
    [
        ("2, x", "unknown-token", 4, "x"),
        ("2 7", "unknown-token", 1, "2 7"),
        ("0-4 !2", "unknown-token", 1, "0-4 !2"),
        ("1.5", "unknown-token", 1, "1.5"),
        ("!all", "unknown-token", 2, "all"),
        ("2,,3", "unknown-token", 3, ","),
        ("[2, 3", "unknown-token", 1, "[2"),
        ("5-3", "reversed-range", 1, "5-3"),
        ("10", "unknown-episode", 1, "10"),
        ("8-12", "unknown-episode", 1, "8-12"),
        ("10-", "unknown-episode", 1, "10-"),
        ("-1", "unknown-episode", 1, "-1"),
        ("!19, 2", "unknown-episode", 2, "19"),
        ("0-999999999999999999", "unknown-episode", 1, "0-999999999999999999"),
        ("2, 7, 2", "listed-twice", 7, "2"),
        ("0-4, 3-6", "listed-twice", 6, "3-6"),
        ("!3, 3", "listed-twice", 5, "3"),
        ("0-4, !7", "excluded-not-selected", 7, "7"),
        ("!0-", "empty-selection", 1, "!0-"),
        ("3, !3", "empty-selection", 1, "3, !3"),
        ("", "empty-selection", 1, ""),
        ("[]", "empty-selection", 1, "[]"),
        ([], "empty-selection", 1, "[]"),
        ([2, 99], "unknown-episode", 5, "99"),
        ([2, -1], "unknown-episode", 5, "-1"),
        ([2, 2], "listed-twice", 5, "2"),
        ([True], "unknown-token", 2, "True"),
        ([1.0], "unknown-token", 2, "1.0"),
    ],
)
def test_every_error_has_its_code_and_place(
    selection: str | Sequence[int], code: str, column: int, underlined: str
) -> None:
    (problem,) = errors(selection)
    assert (problem.code, str(problem.place)) == (code, f"episodes:1:{column}")
    shown, carets = problem.excerpt.split("\n")
    assert carets == " " * (column - 1) + "^" * max(1, len(underlined))
    assert shown[column - 1 :].startswith(underlined)


def test_all_errors_come_at_once() -> None:
    problems = errors("x, 5-3, 12, 1, 1")
    assert [problem.code for problem in problems] == [
        "unknown-token",
        "reversed-range",
        "unknown-episode",
        "listed-twice",
    ]


def test_the_number_of_episodes_is_said() -> None:
    assert "the dataset has 10 episodes, 0 to 9" in errors("10")[0].message
    assert "the dataset has one episode, 0" in errors("10", 1)[0].message


def test_nothing_can_be_selected_from_nothing() -> None:
    assert [problem.code for problem in errors(None, 0)] == ["empty-selection"]


def test_the_name_is_that_of_the_option() -> None:
    with pytest.raises(UsageError, match=r"sources\[1\]\.episodes:1:1"):
        select_episodes("x", 3, name="sources[1].episodes")
