"""Findings to leave out: those with given codes, and those of an earlier report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.collect import as_values
from lerobot_grasp_plugin.findings.page import similar
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.verify.report import VerifyReport

type _Key = tuple[object, ...]

_COMPARED = ("code", "severity", "field", "episode", "frame", "message")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is left out of reports.

    Attributes:
        codes: Findings with these codes.
        known: Findings of an earlier report, by the repo_id of their dataset.
    """

    codes: frozenset[str]
    known: frozenset[_Key]

    @classmethod
    def of(cls, codes: Sequence[str], baseline: Path | None) -> LeftOut:
        """From the options of a call.

        Args:
            codes: Names of codes.
            baseline: A file that ``--report`` wrote.

        Raises:
            UsageError: A code is not in the register, or the file is not a report.
        """
        problems = [_unknown(code) for code in codes if code not in CODES]
        known: frozenset[_Key] = frozenset()
        if baseline is not None:
            try:
                known = frozenset(_known(json.loads(baseline.read_text(encoding="utf-8"))))
            except OSError as error:
                problems.append(_no_report(baseline, f"cannot be read ({error.strerror})"))
            except (ValueError, TypeError, KeyError, AttributeError):
                problems.append(_no_report(baseline, "is not a report of lerobot-grasp-verify"))
        if problems:
            raise UsageError(problems)
        return cls(frozenset(codes), known)

    def without(self, report: VerifyReport, repo_id: str) -> VerifyReport:
        """A report without these findings; a file is compared by its path in the dataset."""
        kept = [
            problem
            for problem in report.problems
            if problem.code not in self.codes
            and _key(as_values(problem), repo_id, report.root) not in self.known
        ]
        return replace(report, problems=kept)


def _known(document: Any) -> list[_Key]:
    return [
        _key(problem, dataset["repo_id"], PurePath(dataset["root"]))
        for dataset in document["datasets"]
        for problem in dataset["problems"]
    ]


def _key(problem: dict[str, Any], repo_id: str, root: PurePath) -> _Key:
    file = PurePath(problem["file"] or "")
    inside = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()
    return (repo_id, inside, *(problem[name] for name in _COMPARED))


def _unknown(code: str) -> Problem:
    meant = ", ".join(similar(code))
    hint = f"similar: {meant}" if meant else "docs/findings.md lists the codes"
    return Problem("unknown-choice", f"unknown finding code {code!r}", "--ignore", hint)


def _no_report(path: Path, message: str) -> Problem:
    hint = "write one: lerobot-grasp-verify --root DATASET --report FILE.json"
    return Problem("bad-value", f"{path} {message}", "--baseline", hint)
