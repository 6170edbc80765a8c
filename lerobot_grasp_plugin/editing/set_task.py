"""``set_task``: another task for some episodes or all."""

from __future__ import annotations

from collections.abc import Sequence

from lerobot_grasp_plugin.editing.config import SetTaskConfig
from lerobot_grasp_plugin.editing.recipes import Dataset, Recipe, missing
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.findings.words import episodes_text


def set_task(config: SetTaskConfig, dataset: Dataset) -> Sequence[Recipe]:
    """Recipes of ``set_task``.

    Raises:
        UsageError: The text is missing, or an episode does not exist.
    """
    task = config.new_task
    if task is None or not task.strip():
        raise UsageError(missing("operation.new_task", "the text of the task", "'pick up the cube'"))
    chosen = dataset.select(config.episode_indices, "operation.episode_indices")
    changed = [episode for episode in chosen if tuple(dataset.reader.episode_tasks(episode)) != (task,)]
    summary = f"{episodes_text(changed)}: task {task!r}" if changed else ""
    if len(changed) == len(dataset.episodes):
        return [Recipe([dataset.source(dataset.episodes, task=task)], summary=summary)]
    tasks = dict.fromkeys(sorted(changed), task)
    return [Recipe([dataset.source(dataset.episodes, tasks=tasks)], summary=summary)]
