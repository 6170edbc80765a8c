"""``delete``, ``reorder``, ``replace``, ``insert``: other episodes, or the same in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lerobot_grasp_plugin.editing.config import (
    DeleteConfig,
    InsertConfig,
    PlacedEpisodes,
    PlacingConfig,
    ReorderConfig,
    ReplaceConfig,
)
from lerobot_grasp_plugin.editing.recipes import Dataset, Recipe, missing
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.findings.words import count, episodes_text
from lerobot_grasp_plugin.merging.recipe import SourceConfig

_INDICES = "operation.episode_indices"


def delete(config: DeleteConfig, dataset: Dataset) -> Sequence[Recipe]:
    """Recipes of ``delete``.

    Raises:
        UsageError: The episodes are missing or wrong, or none would be left.
    """
    if config.episode_indices is None:
        raise UsageError(missing(_INDICES, "the episodes that are deleted", "'[0, 2, 5]'"))
    deleted = set(dataset.select(config.episode_indices, _INDICES))
    left = [episode for episode in dataset.episodes if episode not in deleted]
    if not left:
        message = f"{_INDICES} names every episode, and none would be left"
        hint = f"the dataset has {count(len(dataset.episodes), 'episode')}; keep one at least"
        raise UsageError(Problem("empty-selection", message, hint=hint))
    frames = sum(dataset.length(episode) for episode in deleted)
    summary = f"{episodes_text(deleted)} ({count(frames, 'frame')}) left out"
    return [Recipe([dataset.source(left)], summary=summary)]


def reorder(config: ReorderConfig, dataset: Dataset) -> Sequence[Recipe]:
    """Recipes of ``reorder``.

    Raises:
        UsageError: The order is missing or wrong, or does not name every episode.
    """
    if config.episode_indices is None:
        meaning = "the numbers of all episodes in their new order"
        raise UsageError(missing(_INDICES, meaning, "'[2, 0, 1]'"))
    order = dataset.select(config.episode_indices, _INDICES)
    unnamed = sorted({*dataset.episodes} - {*order})
    if unnamed:
        message = f"{_INDICES} does not name {episodes_text(unnamed)}"
        hint = "name every episode once; delete leaves episodes out"
        raise UsageError(Problem("episodes-not-named", message, hint=hint))
    return [Recipe([dataset.source(order)])]


def replace(config: ReplaceConfig, dataset: Dataset) -> Sequence[Recipe]:
    """Recipes of ``replace``.

    Raises:
        UsageError: With all that is wrong with place and source.
    """
    place, source = _place(config, dataset, len(dataset.reader.lengths) - 1)
    return [_around(dataset, source, place, place + 1)]


def insert(config: InsertConfig, dataset: Dataset) -> Sequence[Recipe]:
    """Recipes of ``insert``.

    Raises:
        UsageError: With all that is wrong with place and source.
    """
    place, source = _place(config, dataset, len(dataset.reader.lengths))
    return [_around(dataset, source, place, place)]


def _place(config: PlacingConfig, dataset: Dataset, last: int) -> tuple[int, SourceConfig]:
    """The place and the source.

    Args:
        config: The operation.
        dataset: The dataset that is edited.
        last: The last place that there is.

    Raises:
        UsageError: With all that is wrong with them.
    """
    problems = list(_problems(config, dataset, last))
    if problems or config.episode_index is None or config.source is None:
        raise UsageError(problems)
    return config.episode_index, config.source


def _problems(config: PlacingConfig, dataset: Dataset, last: int) -> Iterator[Problem]:
    if config.episode_index is None:
        yield missing("operation.episode_index", "the place in the dataset", "3")
    elif not 0 <= config.episode_index <= last:
        message = f"operation.episode_index must be from 0 to {last}, not {config.episode_index}"
        yield Problem("unknown-episode", message, hint="counted from 0")
    source = config.source or PlacedEpisodes()
    if source.root is None and source.repo_id is None:
        yield missing("operation.source.root", "the dataset that the new episodes are from", "FOLDER")
    if source.episodes is None:
        yield missing("operation.source.episodes", "its episodes that are taken", "'[4]'")


def _around(dataset: Dataset, source: SourceConfig, stop: int, start: int) -> Recipe:
    """A source between the episodes of the dataset below ``stop`` and those from ``start`` on."""
    before = [episode for episode in dataset.episodes if episode < stop]
    after = [episode for episode in dataset.episodes if episode >= start]
    return Recipe(
        [
            *([dataset.source(before)] if before else []),
            source,
            *([dataset.source(after)] if after else []),
        ]
    )
