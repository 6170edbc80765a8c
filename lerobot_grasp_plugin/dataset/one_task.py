"""Warns of tasks that are one sentence in two spellings, in a merge and in a dataset."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from lerobot_grasp_plugin.core.near_tasks import near_tasks
from lerobot_grasp_plugin.findings.command import Command
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import all_ranges

_EDIT: Final = "lerobot-grasp-edit"


def near_task_warnings(tasks: Mapping[str, Sequence[str]], *, is_merge: bool) -> Iterator[Problem]:
    """A warning for each group of tasks of an output with two spellings of one sentence.

    Args:
        tasks: Sentence -> the sources that have it.
        is_merge: Whether the call lists the sources.
    """
    for group in near_tasks(tasks):
        way = f"set 'task: {group[0]}' for its source in --sources"
        if not is_merge:
            way = f"use one spelling: {_EDIT} --operation.type set_task --operation.new_task "
            way += shlex.quote(group[0])
        message = _message([f"{task!r} ({', '.join(dict.fromkeys(tasks[task]))})" for task in group])
        yield Problem("near-tasks", message, hint=f"if they are one task, {way}")


def near_tasks_of_dataset(
    tasks: Iterable[str], episodes: Mapping[int, Sequence[str]], path: Path, root: Path
) -> Iterator[Problem]:
    """A warning for each group of tasks of a dataset with two spellings of one sentence.

    Args:
        tasks: The sentences.
        episodes: The sentences of each episode, as far as known.
        path: The list of tasks.
        root: The dataset's folder.
    """
    for group in near_tasks(tasks):
        first = group[0]
        changed = [episode for episode, own in episodes.items() if {*own} & {*group[1:]}]
        command = Command(
            "lerobot-edit-dataset",
            root,
            flags={
                "operation.type": "modify_tasks",
                "operation.task_replacements": dict.fromkeys(group[1:], first),
            },
        )
        if changed and all({*episodes[episode]} <= {*group} for episode in changed):
            flags = {
                "operation.type": "set_task",
                "operation.new_task": first,
                "operation.episode_indices": all_ranges(changed),
                "in_place": True,
            }
            command = Command(_EDIT, root, flags=flags)
        hint = "if they are one task, use one spelling in the dataset:"
        yield Problem("near-tasks", _message(map(repr, group)), path, hint, commands=[command])


def _message(stated: Iterable[str]) -> str:
    return f"{' and '.join(stated)} differ only in case, white space, punctuation or Unicode form"
