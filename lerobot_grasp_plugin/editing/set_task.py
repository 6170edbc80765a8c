"""``set_task``: another task for some episodes or all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.tables import index_numbers
from lerobot_grasp_plugin.editing.config import SetTaskConfig
from lerobot_grasp_plugin.editing.recipes import Dataset, Recipe, missing
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import UsageError, column_of
from lerobot_grasp_plugin.findings.words import episodes_text


def set_task(config: SetTaskConfig, dataset: Dataset) -> Sequence[Recipe]:
    """Recipes of ``set_task``.

    Raises:
        UsageError: The text is missing, or an episode does not exist.
        DatasetError: The tasks of rows cannot be read.
    """
    task = config.new_task or ""
    problems = Gathered()
    with problems:
        if not task.strip():
            raise UsageError(missing("operation.new_task", "the text of the task", "'pick up the cube'"))
    with problems:
        chosen = dataset.select(config.episode_indices, "operation.episode_indices")
    problems.raise_all()
    unchanged = _with_task(dataset, chosen, task)
    changed = [episode for episode in chosen if episode not in unchanged]
    summary = f"{episodes_text(changed)}: task {task!r}" if changed else ""
    if len(changed) == len(dataset.episodes):
        return [Recipe([dataset.source(dataset.episodes, task=task)], summary=summary)]
    tasks = dict.fromkeys(sorted(changed), task)
    return [Recipe([dataset.source(dataset.episodes, tasks=tasks)], summary=summary)]


def _with_task(dataset: Dataset, chosen: Sequence[int], task: str) -> set[int]:
    """Those of the chosen episodes that have the task already, by the list of episodes and by their rows."""
    reader = dataset.reader
    listed = [episode for episode in chosen if tuple(reader.episode_tasks(episode)) == (task,)]
    numbers = {number for number, text in reader.tasks.items() if text == task}
    if numbers == set(reader.tasks):
        return set(listed)
    reader.require(listed, [])
    found: set[int] = set()
    for batch in reader.read(listed, [layout.TASK_INDEX]):
        if layout.TASK_INDEX not in batch.table.column_names:
            continue
        rows = index_numbers(batch.table[layout.TASK_INDEX], column_of(batch.path, layout.TASK_INDEX))
        parts = np.split(rows, np.cumsum(batch.lengths)[:-1])
        found.update(
            episode
            for episode, own in zip(batch.episodes, parts, strict=True)
            if numbers.issuperset(np.unique(own).tolist())
        )
    return found
