"""Resets to a random point in LeRobot's HIL-SERL environment, and records it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.lerobot_seams.dataset_watch import start_watch, stop_watch
from lerobot_grasp_plugin.lerobot_seams.environment import (
    EnvironmentListener,
    follow_environment,
    leave_environment,
)
from lerobot_grasp_plugin.lerobot_seams.recorded_environment import update_recording
from lerobot_grasp_plugin.robots.ee_reset import NAME, EeReset, EeResetConfig

logger = logging.getLogger(__name__)

POSE = "env.processor.reset.fixed_reset_joint_positions"


class EnvironmentReset(EnvironmentListener):
    """Moves the gripper to its point at each reset of LeRobot's environment.

    If the environment has ``fixed_reset_joint_positions``, the arm moves there first, then to the point.
    The record of a recorded episode goes into ``meta/grasp_recording.json``.
    """

    def __init__(
        self, robot: Any, config: EeResetConfig, fps: float, wait: Callable[[float], None] = time.sleep
    ) -> None:
        """Args:
        robot: LeRobot's robot, whose environment is reset.
        config: The settings.
        fps: Actions per second during the move.
        wait: Lets seconds pass.
        """
        self._robot = robot
        self._config = config
        self._fps = fps
        self._wait = wait
        self._reset: EeReset | None = None
        self._pose: dict[str, float] | None = None
        self._record: dict[str, Any] = {}

    def follow(self) -> None:
        """Start, when the robot is connected."""
        follow_environment(self)
        start_watch(self)

    def leave(self) -> None:
        """End, when the robot is disconnected."""
        stop_watch(self)
        leave_environment(self)
        self._reset = None

    def environment_built(self, env: Any, config: Any, env_processor: Any, action_processor: Any) -> None:
        if env.robot is not self._robot:
            return
        kinematics = config.processor.inverse_kinematics
        own, workspace = self._config, None
        if kinematics is not None:
            own = replace(
                own,
                urdf_path=own.urdf_path or str(kinematics.urdf_path),
                target_frame=own.target_frame or str(kinematics.target_frame_name),
            )
            bounds = kinematics.end_effector_bounds
            workspace = (bounds["min"], bounds["max"])
        reset = EeReset(own)
        reset.connect(self._robot, self._fps, workspace, self._wait)
        self._pose = _pose(env)
        env.reset_pose = None  # the arm goes there on its way to the point
        self._reset = reset

    def episode_starts(self, env: Any) -> None:
        if env.robot is not self._robot or self._reset is None:
            return
        record = self._record = self._reset.move(self._pose)
        place = ", ".join(f"{value:.3f}" for value in record["achieved"])
        logger.info("%s: gripper at %s, %.1f mm from its target", NAME, place, 1000 * record["error_m"])

    def notes(self) -> Mapping[str, Any]:
        return {NAME: self._record} if self._record else {}

    def frame_added(self, dataset: Any, frame: dict[str, Any]) -> None:
        """A frame has no record of its own."""

    def frame_held(self, dataset: Any) -> None:
        """No frame, no record."""

    def frames_kept(self, dataset: Any, start: int, stop: int) -> None:
        """Trimming does not concern the record."""

    def episode_saved(self, dataset: Any, episode_index: int) -> None:
        """Keep the record as ``lerobot-grasp-record`` keeps that of its hook."""
        if self._record:
            _keep(Path(dataset.root), episode_index, self._record)

    def episode_discarded(self, dataset: Any) -> None:
        """The next episode has its own reset."""


def _pose(env: Any) -> dict[str, float] | None:
    """The reset pose of an environment, by joint.

    Raises:
        UsageError: Its number of values differs from the number of motors.
    """
    if env.reset_pose is None:
        return None
    motors, values = list(env.robot.bus.motors), [float(value) for value in env.reset_pose]
    if len(values) != len(motors):
        message = (
            f"expected one value for each of {len(motors)} motors ({', '.join(motors)}), not "
            f"{len(values)} values"
        )
        raise UsageError(Problem("reset-pose", message, POSE, "use the robot's units"))
    return dict(zip(motors, values, strict=True))


def _keep(root: Path, episode_index: int, record: dict[str, Any]) -> None:
    def change(raw: dict[str, Any]) -> None:
        entry = raw.setdefault("episodes", {}).setdefault(str(episode_index), {})
        entry.setdefault("hooks", {})[NAME] = record

    update_recording(root, change)
