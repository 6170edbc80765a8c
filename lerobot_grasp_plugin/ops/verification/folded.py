"""Findings of one kind about very many files, in few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lerobot_grasp_plugin.errors import Problem
from lerobot_grasp_plugin.ops.verification.place import count, episodes_text

OF_FILES = frozenset(
    {
        "bad-parquet",
        "dangling-link",
        "duplicate-column",
        "empty-file",
        "extra-file",
        "lfs-pointer",
        "missing-file",
        "missing-rows",
        "unreadable-file",
        "video-empty",
        "video-lfs-pointer",
        "video-missing",
        "video-unreadable",
    }
)
"""Codes of findings about a file as a whole."""

_MANY = 20
_SHOWN = 5


def folded(problems: Sequence[Problem]) -> list[Problem]:
    """The same findings; where a kind is found in more than 20 files, the first 5 and one for all others."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        if problem.code in OF_FILES:
            groups.setdefault((problem.code, problem.severity), []).append(problem)
    rest = {
        id(problem): group[_SHOWN:]
        for group in groups.values()
        if len(group) > _MANY
        for problem in group[_SHOWN:]
    }
    kept = []
    for problem in problems:
        others = rest.get(id(problem))
        if others is None:
            kept.append(problem)
        elif others[0] is problem:
            kept.append(_together(others))
    return kept


def _together(problems: Sequence[Problem]) -> Problem:
    first = problems[0]
    episodes = [problem.episode for problem in problems if problem.episode is not None]
    of = f", from {episodes_text(episodes)}" if episodes else ""
    last = Path(problems[-1].where).name
    message = f"the same is wrong with {count(len(problems), 'more file')}, up to {last}{of}"
    return replace(first, message=message)
