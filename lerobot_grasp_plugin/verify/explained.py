"""Which findings another finding explains: they are left out, or say so."""

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
        problems: All that was found.
        unseen: What of the tables was not looked at.
    """
    codes = {problem.code for problem in problems}
    explained = _explained(problems)
    # nothing of a recording explains another number of tasks, unless not one episode was counted
    tasks = () if view.info.count("total_episodes") == 0 else declared.check_tasks(view)
    own = {replace(problem, place=problem.place.within(view.root)) for problem in tasks}
    pointers = any(
        problem.code == "lfs-pointer" and problem.place.file.endswith(".parquet") for problem in problems
    )
    interrupted = next((code for code in _INTERRUPTED if code in codes and not pointers), None)
    for problem in problems:
        if pointers and problem.code in _INTERRUPTED:
            continue  # what was recorded is where the pointers lead
        if problem not in own and explained(problem):
            continue
        is_left_over = problem.code == "extra-file" and problem.severity == "warning"
        if is_left_over and Path(problem.place.path) in unseen.doubled:
            continue
        if problem.code == "missing-file" and Path(problem.place.path) in unseen.moved:
            yield moved_table(view, Path(problem.place.path), "its rows are in another one, see [wrong-file]")
        elif problem.code == "bad-parquet" and interrupted is not None:
            yield replace(problem, hint=f"finalize() writes the footer of a table, see [{interrupted}]")
        else:
            yield problem


def _explained(problems: Sequence[Problem]) -> Callable[[Problem], bool]:
    """Tells of a finding whether the register says that one of these explains it."""
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
