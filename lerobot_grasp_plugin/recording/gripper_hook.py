"""``gripper_events``: suggests success while an object keeps the gripper from closing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lerobot_grasp_plugin.core.gripper import suggest_success
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.recording.hooks import HookConfig, HookResult, HookSession, RecordingHook

STATE, ACTION = "observation.state", "action"


@HookConfig.register_subclass("gripper_events")
@dataclass
class GripperEventsConfig(HookConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Suggests success by the gripper's signal."""

    # the gripper's name in observation.state and action
    joint: str = "gripper.pos"
    # its position when shut on nothing
    closed: float = 0.0
    # its position when wide open
    opened: float = 100.0

    def make(self) -> RecordingHook:
        """The hook."""
        return GripperEvents(self)


class GripperEvents(RecordingHook):
    """Collects gripper positions and goals, and suggests when the episode is over."""

    def __init__(self, config: GripperEventsConfig) -> None:
        self._config = config
        self._position: list[float] = []
        self._goal: list[float] = []

    def session_started(self, session: HookSession) -> None:
        self._fps = session.fps
        self._state_at = _index(session, STATE, self._config.joint)
        self._action_at = _index(session, ACTION, self._config.joint)

    def episode_started(self, episode_index: int) -> None:
        self._position, self._goal = [], []

    def frame(self, frame_index: int, frame: Mapping[str, Any]) -> None:
        self._position.append(float(frame[STATE][self._state_at]))
        self._goal.append(float(frame[ACTION][self._action_at]))

    def episode_ended(self, length: int) -> HookResult:
        found = suggest_success(
            np.array(self._position),
            command=np.array(self._goal),
            closed=self._config.closed,
            opened=self._config.opened,
            fps=self._fps,
        )
        record = {"reason": found.reason} if found.reason else {}
        return HookResult(record=record, suggestion=IntervalSet(found.intervals))


def _index(session: HookSession, feature: str, joint: str) -> int:
    names = list(session.features.get(feature, {}).get("names") or [])
    if joint not in names:
        message = f"gripper_events: {feature} has no {joint!r}"
        raise UsageError(Problem("unknown-joints", message, hint=f"it has {', '.join(map(str, names))}"))
    return names.index(joint)
