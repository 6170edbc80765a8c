"""Labeler ``gripper``: success by the gripper's signal, while it holds something or after it lets go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.gripper import (
    Suggestion,
    gripper_dimension,
    suggest_release,
    suggest_success,
)
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.labelers.labeler import Episode, LabelerConfig, Proposal

if TYPE_CHECKING:
    from lerobot_grasp_plugin.merging.sources import Source

STATE, ACTION = "observation.state", "action"


@LabelerConfig.register_subclass("gripper")
@dataclass
class GripperLabelerConfig(LabelerConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Proposes success by the gripper's signal."""

    # success is: held (an object keeps the gripper from closing), let_go (it held something and opened), auto
    # (let_go for a signal with two values, which is only a command, else held)
    reading: Literal["auto", "held", "let_go"] = "auto"
    # the gripper's name in observation.state and action, or its index from 0 if they have no names
    # (default: the only gripper or jaw)
    joint: str | None = None
    # its position when closed on nothing (default: the lowest of the episode)
    closed: float | None = None
    # its position when wide open (default: the farthest from closed in the episode)
    opened: float | None = None

    def make(self, source: Source) -> GripperLabeler:
        """The labeler."""
        return GripperLabeler(self)


class GripperLabeler:
    """Reads the gripper's position and command."""

    def __init__(self, config: GripperLabelerConfig) -> None:
        self._config = config

    def propose(self, episode: Episode) -> Proposal:
        state, action = (self._signal(episode, column) for column in (STATE, ACTION))
        position = action if state is None else state
        if position is None:
            name = self._config.joint or "gripper"
            return Proposal(None, f"neither state nor action has a dimension {name}")
        if not np.isfinite(position).all():
            return Proposal(None, "the gripper's signal has values that are not finite")
        found = self._suggestion(position, None if state is None else action, episode.fps)
        return Proposal(IntervalSet(found.intervals) if found.decided else None, found.reason)

    def _suggestion(self, position: NDArray[Any], command: NDArray[Any] | None, fps: float) -> Suggestion:
        config = self._config
        is_command = len(np.unique(position)) == 2
        if is_command and config.reading != "held":
            return suggest_release(position, fps=fps)
        held = suggest_success(position, command=command, closed=config.closed, opened=config.opened, fps=fps)
        if config.reading != "let_go" or not held.intervals:
            return held
        stop = held.intervals[-1].stop
        if stop is None or stop >= len(position):
            return Suggestion(reason="the gripper holds something to the end and does not let go")
        doubt = "valid if success means putting the object down; its place is unknown"
        return Suggestion((FrameInterval(stop, None),), doubt)

    def _signal(self, episode: Episode, column: str) -> NDArray[Any] | None:
        if column not in episode.features:
            return None
        names, joint = episode.features[column].dimensions, self._config.joint
        place = gripper_dimension(names)
        if joint is not None and names:
            place = names.index(joint) if joint in names else None
        elif joint is not None and joint.isdecimal():
            place = int(joint)
        values = episode.values(column)
        if place is None or values is None:
            return None
        values = values.reshape(len(values), -1)
        return values[:, place] if place < values.shape[1] else None
