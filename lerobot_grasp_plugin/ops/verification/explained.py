"""Which findings another finding explains: they are left out, or say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.ops.verification import declared
from lerobot_grasp_plugin.ops.verification.files import moved_table
from lerobot_grasp_plugin.ops.verification.unseen import Unseen
from lerobot_grasp_plugin.ops.verification.view import View


@dataclass(frozen=True)
class Effect:
    """Findings that follow from another one.

    Attributes:
        codes: Their codes.
        place: What the path of their file, relative to the dataset, matches as a whole.
    """

    codes: frozenset[str]
    place: re.Pattern[str]


def _effect(codes: str, place: str) -> Effect:
    return Effect(frozenset(codes.split()), re.compile(place))


_LISTS = re.compile(r"meta/episodes(\.jsonl(:\d+)?|/[^/]+/[^/]+\.parquet)")
_LACKING = "missing-file missing-episodes-table empty-file missing-stats"
_EFFECTS: Mapping[str, Sequence[Effect]] = {
    "no-episodes": [_effect(_LACKING, "data|meta/(tasks|episodes|stats).*")],
    "only-metadata": [_effect("missing-file", "data/.*"), _effect("video-missing", "videos/.*")],
    "unfinished-recording": [
        _effect(_LACKING, "meta/(episodes|stats).*"),
        _effect("wrong-total", r"meta/info\.json"),
    ],
    "unfinished-resume": [
        _effect("wrong-total bad-splits", r"meta/info\.json"),
        _effect("extra-file", "(data|videos)/.*"),
        _effect(
            "wrong-statistics stale-statistics stale-label-statistics episode-quantiles", r"meta/stats\.json"
        ),
    ],
}
"""What else is found because of a finding, by its code."""
_UNREAD = frozenset({"bad-json", "bad-parquet", "empty-file", "lfs-pointer", "too-large", "duplicate-column"})
_OF_A_LIST = [
    _effect("unlisted-rows extra-file", "(data|videos)/.*"),
    _effect("wrong-total bad-splits", r"meta/info\.json"),
    _effect("episode-numbering", "meta/episodes.*"),
]
"""What is found because a part of the list of episodes cannot be read."""
_INTERRUPTED = ("unfinished-recording", "unfinished-resume")


def unexplained(view: View, problems: Sequence[Problem], unseen: Unseen) -> Iterator[Problem]:
    """The findings without those that another one explains.

    Args:
        view: The dataset.
        problems: All that was found.
        unseen: What of the tables was not looked at.
    """
    codes = {problem.code for problem in problems}
    named = {(problem.code, problem.where) for problem in problems}
    effects = [effect for cause, each in _EFFECTS.items() if cause in codes for effect in each]
    if any(problem.code in _UNREAD and _LISTS.fullmatch(_place(view, problem)) for problem in problems):
        effects += _OF_A_LIST
    # nothing of a recording explains another number of tasks, unless not one episode was counted
    own = set() if view.info.count("total_episodes") == 0 else set(declared.check_tasks(view))
    pointers = any(
        problem.code == "lfs-pointer" and problem.where.endswith(".parquet") for problem in problems
    )
    interrupted = next((code for code in _INTERRUPTED if code in codes and not pointers), None)
    for problem in problems:
        if pointers and problem.code in _INTERRUPTED:
            continue  # what was recorded is where the pointers lead
        place = _place(view, problem)
        if problem not in own and any(
            problem.code in effect.codes and effect.place.fullmatch(place) for effect in effects
        ):
            continue
        if problem.code == "bad-json":
            where = problem.where.removesuffix(":1")
            if ("lfs-pointer", where) in named or ("empty-file", where) in named:
                continue
        if problem.code == "missing-file" and ("unreadable-file", problem.where) in named:
            continue  # a folder is no missing file
        if problem.code == "extra-file" and problem.severity == "warning":
            if {("wrong-file", problem.where), ("unlisted-rows", problem.where)} & named:
                continue
            if Path(problem.where) in unseen.doubled:
                continue
        if problem.code == "missing-file" and Path(problem.where) in unseen.moved:
            yield moved_table(view, Path(problem.where), "its rows are in another one, see [wrong-file]")
        elif problem.code == "bad-parquet" and interrupted is not None:
            yield replace(problem, hint=f"finalize() writes the footer of a table, see [{interrupted}]")
        else:
            yield problem


def _place(view: View, problem: Problem) -> str:
    """The path of a finding's file, relative to the dataset."""
    return problem.where.removeprefix(f"{view.root}/")
