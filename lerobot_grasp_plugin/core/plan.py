"""Plans which source episode becomes which output episode, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

EPISODES_PER_DATA_FILE: Final = 1000


@dataclass(frozen=True, slots=True)
class ChosenEpisode:
    """An episode chosen for the output.

    Attributes:
        source: Which source it is from, 0-based.
        episode: Its ``episode_index`` there.
        length: Frames.
        data_bytes: Approximate size of its rows in a data file.
        part: The number by which it is read, where it is a part of the episode; else None.
        from_frame: First frame of the part, 0-based; None for a whole episode.
    """

    source: int
    episode: int
    length: int
    data_bytes: int
    part: int | None = None
    from_frame: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedEpisode:
    """An episode of the output.

    Attributes:
        episode_index: In the output, 0-based.
        source: Which source it is from, 0-based.
        source_episode: Its ``episode_index`` there.
        length: Frames.
        from_index: ``index`` of its first row in the output (``dataset_from_index``).
        data_file: Ordinal of the data file its rows go to, 0-based.
        part: The number by which it is read, where it is a part of the source episode; else None.
        from_frame: First frame of the part in the source episode, 0-based; None for a whole episode.
    """

    episode_index: int
    source: int
    source_episode: int
    length: int
    from_index: int
    data_file: int
    part: int | None = None
    from_frame: int | None = None

    @property
    def read_as(self) -> int:
        """The number by which the reader of the source knows it."""
        return self.source_episode if self.part is None else self.part

    @property
    def source_span(self) -> tuple[int, int]:
        """First frame in the source episode, and the one after the last, 0-based."""
        start = self.from_frame or 0
        return start, start + self.length

    @property
    def to_index(self) -> int:
        """``index`` behind its last row (``dataset_to_index``)."""
        return self.from_index + self.length


@dataclass(frozen=True, slots=True)
class MergePlan:
    """The whole output.

    Attributes:
        episodes: In output order.
        tasks: Sentences by output ``task_index``.
        task_maps: For each source, its ``task_index`` -> the output's.
    """

    episodes: Sequence[PlannedEpisode]
    tasks: Sequence[str]
    task_maps: Sequence[Mapping[int, int]]

    @property
    def total_frames(self) -> int:
        """Rows of the output."""
        return self.episodes[-1].to_index if self.episodes else 0

    def runs(self) -> Iterator[Sequence[PlannedEpisode]]:
        """The episodes, split where source or data file changes."""
        start = 0
        for stop in range(1, len(self.episodes) + 1):
            if stop == len(self.episodes) or self._breaks(stop):
                yield self.episodes[start:stop]
                start = stop

    def _breaks(self, position: int) -> bool:
        before, after = self.episodes[position - 1], self.episodes[position]
        return before.source != after.source or before.data_file != after.data_file


def plan_merge(
    chosen: Iterable[ChosenEpisode],
    tasks: Sequence[Mapping[int, str]],
    *,
    max_data_bytes: int,
    max_data_episodes: int = EPISODES_PER_DATA_FILE,
) -> MergePlan:
    """Numbers episodes, rows, tasks and data files of the output.

    Args:
        chosen: The episodes in output order.
        tasks: For each source, the sentence of each of its ``task_index``.
        max_data_bytes: A data file is closed before it would reach this size; an episode that is
            larger gets a file of its own.
        max_data_episodes: A data file has at most this many episodes. Each is a row group, and the
            list of row groups is held in memory whenever the file is open.

    Returns:
        The plan. Tasks are the union of the sources' tasks, in order of first appearance.
    """
    episodes: list[PlannedEpisode] = []
    index = data_file = used = held = 0
    for choice in chosen:
        if held and (used + choice.data_bytes >= max_data_bytes or held == max_data_episodes):
            data_file, used, held = data_file + 1, 0, 0
        used += choice.data_bytes
        held += 1
        episodes.append(
            PlannedEpisode(
                len(episodes),
                choice.source,
                choice.episode,
                choice.length,
                index,
                data_file,
                choice.part,
                choice.from_frame,
            )
        )
        index += choice.length
    numbers: dict[str, int] = {}
    task_maps = [
        {old: numbers.setdefault(sentence, len(numbers)) for old, sentence in sorted(of_source.items())}
        for of_source in tasks
    ]
    return MergePlan(tuple(episodes), tuple(numbers), task_maps)
