"""Leaves out findings that another finding explains, or adds a reference to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lerobot_grasp_plugin.findings.code import Effect
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify import declared
from lerobot_grasp_plugin.verify.files import moved_table
from lerobot_grasp_plugin.verify.unseen import Unseen
from lerobot_grasp_plugin.verify.view import View

_INTERRUPTED = ("unfinished-recording", "unfinished-resume")


def unexplained(view: View, problems: Sequence[Problem], unseen: Unseen) -> Iterator[Problem]:
    """The findings without those that another one explains.

    Args:
        view: The dataset.
        problems: All findings.
        unseen: The unchecked parts of the tables.
    """
    codes = {problem.code for problem in problems}
    explained = _explained(problems)
    # an interruption does not explain another number of tasks, unless no episode was counted
    tasks = () if view.info.count("total_episodes") == 0 else declared.check_tasks(view)
    own = {replace(problem, place=problem.place.within(view.root)) for problem in tasks}
    pointers = any(
        problem.code == "lfs-pointer" and problem.place.file.endswith(".parquet") for problem in problems
    )
    interrupted = next((code for code in _INTERRUPTED if code in codes and not pointers), None)
    for problem in problems:
        if pointers and problem.code in _INTERRUPTED:
            continue  # the recorded data are where the pointers lead
        if problem not in own and explained(problem):
            continue
        is_left_over = problem.code == "extra-file" and problem.severity == "warning"
        if is_left_over and Path(problem.place.path) in unseen.doubled:
            continue
        if problem.code == "missing-file" and Path(problem.place.path) in unseen.moved:
            yield moved_table(
                view, Path(problem.place.path), "its rows are in another file, see [wrong-file]"
            )
        elif problem.code == "bad-parquet" and interrupted is not None:
            yield replace(problem, hint=f"finalize() writes the footer of a table, see [{interrupted}]")
        else:
            yield problem


def _explained(problems: Sequence[Problem]) -> Callable[[Problem], bool]:
    """Returns a test whether one of these findings explains another, by the register."""
    at_other_files: set[Effect] = set()
    at_same_file: set[tuple[str, str, str]] = set()
    for cause in problems:
        file = cause.place.file
        for effect in CODES[cause.code].explains:
            if effect.file and (not effect.of or re.fullmatch(effect.of, file)):
                at_other_files.add(effect)
            elif not effect.file:
                at_same_file |= {(code, effect.severity, file) for code in effect.codes.split()}

    def explained(problem: Problem) -> bool:
        file = problem.place.file
        return bool({(problem.code, "", file), (problem.code, problem.severity, file)} & at_same_file) or any(
            problem.code in effect.codes.split() and re.fullmatch(effect.file, file)
            for effect in at_other_files
        )

    return explained
