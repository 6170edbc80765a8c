"""Compares the gripper's position after a reset, by LeRobot's kinematics, with the workspace."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.dataset.installed_files import installed_file
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.preflight.checks.workspace import BOUNDS, RESET
from lerobot_grasp_plugin.preflight.config_view import is_file, named_path, numbers_of
from lerobot_grasp_plugin.preflight.facts import SO_ARMS, SO_JOINTS, SO_MOTORS, Facts

_KINEMATICS = "env.processor.inverse_kinematics"
_SLACK_M = 0.01


def check_reset_reach(facts: Facts) -> Iterator[Problem]:
    """LeRobot clips the first step after a reset to the bounds, however far away they are."""
    config = facts.config
    pose, urdf = numbers_of(config.get(RESET)), config.text(f"{_KINEMATICS}.urdf_path")
    low, high = (numbers_of(config.get(f"{BOUNDS}.{name}")) for name in ("min", "max"))
    frame = config.text(f"{_KINEMATICS}.target_frame_name")
    if config.text("env.robot.type") not in SO_ARMS or pose is None or len(pose) != SO_MOTORS:
        return
    if config.get("env.robot.random_ee_reset") is not None:  # from the pose the gripper goes to its point
        return
    if urdf is None or frame is None or low is None or high is None or not len(low) == len(high) == 3:
        return
    try:
        path = named_path(installed_file(urdf, f"{_KINEMATICS}.urdf_path"))
        if not is_file(path):
            return
        from lerobot.model.kinematics import RobotKinematics

        kinematics = RobotKinematics(str(path), frame, list(SO_JOINTS))
        place = np.asarray(kinematics.forward_kinematics(np.array(pose)))[:3, 3]
    except (ImportError, UsageError, RuntimeError, ValueError, KeyError):  # other checks name what is missing
        return
    outside = float(np.linalg.norm(place - np.clip(place, low, high)))
    if outside > _SLACK_M:
        shown = ", ".join(f"{value:.3f}" for value in place)
        message = f"the gripper is then at {shown} m, {1000 * outside:.0f} mm outside end_effector_bounds"
        message += ": the first step jumps to the bounds (LeRobot itself stops with EE jump)"
        change = "reset to a pose within the bounds, or set env.robot.random_ee_reset"
        yield Problem("reset-outside", message, RESET, change)
