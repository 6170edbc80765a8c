"""``split``: episodes into several, or a dataset into parts that are datasets of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.spans import by_shares, equal_spans, spans_from, spans_text
from lerobot_grasp_plugin.core.timeline import exact_fps
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.editing.columns import numeric_columns, read_columns
from lerobot_grasp_plugin.editing.config import SplitConfig
from lerobot_grasp_plugin.editing.recipes import Dataset, Recipe
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.findings.words import agree, count, episodes_text
from lerobot_grasp_plugin.verify.jumps import jumps

_STATE = "observation.state"
_WAYS = ("splits", "frames", "parts", "at")
_GAP_FRAMES = 1.5
"""Frames from one timestamp to the next from which on there is a gap."""


def split(config: SplitConfig, dataset: Dataset) -> Sequence[Recipe]:
    """Recipes of ``split``.

    Raises:
        UsageError: With everything that is wrong with the operation.
        DatasetError: The dataset cannot be read.
    """
    problems = Gathered()
    with problems:
        _check(config)
    with problems:
        chosen = sorted(dataset.select(config.episode_indices, "operation.episode_indices"))
    problems.raise_all()
    if config.splits:
        return list(_datasets(config.splits, dataset))
    if config.frames:
        return [Recipe([dataset.source(dataset.episodes, frames=config.frames)])]
    starts = _equal(config, dataset, chosen) if config.parts is not None else _starts(config, dataset, chosen)
    spans = {episode: spans_from(own, dataset.length(episode)) for episode, own in starts.items()}
    divided = {episode: own for episode, own in spans.items() if len(own) > 1}
    frames = {
        episode: spans_text(own, dataset.length(episode), dataset.index_base)
        for episode, own in divided.items()
    }
    details = [
        f"episode {episode}: {count(len(own), 'part')}, which begin at frames "
        f"{', '.join(str(start + dataset.index_base) for start, _ in own)}"
        for episode, own in divided.items()
    ]
    parts = sum(len(own) for own in divided.values())
    how = f"at {config.at}" if config.at else "of equal length"
    summary = f"{episodes_text(divided)} in {count(parts, 'part')} {how}" if divided else ""
    return [Recipe([dataset.source(dataset.episodes, frames=frames)], summary=summary, details=details)]


def _check(config: SplitConfig) -> None:
    """Refuses options that do not go together.

    Raises:
        UsageError: With all that is wrong.
    """
    ways = [name for name in _WAYS if getattr(config, name) not in (None, {})]
    problems = []
    if len(ways) != 1:
        named = f"operation.{' and operation.'.join(ways)} are" if ways else "nothing is"
        message = f"split: {named} given"
        hint = f"give one of {', '.join(f'--operation.{name}' for name in _WAYS)}"
        problems.append(Problem("contradicting-options", message, hint=hint))
    if config.episode_indices is not None and not {"parts", "at"} & {*ways}:
        message = "operation.episode_indices goes with operation.parts or operation.at"
        problems.append(Problem("contradicting-options", message))
    if config.parts is not None and config.parts < 2:
        message = f"operation.parts must be 2 or more, not {config.parts}"
        problems.append(Problem("bad-value", message))
    if config.gap_s is not None and config.at != "timestamp_gap":
        message = "operation.gap_s goes with operation.at timestamp_gap"
        problems.append(Problem("contradicting-options", message))
    if config.gap_s is not None and not (math.isfinite(config.gap_s) and config.gap_s > 0):
        message = f"operation.gap_s must be a time in seconds, above 0, not {config.gap_s:g}"
        problems.append(Problem("bad-value", message))
    if problems:
        raise UsageError(problems)


def _equal(config: SplitConfig, dataset: Dataset, chosen: Sequence[int]) -> Mapping[int, Sequence[int]]:
    """Where the parts of each episode begin.

    Raises:
        UsageError: With all episodes that are too short.
    """
    assert config.parts is not None
    short = [episode for episode in chosen if dataset.length(episode) < config.parts]
    if short:
        most = min(dataset.length(episode) for episode in short)
        message = f"{episodes_text(short)} cannot be {config.parts} parts: the shortest has "
        message += count(most, "frame")
        hint = "leave these out of operation.episode_indices, or give fewer operation.parts"
        raise UsageError(Problem("bad-value", message, hint=hint))
    return {
        episode: [start for start, _ in equal_spans(dataset.length(episode), config.parts)]
        for episode in chosen
    }


def _starts(config: SplitConfig, dataset: Dataset, chosen: Sequence[int]) -> Mapping[int, Sequence[int]]:
    """Where each episode is divided by what its rows say."""
    name = _STATE if config.at == "state_jump" else layout.TIMESTAMP
    reader = dataset.reader
    if not numeric_columns(reader, [name]):
        message = f"{reader.repo_id} has no column {name!r} of numbers, by which it would be divided"
        hint = "give operation.frames or operation.parts"
        raise UsageError(Problem("unknown-feature", message, reader.root, hint))
    reader.require(chosen, [])
    found: dict[int, Sequence[int]] = {}
    for episode, (values,) in read_columns(reader, chosen, [name]):
        own = values.astype(np.float64)
        found[episode] = jumps(own).tolist() if name == _STATE else _gaps(config, own[:, 0], reader.info.fps)
    return found


def _gaps(config: SplitConfig, stamps: NDArray[np.float64], fps: float) -> list[int]:
    """Frames before which timestamps have a gap or go back."""
    longest = _GAP_FRAMES / float(exact_fps(fps)) if config.gap_s is None else config.gap_s
    steps = np.diff(stamps)
    before: list[int] = np.flatnonzero((steps > longest) | (steps < 0)).tolist()
    return [frame + 1 for frame in before]


def _datasets(splits: Mapping[str, float | list[int] | str], dataset: Dataset) -> Iterator[Recipe]:
    """A recipe for each part of the dataset.

    Raises:
        UsageError: With everything that is wrong with the parts.
    """
    shares = {name: value for name, value in splits.items() if isinstance(value, int | float)}
    if shares and len(shares) < len(splits):
        message = "operation.splits has shares and lists of episodes"
        hint = "give a share to each part, or episodes to each"
        raise UsageError(Problem("contradicting-options", message, hint=hint))
    parts = _by_shares(shares, dataset) if shares else _by_lists(splits, dataset)
    problems = [_name_problem(name) for name in parts if not _is_name(name)]
    problems += [
        Problem("empty-selection", f"operation.splits: {name} would have no episode", hint=hint)
        for name, episodes in parts.items()
        if not episodes
        for hint in [f"the dataset has {count(len(dataset.episodes), 'episode')}"]
    ]
    owners: dict[int, list[str]] = {}
    for name, episodes in parts.items():
        for episode in episodes:
            owners.setdefault(episode, []).append(name)
    for names in dict.fromkeys(tuple(names) for names in owners.values() if len(names) > 1):
        twice = [episode for episode, own in owners.items() if tuple(own) == names]
        message = f"operation.splits: {episodes_text(twice)} would be in {' and '.join(names)}"
        problems.append(Problem("listed-twice", message, hint="list every episode once"))
    if problems:
        raise UsageError(problems)
    left = [episode for episode in dataset.episodes if episode not in owners]
    are = agree(len(left), "is", "are")
    message = f"{episodes_text(left)} {are} in no part, and {are} left out"
    warnings = [Problem("episodes-in-no-part", message)] if left else []
    for name, episodes in parts.items():
        yield Recipe([dataset.source(episodes)], name=name, warnings=warnings)
        warnings = []


def _by_shares(shares: Mapping[str, float], dataset: Dataset) -> Mapping[str, Sequence[int]]:
    try:
        return dict(zip(shares, by_shares(dataset.episodes, [*shares.values()]), strict=True))
    except ValueError as error:
        raise UsageError(Problem("bad-value", f"operation.splits: {error}")) from None


def _by_lists(splits: Mapping[str, object], dataset: Dataset) -> Mapping[str, Sequence[int]]:
    problems = Gathered()
    parts: dict[str, Sequence[int]] = {}
    for name, episodes in splits.items():
        with problems:
            parts[name] = dataset.select(episodes, f"operation.splits, {name}")  # type: ignore[arg-type]  # no share
    problems.raise_all()
    return parts


def _is_name(name: str) -> bool:
    return name.replace("-", "").replace("_", "").isalnum()


def _name_problem(name: str) -> Problem:
    message = f"operation.splits: {name!r} cannot be the name of a folder and a dataset"
    return Problem("bad-value", message, hint="use letters, digits, `-` and `_`")
