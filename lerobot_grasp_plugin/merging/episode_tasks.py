"""The tasks of each output episode: as its source lists them, if the rows agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.findings.words import episodes_text
from lerobot_grasp_plugin.merging.sources import Source


class EpisodeTasks:
    """Tasks of episodes, and the episodes for which the source lists other tasks.

    Args:
        tasks: Sentences by the output's ``task_index``.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        self._tasks = tasks
        self._known = frozenset(tasks)
        self._replaced: dict[int, list[int]] = {}

    def of(
        self, source: Source, planned: Sequence[PlannedEpisode], numbers: pa.ChunkedArray[Any]
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
            is_given = source.config.task is not None or episode.source_episode in source.config.tasks
            if is_given or not listed or episode.part is not None:
                listed = own
            else:
                of_list = [task for task in listed if task in self._known]
                missing = [task for task in own if task not in of_list]
                if missing or len(of_list) < len(listed):
                    self._replaced.setdefault(source.number, []).append(episode.source_episode)
                listed = [*own, *(task for task in of_list if task not in own)] if missing else of_list
            found.append(listed)
        return found

    def notes(self, source: Source) -> list[str]:
        """The report's note about episodes whose listed tasks differ from those of their rows."""
        replaced = self._replaced.get(source.number)
        if not replaced:
            return []
        return [
            f"the metadata lists other tasks than the rows for {episodes_text(replaced)}; the rows' "
            "tasks are used"
        ]
