"""Many problems: grouped for a person to read, counted, and as plain values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from lerobot_grasp_plugin.findings.code import SEVERITIES
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import count

_SHOWN_ALIKE = 3


def folded(problems: Iterable[Problem], all_in: str = "") -> Iterator[str]:
    """The lines of problems: of many with one code, the first three and how many more.

    Args:
        problems: In order; those of one severity and code come together, at the place of the first one.
        all_in: Where the whole list is, for the line that counts the rest.

    Yields:
        Lines without an end; a hint that several in a row share stands once, after the last of them.
    """
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.severity, problem.code), []).append(problem)
    for (severity, code), group in alike.items():
        shown = group if len(group) <= _SHOWN_ALIKE + 1 else group[:_SHOWN_ALIKE]
        for problem, following in zip(shown, [*shown[1:], None], strict=True):
            yield from problem.body()
            if following is None or following.advice != problem.advice:
                yield from problem.hints()
        if len(shown) < len(group):
            rest = f"{severity}: {len(group) - len(shown)} more like it [{code}]"
            yield f"{rest}; {all_in}" if all_in else rest


def in_lines(problems: Iterable[Problem]) -> list[Problem]:
    """Problems of one file in the order of its lines; those of the whole file stand last."""

    def at(problem: Problem) -> tuple[float, int]:
        place = problem.place
        return (math.inf if place.line is None else place.line, place.column or 0)

    return sorted(problems, key=at)


def counts(problems: Iterable[Problem]) -> dict[str, int]:
    """How many problems there are of each severity."""
    numbers = Counter(problem.severity for problem in problems)
    return {severity: numbers[severity] for severity in SEVERITIES}


def summary(problems: Iterable[Problem]) -> str:
    """``2 errors, 1 note``; empty without problems."""
    return ", ".join(count(number, severity) for severity, number in counts(problems).items() if number)


def as_values(problem: Problem) -> dict[str, Any]:
    """A problem as plain values, as docs/schemas/report.schema.json says; what it does not have is null."""
    place = problem.place
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "file": place.path or None,
        "line": place.line,
        "column": place.column,
        "field": place.field or None,
        "episode": place.episode,
        "frame": place.frame,
        "episodes": sorted({n for some in problem.episodes for n in some.numbers if n >= 0}) or None,
        "hint": problem.advice or None,
    }
