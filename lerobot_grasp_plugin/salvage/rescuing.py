"""The command that saves what is whole of a broken-off recording, in the hints of what refuses it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace

from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.problem import GraspError, Problem
from lerobot_grasp_plugin.findings.words import agree, episodes_text


def with_rescue(location: Location, problems: Sequence[Problem]) -> list[Problem]:
    """The same problems; those that ``--rescue true`` gets past name the command and what it saves.

    Args:
        location: The dataset they are of.
        problems: Anything that was found; the rows are read only where one of them can be got past.
    """
    overcome = {problem for problem in problems if _is_overcome(location, problem)}
    hint = _hint(location) if overcome else ""
    if not hint:
        return list(problems)
    return [
        replace(problem, hint="; ".join(filter(None, [hint, problem.hint])))
        if problem in overcome
        else problem
        for problem in problems
    ]


def _is_overcome(location: Location, problem: Problem) -> bool:
    rescue = CODES[problem.code].rescue
    in_rows = problem.place.within(location.root).file.startswith("data/")
    return problem.severity == "error" and (rescue == "always" or (rescue == "rows" and in_rows))


def _hint(location: Location) -> str:
    """How to save what is whole; empty where nothing is, or where there is nothing to rescue."""
    from lerobot_grasp_plugin.salvage.whole import open_whole

    try:
        rescued = open_whole(location)
    except GraspError:
        return ""
    if not any(problem.code == "rescued" for problem in rescued.warnings):
        return ""
    whole = [each for each in range(len(rescued.lengths)) if each not in rescued.lost]
    root = str(location.root)
    source = json.dumps([{"root": root}], ensure_ascii=False)
    call = ["lerobot-grasp-merge", "--sources", source, "--rescue", "true", "--new_root", f"{root}_rescued"]
    are = agree(len(whole), "is", "are")
    return f"to save {episodes_text(whole)}, which {are} whole: {shlex.join(call)}"
