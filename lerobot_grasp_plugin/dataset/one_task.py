"""Warns of tasks that are one sentence in two spellings, in a merge and in a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lerobot_grasp_plugin.core.near_tasks import near_tasks
from lerobot_grasp_plugin.findings.command import Command
from lerobot_grasp_plugin.findings.problem import NOWHERE, Problem


def near_task_warnings(
    tasks: Mapping[str, Sequence[str]], path: Path | None = None, root: Path | None = None
) -> Iterator[Problem]:
    """A warning for each group of tasks with two spellings of one sentence.

    Args:
        tasks: Sentence -> the sources that have it; empty lists in a single dataset.
        path: The list of tasks of a single dataset.
        root: The folder of that dataset.
    """
    for group in near_tasks(tasks):
        first = group[0]
        stated = [repr(task) + (f" ({', '.join(tasks[task])})" if tasks[task] else "") for task in group]
        message = f"{' and '.join(stated)} differ only in case, white space, punctuation or Unicode form"
        if root is None:
            hint = f"if they are one task, set 'task: {first}' for its source in --sources"
            yield Problem("near-tasks", message, path or NOWHERE, hint)
            continue
        hint = "if they are one task, use one spelling in the dataset:"
        names = dict.fromkeys(group[1:], first)
        flags = {"operation.type": "modify_tasks", "operation.task_replacements": names}
        command = Command("lerobot-edit-dataset", root, flags=flags)
        yield Problem("near-tasks", message, path or NOWHERE, hint, commands=[command])
