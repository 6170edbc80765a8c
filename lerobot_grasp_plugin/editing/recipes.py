"""What every operation has: the dataset that is edited, and the recipes that come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.selection import select_episodes
from lerobot_grasp_plugin.dataset.losses import refuse_lost
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import all_ranges
from lerobot_grasp_plugin.merging.recipe import SourceConfig


@dataclass(frozen=True)
class Dataset:
    """The dataset that is edited.

    Attributes:
        entry: What the call says of it.
        reader: It, opened.
        episodes: Those that can be read, by ``episode_index``, ascending.
        index_base: What the first frame of an episode is called: 0 or 1.
        labelled: Reads the success frames of the episodes that the call labels, shape (frames,) each.
    """

    entry: SourceConfig
    reader: DatasetReader
    episodes: Sequence[int]
    index_base: int
    labelled: Callable[[], Mapping[int, NDArray[np.bool_]]]

    def select(self, selection: Sequence[int] | str | None, option: str) -> tuple[int, ...]:
        """The episodes that an option names, in its order; all without one.

        Raises:
            UsageError: The selection is wrong.
            DatasetError: One of the episodes is lost.
        """
        if selection is None:
            return tuple(self.episodes)
        chosen = select_episodes(selection, len(self.reader.lengths), name=option)
        refuse_lost(self.reader.lost, chosen)
        return chosen

    def length(self, episode: int) -> int:
        """Frames of an episode."""
        return int(self.reader.lengths[episode])

    def source(self, episodes: Sequence[int], **options: Any) -> SourceConfig:
        """Some of its episodes, as a source of a recipe.

        Args:
            episodes: By ``episode_index``, in output order.
            options: More options of the source.
        """
        is_all = list(episodes) == list(range(len(self.reader.lengths)))
        chosen = None if is_all else list(episodes)
        if chosen is not None and chosen == sorted(chosen):
            return self._entry(episodes=all_ranges(chosen), **options)
        return self._entry(episodes=chosen, **options)

    def _entry(self, **options: Any) -> SourceConfig:
        return SourceConfig(repo_id=self.entry.repo_id, root=self.entry.root, **options)


@dataclass(frozen=True)
class Recipe:
    """The sources of one output.

    Attributes:
        sources: In output order.
        name: Name of the part of the dataset that it is; empty where there is one output.
        summary: What becomes of the dataset, and why, in a sentence; empty where the recipe says it.
        details: The same of each episode.
        warnings: What is odd about it.
    """

    sources: Sequence[SourceConfig]
    name: str = ""
    summary: str = ""
    details: Sequence[str] = ()
    warnings: Sequence[Problem] = field(default_factory=tuple)


def missing(option: str, meaning: str, example: str) -> Problem:
    """Says that an operation needs an option that is not given."""
    hint = f"such as --{option} {example}"
    return Problem("missing-option", f"{option} is missing: {meaning}", hint=hint)
