"""Measures the agreement of two label sets of the same frames: frames, boundaries, Cohen's kappa."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.intervals import IntervalSet


@dataclass(frozen=True)
class Agreement:
    """Two sets of success frames of one episode.

    Args:
        episode_index: LeRobot's ``episode_index``, 0-based.
        length: Frames of the episode.
        first: Success frames of the first set, 0-based.
        second: Success frames of the second set, 0-based.

    Attributes:
        only_first: Success in the first set only.
        only_second: Success in the second set only.
        distances: Frames from each boundary in either set to the nearest one of the same kind (success
            begins, success ends) in the other, for boundaries within the episode; empty where the other set
            has none of the kind.
        unmatched: Boundaries to which the other set has none of the same kind.
    """

    episode_index: int
    length: int
    first: IntervalSet
    second: IntervalSet
    only_first: IntervalSet = field(init=False)
    only_second: IntervalSet = field(init=False)
    distances: Sequence[int] = field(init=False)
    unmatched: int = field(init=False)

    def __post_init__(self) -> None:
        first, second = self.first.clip(self.length), self.second.clip(self.length)
        object.__setattr__(self, "only_first", first.difference(second))
        object.__setattr__(self, "only_second", second.difference(first))
        distances: list[int] = []
        unmatched = 0
        for one, other in zip(_boundaries(first, self.length), _boundaries(second, self.length), strict=True):
            for mine, theirs in ((one, other), (other, one)):
                if len(theirs):
                    distances += (
                        np.abs(mine[:, None] - theirs[None, :]).min(axis=1).tolist() if len(mine) else []
                    )
                else:
                    unmatched += len(mine)
        object.__setattr__(self, "distances", tuple(distances))
        object.__setattr__(self, "unmatched", unmatched)

    @property
    def differing(self) -> int:
        """Frames that are success in one set only."""
        return self.only_first.count(self.length) + self.only_second.count(self.length)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Frames by (first, second): failure or success in the one, the same in the other; shape (2, 2)."""
        only_first, only_second = self.only_first.count(self.length), self.only_second.count(self.length)
        both = self.first.count(self.length) - only_first
        return np.array([[self.length - both - only_first - only_second, only_second], [only_first, both]])


def share_agreeing(agreements: Iterable[Agreement]) -> float | None:
    """Share of frames that are equal in both sets; None without frames."""
    counts = _summed(agreements)
    return float(np.trace(counts) / counts.sum()) if counts.sum() else None


def cohens_kappa(agreements: Iterable[Agreement]) -> float | None:
    """Cohen's kappa of all frames: 1 for equal sets, 0 for agreement by chance.

    Returns:
        None where both sets have one label only, and the same, so that chance alone explains everything.
    """
    counts = _summed(agreements).astype(np.float64)
    if not (total := counts.sum()):
        return None
    observed = np.trace(counts) / total
    expected = float(counts.sum(axis=0) @ counts.sum(axis=1)) / total**2
    return None if expected == 1 else float((observed - expected) / (1 - expected))


def boundary_distance(agreements: Iterable[Agreement]) -> float | None:
    """Mean distance of boundaries in frames; None if no boundary has a counterpart."""
    distances = [distance for each in agreements for distance in each.distances]
    return float(np.mean(distances)) if distances else None


def most_differing(agreements: Iterable[Agreement]) -> list[Agreement]:
    """The agreements that differ: most frames first, then by ``episode_index``."""
    differing = [each for each in agreements if each.differing]
    return sorted(differing, key=lambda each: (-each.differing, each.episode_index))


def _summed(agreements: Iterable[Agreement]) -> NDArray[np.int64]:
    return sum((each.counts for each in agreements), start=np.zeros((2, 2), dtype=np.int64))


def _boundaries(success: IntervalSet, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames at which success begins and ends within an episode, its first and last frame left out."""
    starts = [each.start for each in success if each.start > 0]
    stops = [each.stop for each in success if each.stop is not None and each.stop < length]
    return np.array(starts, dtype=np.int64), np.array(stops, dtype=np.int64)
