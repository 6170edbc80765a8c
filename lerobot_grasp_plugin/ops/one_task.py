"""A warning for tasks that are one sentence in two spellings, in a merge and in a dataset."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from lerobot_grasp_plugin.core.near_tasks import near_tasks
from lerobot_grasp_plugin.errors import Problem

_REPLACE = "lerobot-edit-dataset --operation.type=modify_tasks --operation.task_replacements"


def near_task_warnings(tasks: Mapping[str, Sequence[str]], where: str = "") -> Iterator[Problem]:
    """A warning for each group of tasks that are one in two spellings.

    Args:
        tasks: Sentence -> the sources that have it; empty lists in a single dataset.
        where: The list of tasks of a single dataset.
    """
    for group in near_tasks(tasks):
        first = group[0]
        stated = [repr(task) + (f" ({', '.join(tasks[task])})" if tasks[task] else "") for task in group]
        message = f"{' and '.join(stated)} differ only in case, white space, punctuation or Unicode form"
        replacements = json.dumps(dict.fromkeys(group[1:], first), ensure_ascii=False)
        hint = f"if they are one task, spell it the same: {_REPLACE}='{replacements}'"
        if any(tasks.values()):
            hint = f"if they are one task, give its source 'task: {first}' in --sources"
        yield Problem("near-tasks", message, where, hint, severity="warning")
