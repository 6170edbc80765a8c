"""The tasks of each episode of the output: those its source lists, where they are those of the rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.findings.words import episodes_text
from lerobot_grasp_plugin.merging.sources import Source


class EpisodeTasks:
    """Tasks of episodes, and the episodes of which the source lists others.

    Args:
        tasks: Sentences by the output's ``task_index``.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        self._tasks = tasks
        self._replaced: dict[int, list[int]] = {}

    def of(
        self, source: Source, planned: Sequence[PlannedEpisode], numbers: pa.ChunkedArray
    ) -> list[Sequence[str]]:
        """The tasks of neighbouring episodes.

        Args:
            source: Where they are from.
            planned: The episodes.
            numbers: ``task_index`` of their rows in the output.
        """
        values = to_numpy(numbers).reshape(-1)
        ends = np.cumsum([episode.length for episode in planned])
        starts = ends - [episode.length for episode in planned]
        low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
        found: list[Sequence[str]] = []
        for place, episode in enumerate(planned):
            of_rows = [int(low[place])]
            if low[place] != high[place]:
                rows = values[starts[place] : ends[place]].tolist()
                of_rows = list(dict.fromkeys(rows))
            own = [self._tasks[number] for number in of_rows]
            listed: Sequence[str] = source.reader.episode_tasks(episode.source_episode)
            if source.config.task is not None or not listed or episode.part is not None:
                listed = own
            elif not set(own) <= set(listed):
                self._replaced.setdefault(source.number, []).append(episode.source_episode)
                known = source.reader.tasks.values()
                listed = [*own, *(task for task in listed if task in known and task not in own)]
            found.append(listed)
        return found

    def notes(self, source: Source) -> list[str]:
        """What the report says about the episodes of a source whose list names other tasks."""
        replaced = self._replaced.get(source.number)
        if not replaced:
            return []
        return [
            f"the list of episodes has other tasks than the rows of {episodes_text(replaced)}; rows count"
        ]
