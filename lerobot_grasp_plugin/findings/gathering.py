"""Errors of steps that do not need one another, raised together."""

from __future__ import annotations

from collections.abc import Sequence

from lerobot_grasp_plugin.findings.problem import GraspError


class Gathered:
    """Takes the errors of the ``with`` blocks it is used for, so that the next ones run, too."""

    def __init__(self) -> None:
        self._errors: list[GraspError] = []

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if isinstance(error, GraspError):
            self._errors.append(error)
        return isinstance(error, GraspError)

    def raise_all(self) -> None:
        """Raises what was gathered, if anything was."""
        raise_all(self._errors)


def raise_all(errors: Sequence[GraspError]) -> None:
    """Raises one error with the problems of all, each once: a data error if one of them is."""
    if errors:
        worst = min(errors, key=lambda error: error.exit_code)
        raise type(worst)(dict.fromkeys(problem for error in errors for problem in error.problems))
