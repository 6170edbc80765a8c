"""A classifier's verdicts as an annotation file: a draft for a person to look through.

Pure: numpy and ``core`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.annotations import (
    Annotations,
    AnnotationSection,
    EpisodeAnnotation,
    IndexBase,
)
from lerobot_grasp_plugin.core.grammar import format_text
from lerobot_grasp_plugin.core.grammar_ranges import format_range
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.words import agree, count

BASE: IndexBase = 1
"""Frame numbers in the draft count from 1, as the text form does when nothing else is said."""


@dataclass(frozen=True, slots=True)
class DraftEpisode:
    """What is proposed for an episode, and where the labels it has say otherwise.

    Attributes:
        episode_index: LeRobot's ``episode_index``, 0-based.
        length: Frames.
        success: Proposed success frames, 0-based and closed.
        missed: Frames labelled success that the draft calls failure; None without labels.
        added: Frames labelled failure that the draft calls success; None without labels.
    """

    episode_index: int
    length: int
    success: IntervalSet
    missed: IntervalSet | None = None
    added: IntervalSet | None = None

    @property
    def differing(self) -> int:
        """Frames on which draft and labels differ."""
        return sum(part.count(self.length) for part in (self.missed, self.added) if part is not None)


def success_ranges(
    probability: NDArray[np.floating[Any]], *, enter: float, leave: float, min_length: int
) -> IntervalSet:
    """Turns probabilities into success ranges that do not flicker.

    A range begins where the probability is over ``enter`` and ends where it is no longer over
    ``leave``. Then gaps of fewer than ``min_length`` frames between two ranges are closed, and after
    that ranges of fewer than ``min_length`` frames are dropped.

    Args:
        probability: Of success, shape (length,).
        enter: In [0, 1].
        leave: At most ``enter``.
        min_length: In frames, at least 1.

    Returns:
        Frames 0-based; ranges and the gaps between them are ``min_length`` long or longer.

    Raises:
        ValueError: ``leave`` is over ``enter``, or ``min_length`` is below 1.
    """
    if leave > enter or min_length < 1:
        raise ValueError(f"leave {leave} must be at most enter {enter}, min_length {min_length} at least 1")
    inside = np.zeros(len(probability), dtype=np.bool_)
    active = False
    for frame, value in enumerate(probability.tolist()):
        active = value > (leave if active else enter)
        inside[frame] = active
    joined: list[FrameInterval] = []
    for found in IntervalSet.from_mask(inside):
        if joined and found.start - _stop(joined[-1]) < min_length:
            joined[-1] = FrameInterval(joined[-1].start, found.stop)
        else:
            joined.append(found)
    return IntervalSet(item for item in joined if _stop(item) - item.start >= min_length)


def compare(
    episode_index: int, length: int, success: IntervalSet, label: NDArray[np.bool_] | None
) -> DraftEpisode:
    """Sets a draft beside the labels an episode has.

    Args:
        episode_index: LeRobot's ``episode_index``, 0-based.
        length: Frames.
        success: What the draft says.
        label: Whether each frame is labelled success, shape (length,); None without labels.
    """
    if label is None:
        return DraftEpisode(episode_index, length, success)
    labelled = IntervalSet.from_mask(label)
    return DraftEpisode(
        episode_index, length, success, labelled.difference(success), success.difference(labelled)
    )


def draft_text(episodes: Sequence[DraftEpisode], *, dataset: str, origin: str) -> str:
    """The draft in the text form, disagreements first (most frames first), as remarks.

    A range that reaches the last frame is written open (``34-``).

    Args:
        episodes: In any order; written by ascending ``episode_index``.
        dataset: For the section header: a path or a repo_id.
        origin: What made the draft, one line of several words.
    """
    section = AnnotationSection(
        dataset,
        tuple(
            EpisodeAnnotation(
                item.episode_index, tuple(_open_ended(item.success, item.length)), _remark(item) or None
            )
            for item in sorted(episodes, key=lambda item: item.episode_index)
        ),
        before=(
            f"# Draft made by {origin}",
            "# Look through it before it is used; frames count from one, both ends inclusive.",
            *disagreement_lines(episodes, prefix="# "),
            "",
        ),
    )
    return format_text(Annotations((section,), BASE, "draft"))


def disagreement_lines(episodes: Sequence[DraftEpisode], *, prefix: str = "") -> Iterator[str]:
    """Where draft and labels differ, one episode a line, most frames first."""
    labelled = [item for item in episodes if item.missed is not None]
    if not labelled:
        yield f"{prefix}There are no labels to compare with."
        return
    differing = sorted(
        (item for item in labelled if item.differing), key=lambda item: (-item.differing, item.episode_index)
    )
    frames = sum(item.differing for item in differing)
    if not differing:
        yield f"{prefix}Draft and labels agree on every frame of {count(len(labelled), 'episode')}."
        return
    yield (
        f"{prefix}Draft and labels disagree on {frames} of {sum(item.length for item in labelled)} frames, "
        f"in {len(differing)} of {count(len(labelled), 'episode')}:"
    )
    for item in differing:
        yield f"{prefix}  episode {item.episode_index:02d}: {_remark(item)}"


def _remark(item: DraftEpisode) -> str:
    parts = [
        f"{_spelled(part, item.length)} labelled {word}"
        for part, word in ((item.missed, "success"), (item.added, "failure"))
        if part
    ]
    return (
        f"{count(item.differing, 'frame')} {agree(item.differing, 'differs', 'differ')}: {', '.join(parts)}"
        if parts
        else ""
    )


def _spelled(frames: IntervalSet, length: int) -> str:
    return " and ".join(format_range(interval, BASE) for interval in frames.clip(length))


def _open_ended(success: IntervalSet, length: int) -> Iterator[FrameInterval]:
    for interval in success:
        yield FrameInterval(interval.start, None) if interval.stop == length else interval


def _stop(interval: FrameInterval) -> int:
    assert interval.stop is not None  # ranges of a mask are closed
    return interval.stop
