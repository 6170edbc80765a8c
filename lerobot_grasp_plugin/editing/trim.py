"""``trim``: cuts off the ends of episodes in which the arm only waits, or keeps the ranges that are named."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.idle import widths, without_idle_ends
from lerobot_grasp_plugin.core.spans import Span, spans_text
from lerobot_grasp_plugin.dataset.recorded_success import success_by_episode
from lerobot_grasp_plugin.editing.columns import numeric_columns, read_columns
from lerobot_grasp_plugin.editing.config import TrimConfig
from lerobot_grasp_plugin.editing.recipes import Dataset, Recipe
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.findings.words import count, episodes_text

_MOTION = ("observation.state", "action")
_MOST_FRAMES = 1e15
"""More than any episode has, and not too many for an integer."""


def trim(config: TrimConfig, dataset: Dataset) -> Sequence[Recipe]:
    """Recipes of ``trim``.

    Raises:
        UsageError: With everything that is wrong with the operation.
        DatasetError: The dataset cannot be read.
    """
    if config.frames:
        _check_alone(config)
        return [Recipe([dataset.source(dataset.episodes, frames=config.frames)])]
    problems = Gathered()
    with problems:
        _check_values(config)
    with problems:
        chosen = dataset.select(config.episode_indices, "operation.episode_indices")
    problems.raise_all()
    frames: dict[int, str] = {}
    details: list[str] = []
    left = 0
    for episode, (start, stop) in sorted(_spans(config, dataset, chosen)):
        length = dataset.length(episode)
        if (start, stop) == (0, length):
            continue
        frames[episode] = spans_text([(start, stop)], length, dataset.index_base)
        left += length - (stop - start)
        details.append(
            f"episode {episode}: {count(start, 'idle frame')} at the start and {length - stop} at the "
            f"end of {length} are left out"
        )
    what = f"{count(left, 'idle frame')} of {episodes_text(frames)} left out"
    if not frames:
        what = "no idle end is long enough to be left out"
    summary = (
        f"{what} (threshold {config.threshold:g} of the range of each dimension, at least "
        f"{config.min_idle_s:g} s, margin {config.margin_s:g} s; success frames stay)"
    )
    return [Recipe([dataset.source(dataset.episodes, frames=frames)], summary=summary, details=details)]


def _check_alone(config: TrimConfig) -> None:
    """Refuses options that say how idle ends are found, where ranges are given.

    Raises:
        UsageError: With all of them.
    """
    default = TrimConfig()
    names = ("episode_indices", "threshold", "min_idle_s", "margin_s")
    others = [name for name in names if getattr(config, name) != getattr(default, name)]
    if others:
        listed = ", ".join(f"operation.{name}" for name in others)
        message = f"operation.frames names what stays, so it goes without {listed}"
        hint = "leave operation.frames out to cut idle ends off"
        raise UsageError(Problem("contradicting-options", message, hint=hint))


def _check_values(config: TrimConfig) -> None:
    problems = []
    if not (math.isfinite(config.threshold) and config.threshold > 0):
        message = f"operation.threshold must be a share of a range, above 0, not {config.threshold:g}"
        problems.append(Problem("bad-value", message))
    for name in ("min_idle_s", "margin_s"):
        value = getattr(config, name)
        if not (math.isfinite(value) and value >= 0):
            message = f"operation.{name} must be a time in seconds, 0 or more, not {value:g}"
            problems.append(Problem("bad-value", message))
    if problems:
        raise UsageError(problems)


def _spans(config: TrimConfig, dataset: Dataset, chosen: Sequence[int]) -> Iterator[tuple[int, Span]]:
    """The frames of each episode that stay."""
    reader = dataset.reader
    names = numeric_columns(reader, _MOTION)
    if not names:
        message = f"{reader.repo_id} has neither {' nor '.join(map(repr, _MOTION))}, by which idle ends"
        hint = f"name what stays with operation.frames; features: {', '.join(reader.info.features)}"
        raise UsageError(Problem("no-motion", f"{message} are found", reader.root, hint))
    reader.require(dataset.episodes, [])
    scale = _scale(dataset, names)
    success = dict(success_by_episode(reader, chosen))
    success |= dataset.labelled()
    fps = reader.info.fps
    for episode, columns in read_columns(reader, chosen, names):
        places = np.concatenate([values.astype(np.float64) for values in columns], axis=1) / scale
        kept = np.flatnonzero(success[episode]).tolist() if episode in success else []
        yield (
            episode,
            without_idle_ends(
                places,
                config.threshold,
                shortest=math.ceil(min(config.min_idle_s * fps, _MOST_FRAMES)),
                margin=round(min(config.margin_s * fps, _MOST_FRAMES)),
                kept=kept,
            ),
        )


def _scale(dataset: Dataset, names: Sequence[str]) -> NDArray[np.float64]:
    """The measure of movements of each dimension, all columns after one another."""
    low: list[NDArray[np.float64]] = []
    high: list[NDArray[np.float64]] = []
    for _, columns in read_columns(dataset.reader, dataset.episodes, names):
        if not len(columns[0]):
            continue
        wide = [values.astype(np.float64) for values in columns]
        least, most = [np.fmin.reduce(values) for values in wide], [np.fmax.reduce(values) for values in wide]
        low = [*map(np.fmin, low, least)] if low else least
        high = [*map(np.fmax, high, most)] if high else most
    return np.concatenate([widths(*pair) for pair in zip(low, high, strict=True)])
