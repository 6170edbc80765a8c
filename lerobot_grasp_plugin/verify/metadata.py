"""Reads the listed episodes of either layout, as far as possible."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.file_format import V2X, FileFormat
from lerobot_grasp_plugin.dataset.json_lines import read_json_lines
from lerobot_grasp_plugin.findings.problem import GraspError, Place, Problem
from lerobot_grasp_plugin.findings.words import short
from lerobot_grasp_plugin.verify.episodes_table import read_episodes_table
from lerobot_grasp_plugin.verify.listed import EpisodeList, Report, as_count


def read_listed_episodes(root: Path, own: FileFormat, report: Report) -> EpisodeList | None:
    """The episodes that the metadata lists; None if it lists none."""
    try:
        listed = _legacy(root, report) if own is V2X else read_episodes_table(root, report)
    except GraspError as error:
        for problem in error.problems:
            report(problem)
        return None
    if listed is not None:
        _check(listed, own is V2X, report)
    return listed


def _check(listed: EpisodeList, legacy: bool, report: Report) -> None:
    """Checks numbering and lengths."""
    where = listed.where
    expected = np.arange(len(listed.indices))
    wrong = np.flatnonzero((np.sort(listed.indices) if legacy else listed.indices) != expected)
    if len(wrong):
        row = int(wrong[0])
        found = int((np.sort(listed.indices) if legacy else listed.indices)[row])
        message = f"entry {row} lists episode {found}; LeRobot reads it as episode {row}"
        hint = "episodes must be numbered 0, 1, 2, ... without gaps"
        if np.array_equal(listed.indices, expected + 1):
            hint += "; these start at 1"
        elif row not in listed.indices:
            hint += "; lerobot-grasp-merge writes and renumbers the others"
        report(Problem("episode-numbering", message, Place(str(where), episode=row), hint))
    for row in np.flatnonzero(listed.lengths == 0)[:20].tolist():
        message = "the metadata lists the episode with a length of 0"
        report(Problem("empty-episode", message, Place(str(where), episode=int(listed.indices[row]))))


def _legacy(root: Path, report: Report) -> EpisodeList | None:
    path = root / layout.LEGACY_EPISODES_PATH
    indices, lengths, tasks = [], [], []
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    try:
        for number, entry in enumerate(read_json_lines(path), start=1):
            episode, length = as_count(entry.get("episode_index")), as_count(entry.get("length"))
            if episode is None or length is None:
                found = ", ".join(f"{name} is {entry.get(name)!r}" for name in ("episode_index", "length"))
                message = f"expected integers: {short(found)}"
                report(Problem("bad-json", message, Place(str(path), number)))
                if episode is None:
                    continue
            own = entry.get("tasks")
            sentences = tuple(str(task) for task in own) if isinstance(own, list) else ()
            indices.append(episode)
            lengths.append(-1 if length is None else length)
            tasks.append(shared.setdefault(sentences, sentences))
    except GraspError as error:  # the lines before the damaged one count
        for problem in error.problems:
            report(problem)
    if not indices:
        return None
    return EpisodeList(
        path, np.array(indices, dtype=np.int64), np.array(lengths, dtype=np.int64), tasks=tasks
    )
