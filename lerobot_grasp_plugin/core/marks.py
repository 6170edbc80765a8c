"""Turns marks set by key during a recording into success frames.

Frames are 0-based. A mark set while frame ``k`` is about to be recorded counts from frame
``k - lag``: a hand is slower than what the eye has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet

MarkAction = Literal["toggle", "fail_rest", "undo"]


@dataclass(frozen=True, slots=True)
class MarkEvent:
    """One key press, whether or not it changed anything.

    Attributes:
        action: The requested action.
        frame_index: The frame that was about to be recorded.
        time_s: Seconds since the episode began.
        from_frame: The frame the mark counts from, after the lag.
        success: Whether frames from there on are success.
        changed: False when there was nothing to undo, or the rest was marked failure before.
    """

    action: MarkAction
    frame_index: int
    time_s: float
    from_frame: int
    success: bool
    changed: bool


class Marks:
    """The marks of one episode.

    Args:
        lag: Frames by which a mark counts earlier.
    """

    def __init__(self, lag: int = 0) -> None:
        if lag < 0:
            raise ValueError(f"lag must be 0 or more, got {lag}")
        self._lag = lag
        self._kept: list[tuple[MarkAction, int]] = []
        self.events: list[MarkEvent] = []

    @property
    def active(self) -> bool:
        """Whether the frame that comes next is success, as far as is known now."""
        return not self._closed and len(self._kept) % 2 == 1

    @property
    def _closed(self) -> bool:
        return bool(self._kept) and self._kept[-1][0] == "fail_rest"

    def press(self, action: MarkAction, frame_index: int, time_s: float) -> MarkEvent:
        """Applies a key press.

        ``toggle`` begins or ends a success range; ``fail_rest`` ends it for good; ``undo`` reverts
        the last of these.
        """
        from_frame = max(0, frame_index - self._lag)
        if action == "undo":
            changed = bool(self._kept)
            if changed:
                from_frame = self._kept.pop()[1]
        else:
            changed = not self._closed
            if changed:
                self._kept.append((action, from_frame))
        event = MarkEvent(action, frame_index, time_s, from_frame, self.active, changed)
        self.events.append(event)
        return event

    def success(self, length: int) -> IntervalSet:
        """The success frames of an episode of ``length`` frames; every end is closed."""
        ranges: list[FrameInterval] = []
        start: int | None = None
        for action, frame in [*self._kept, ("fail_rest", length)]:
            if start is not None:
                if frame > start:
                    ranges.append(FrameInterval(start, frame))
                start = None
            elif action == "toggle":
                start = frame
        return IntervalSet(ranges).clip(length)
