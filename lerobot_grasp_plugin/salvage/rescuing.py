"""Adds the command that saves the intact episodes of an interrupted recording to hints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.command import Command
from lerobot_grasp_plugin.findings.problem import GraspError, Problem
from lerobot_grasp_plugin.findings.words import agree, episodes_text


def with_rescue(location: Location, problems: Sequence[Problem]) -> list[Problem]:
    """The same problems; those that ``--rescue true`` gets past name the command and the episodes it saves.

    Args:
        location: The dataset.
        problems: Its problems; the rows are read only if ``--rescue`` gets past one of them.
    """
    overcome = {problem for problem in problems if _is_overcome(location, problem)}
    whole = _whole(location) if overcome else []
    if not whole:
        return list(problems)
    root = str(location.root)
    flags = {"sources": [{"root": root}], "rescue": True, "new_root": f"{root}_rescued"}
    hint = f"to save {episodes_text(whole)}, which {agree(len(whole), 'is', 'are')} intact:"
    command = Command("lerobot-grasp-merge", flags=flags)
    return [
        replace(problem, hint="; ".join(filter(None, [problem.hint, hint])), commands=(command,))
        if problem in overcome
        else problem
        for problem in problems
    ]


def _is_overcome(location: Location, problem: Problem) -> bool:
    rescue = CODES[problem.code].rescue
    in_rows = problem.place.within(location.root).file.startswith("data/")
    return problem.severity == "error" and (rescue == "always" or (rescue == "rows" and in_rows))


def _whole(location: Location) -> list[int]:
    """The episodes that can be saved; empty if none can."""
    from lerobot_grasp_plugin.salvage.whole import open_whole

    try:
        rescued = open_whole(location)
    except GraspError:
        return []
    if not any(problem.code == "rescued" for problem in rescued.warnings):
        return []
    return [episode for episode in range(len(rescued.lengths)) if episode not in rescued.lost]
