"""``random_ee_reset``: moves the arm to a random point of a box before each recorded episode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lerobot_grasp_plugin.merging.recipe import SO101_URDF
from lerobot_grasp_plugin.recording.hooks import HookConfig, HookResult, HookSession, RecordingHook
from lerobot_grasp_plugin.robots.ee_reset import NAME, EeReset, EeResetConfig, make_kinematics


@HookConfig.register_subclass(NAME)
@dataclass
class RandomEeResetConfig(EeResetConfig, HookConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Moves the gripper to a random point before each episode."""

    # the robot's URDF, a path or package://name/path (default: the SO101's)
    urdf_path: str = SO101_URDF
    # lower bound of targets along x, y and z, in metres
    workspace_min: list[float] = field(default_factory=lambda: [0.1, -0.2, 0.02])
    # upper bound of targets
    workspace_max: list[float] = field(default_factory=lambda: [0.35, 0.2, 0.3])

    def make(self) -> RecordingHook:
        """The hook."""
        return RandomEeReset(self, make_kinematics)


class RandomEeReset(RecordingHook):
    """Sends the gripper to its point before each episode.

    Args:
        config: The options.
        kinematics: As of ``EeReset``.

    Raises:
        UsageError: With all errors of the config.
    """

    def __init__(self, config: RandomEeResetConfig, kinematics: Callable[[str, str, list[str]], Any]) -> None:
        self._workspace = (config.workspace_min, config.workspace_max)
        self._reset = EeReset(config, kinematics)
        self._reset.check(self._workspace)
        self._record: dict[str, Any] = {}

    def session_started(self, session: HookSession) -> None:
        self._reset.connect(session.robot, session.fps, self._workspace)
        self._reset.skip(session.first_episode)
        self._session = session

    def reset(self, episode_index: int) -> None:
        """Go to the next point.

        Raises:
            DataError: The target cannot be reached, or was not reached in time.
        """
        record = self._record = self._reset.move()
        place, target = np.round(record["achieved"], 3), np.round(record["commanded"], 3)
        self._session.say(f"{NAME}: at {place}, {1000 * record['error_m']:.1f} mm from {target}")

    def episode_ended(self, length: int) -> HookResult:
        return HookResult(record=self._record)
