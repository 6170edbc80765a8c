"""One edit of an episode's success frames, as a tab of the page sends it, and how it can be refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.merging.label_text import Ranges


class OvertakenError(Exception):
    """The episode's labels differ from those that the change was based on."""


@dataclass(frozen=True, slots=True)
class Change:
    """One edit.

    Args:
        tab: Name of the tab that made it.
        number: Its number among the changes of that tab; numbers increase.
        episode: ``episode_index``.
        before: The ranges it is based on, 0-based half-open; empty for all failure, None for unlabelled.
        after: The new ranges, in the same form.
    """

    tab: str
    number: int
    episode: int
    before: Sequence[FrameInterval] | None
    after: Sequence[FrameInterval] | None


def fitted(ranges: Sequence[FrameInterval] | None, length: int) -> Ranges | None:
    """Ranges in order; one that reaches the episode's end is open, as a person writes it.

    Raises:
        ValueError: They overlap, or exceed an episode of ``length`` frames.
    """
    if ranges is None:
        return None
    success = IntervalSet(ranges)
    if any(item.start >= length or (item.stop or 0) > length for item in success):
        raise ValueError(f"a range does not fit an episode of {length} frames")
    return tuple(FrameInterval(item.start, None) if item.stop == length else item for item in success)
