"""``task_index`` of the rows of a source, and the tasks that a recipe gives to episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.dataset.tables import index_numbers
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, column_of
from lerobot_grasp_plugin.merging.index_tables import distinct
from lerobot_grasp_plugin.merging.sources import Source


class RowTasks:
    """Gives rows the numbers of their tasks in the output.

    Args:
        source: Where the rows are from.
        task_map: Number of a task in ``source.tasks`` -> number in the output.
    """

    def __init__(self, source: Source, task_map: Mapping[int, int]) -> None:
        self._source = source
        numbers = source.task_numbers
        self._of_episodes = {episode: task_map[number] for episode, number in numbers.items()}
        own = task_map.keys() - numbers.values()
        self._map = {number: task_map[number] for number in sorted(own)}

    def rows(self, batch: EpisodeBatch) -> NDArray[Any]:
        """``task_index`` in the output, int64, shape (rows,).

        Raises:
            DatasetError: The column is missing, or names a task that the source does not have.
        """
        wanted = [self._of_episodes.get(self._source.own_episode(number)) for number in batch.episodes]
        if not any(task is not None for task in wanted):
            return self._own(batch)
        tasks = np.repeat([-1 if task is None else task for task in wanted], batch.lengths).astype(np.int64)
        own = np.repeat([task is None for task in wanted], batch.lengths)
        if own.any():
            tasks[own] = self._own(batch, own)
        return tasks

    def _own(self, batch: EpisodeBatch, rows: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """The tasks of all rows, or of some, that the recipe gives none."""
        has_column = layout.TASK_INDEX in batch.table.column_names
        reader = self._source.reader
        known = set(self._map.values())
        is_free = not has_column or not reader.tasks or self._source.config.task is not None
        if is_free and len(known) == 1:
            number = sum(batch.lengths) if rows is None else int(rows.sum())
            return np.full(number, known.pop(), dtype=np.int64)
        if not has_column:
            message = "column 'task_index' is missing, but the dataset has several tasks"
            raise DatasetError(Problem("missing-column", message, batch.path))
        column = index_numbers(batch.table[layout.TASK_INDEX], column_of(batch.path, "task_index"))
        numbers, inverse = distinct(column if rows is None else column[rows])
        strange = [task for task in numbers.tolist() if task not in self._map]
        if strange:
            message = f"task_index {strange} is not in the tasks table"
            raise DatasetError(Problem("unknown-task", message, batch.path))
        mapped = np.array([self._map[task] for task in numbers.tolist()], dtype=np.int64)
        return mapped[inverse]


def without_unused_tasks(source: Source) -> Source:
    """A source without the tasks that no row has, where the recipe gives its episodes others.

    Raises:
        DatasetError: Rows cannot be read.
    """
    if not source.config.tasks or source.config.task is not None:
        return source
    used: set[int] = set()
    own = [number for number in source.episodes if source.own_episode(number) not in source.config.tasks]
    for batch in source.reader.read(own, [layout.TASK_INDEX]):
        if layout.TASK_INDEX not in batch.table.column_names:
            return source
        column = index_numbers(batch.table[layout.TASK_INDEX], column_of(batch.path, "task_index"))
        used |= set(distinct(column)[0].tolist())
    return replace(source, unused_tasks=frozenset(source.reader.tasks) - used)
