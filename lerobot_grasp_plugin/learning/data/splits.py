"""Splits episodes into training and validation, and computes class weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lerobot_grasp_plugin.core.labels import success_of
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, UsageError


@dataclass(frozen=True)
class EpisodeSplits:
    """A division of all episodes of a dataset.

    Attributes:
        seed: With which it was drawn.
        parts: Name of a part (``train``, ``val``) -> its episodes by ``episode_index``, ascending.

    Raises:
        DatasetError: An episode is in two parts, or an index is no episode.
    """

    seed: int
    parts: Mapping[str, tuple[int, ...]]

    def __post_init__(self) -> None:
        parts = {name: tuple(sorted(episodes)) for name, episodes in self.parts.items()}
        indices = [index for episodes in parts.values() for index in episodes]
        if len(set(indices)) != len(indices) or any(index < 0 for index in indices):
            message = "an episode of the splits is negative or in two splits"
            raise DatasetError(Problem("bad-splits", message))
        object.__setattr__(self, "parts", parts)

    def part(self, name: str) -> list[int]:
        """The episodes of a part, for LeRobot's ``episodes=``.

        Raises:
            UsageError: The split does not exist.
        """
        if name not in self.parts:
            hint = f"splits: {', '.join(self.parts)}"
            raise UsageError(Problem("unknown-split", f"split {name!r} does not exist", hint=hint))
        return list(self.parts[name])

    def to_json(self) -> dict[str, Any]:
        """The entry of the sidecar."""
        return {"seed": self.seed, "parts": {name: list(episodes) for name, episodes in self.parts.items()}}

    @classmethod
    def from_json(cls, raw: object) -> EpisodeSplits:
        """What ``to_json`` wrote.

        Raises:
            DatasetError: It is something else.
        """
        seed, parts = (raw.get("seed"), raw.get("parts")) if isinstance(raw, Mapping) else (None, None)
        sound = (
            _is_whole(seed)
            and isinstance(parts, Mapping)
            and all(
                isinstance(episodes, list) and all(_is_whole(index) for index in episodes)
                for episodes in parts.values()
            )
        )
        if not sound:
            hint = 'expected for example {"seed": 0, "parts": {"train": [0, 1], "val": [2]}}'
            raise DatasetError(Problem("bad-splits", f"the splits are not valid: {raw!r}", hint=hint))
        assert isinstance(seed, int)
        assert isinstance(parts, Mapping)
        return cls(seed, {str(name): tuple(episodes) for name, episodes in parts.items()})


def split_episodes(
    sources: Sequence[int | str],
    outcomes: Sequence[bool],
    *,
    fractions: Mapping[str, float],
    seed: int,
) -> EpisodeSplits:
    """Divides episodes at random so that each part has its share of every (source, outcome).

    Of n episodes of one source and outcome, a part with fraction f gets n * f, rounded up or down;
    the rounding is settled so that the parts' totals, too, are as near to their shares as can be.

    Args:
        sources: Which dataset each episode came from, by ``episode_index``.
        outcomes: Whether each episode has a success frame.
        fractions: Name of a part -> its share. They sum to 1.
        seed: The same arguments give the same splits.

    Raises:
        UsageError: The fractions are no shares, or the sequences differ in length.
    """
    names = list(fractions)
    shares = np.array([fractions[name] for name in names], dtype=np.float64)
    if not names or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        hint = "for example train 0.8 and val 0.2"
        message = f"the fractions {dict(fractions)} are not positive numbers that sum to 1"
        raise UsageError(Problem("bad-fractions", message, hint=hint))
    if len(sources) != len(outcomes):
        message = f"expected one source and one outcome per episode, got {len(sources)} and {len(outcomes)}"
        raise UsageError(Problem("bad-splits", message))
    strata: dict[tuple[str, bool], list[int]] = {}
    for episode, key in enumerate(zip(map(str, sources), map(bool, outcomes), strict=True)):
        strata.setdefault(key, []).append(episode)
    rng = np.random.default_rng(seed)
    parts: dict[str, list[int]] = {name: [] for name in names}
    owed = np.zeros(len(names))  # what each part is short of, over the strata so far
    for key in sorted(strata):
        episodes = rng.permutation(strata[key])
        owed += shares * len(episodes)
        counts = np.floor(shares * len(episodes) + 1e-9).astype(int)
        owed -= counts
        while counts.sum() < len(episodes):
            neediest = int(np.argmax(owed))
            counts[neediest] += 1
            owed[neediest] -= 1
        stops = np.cumsum(counts)
        for name, start, stop in zip(names, stops - counts, stops, strict=True):
            parts[name] += episodes[start:stop].tolist()
    return EpisodeSplits(seed, {name: tuple(episodes) for name, episodes in parts.items()})


def success_labels(labels: Any) -> torch.Tensor:
    """Which frames are success, bool of shape ``(frames,)``.

    Args:
        labels: Whether each frame is success, or ``next.reward`` of all frames of a dataset; anything torch
            can make a tensor of.

    Raises:
        DatasetError: They are rewards of three values or more.
    """
    values = labels.detach().cpu().numpy() if isinstance(labels, torch.Tensor) else np.asarray(labels)
    success = success_of(values.reshape(-1))
    if success is None:
        message = "the rewards have three values or more, and it is unknown which one is success"
        hint = "relabel with --annotations, or with --labels_from and --labels_threshold"
        raise DatasetError(Problem("dense-rewards", message, hint=hint))
    return torch.from_numpy(success)


def class_weights(labels: Any) -> torch.Tensor:
    """Weights with which failures and successes count the same.

    Args:
        labels: As ``success_labels`` takes them.

    Returns:
        float32, shape ``(2,)``: the weight of a failure frame and of a success frame. Their mean over
        all frames is 1.

    Raises:
        DatasetError: One of the classes has no frame, or the labels are rewards of three values or more.
    """
    success = success_labels(labels)
    counts = torch.stack([(~success).sum(), success.sum()]).to(torch.float64)
    if not bool((counts > 0).all()):
        message = f"the dataset has {int(counts[1])} success and {int(counts[0])} failure frames"
        hint = "a classifier needs both; lerobot-grasp-verify shows what counts as success"
        raise DatasetError(Problem("one-class", message, hint=hint))
    return (counts.sum() / (2 * counts)).to(torch.float32)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
