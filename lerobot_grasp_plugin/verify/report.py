"""The report of verify, as values that commands print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lerobot_grasp_plugin.core.choices import Level
from lerobot_grasp_plugin.findings.problem import Problem, Severity


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verification block.

    Attributes:
        name: Name of the check.
        ok: Whether it passed; None if it was not checked.
        detail: A figure or a short remark.
    """

    name: str
    ok: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Whether a dataset is sound.

    Attributes:
        root: The dataset's folder.
        checks: The verification block, in order.
        problems: All findings, errors first.
        level: Depth of the checks: ``meta``, ``data``, ``video`` or ``decode``.
    """

    root: Path
    checks: Sequence[Check]
    problems: Sequence[Problem]
    level: Level = "video"

    @property
    def ok(self) -> bool:
        """Whether the report has no errors; warnings and notes do not count."""
        return not self.count("error")

    def count(self, severity: Severity) -> int:
        """Number of findings of a severity."""
        return sum(problem.severity == severity for problem in self.problems)

    def moved(self, root: Path) -> VerifyReport:
        """The same report for a dataset that was moved; commands in hints name its new folder."""
        problems = [
            replace(
                problem,
                place=replace(problem.place, root=str(root)) if problem.place.root else problem.place,
                commands=tuple(command.moved(self.root, root) for command in problem.commands),
            )
            for problem in self.problems
        ]
        return replace(self, root=root, problems=problems)
