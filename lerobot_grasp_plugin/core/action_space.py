"""Actions and states of HIL-SERL: end-effector steps with a gripper command; joints and pose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

ActionSpace = Literal["joints", "ee_delta"]

DELTA_NAMES: Final = ("delta_x", "delta_y", "delta_z", "gripper")
"""Names of an action's dimensions, as in LeRobot's gamepad teleoperator."""


RAISE, STAY, LOWER = 0.0, 1.0, 2.0
"""Gripper commands as LeRobot's ``GripperVelocityToJoint`` carries them out: to the highest position, none,
to the lowest. On an SO101, whose 100 is open, ``RAISE`` opens and ``LOWER`` closes.
"""

POSE_NAMES: Final = ("ee.x", "ee.y", "ee.z", "ee.wx", "ee.wy", "ee.wz")
"""The end effector's pose in a full state, as ``ForwardKinematicsJointsToEEObservation`` names it."""

_PULLED: Final = 5.0
_MOVED: Final = 0.1


def full_state_names(joints: Sequence[str]) -> list[str]:
    """Names of a full state's dimensions: joint positions, joint velocities, end-effector pose."""
    return [*(f"{joint}.pos" for joint in joints), *(f"{joint}.vel" for joint in joints), *POSE_NAMES]


def joint_velocities(positions: NDArray[np.float32], fps: float) -> NDArray[np.float32]:
    """Joint velocities of one episode, as ``JointVelocityProcessorStep`` computes them.

    The first row has none.

    Args:
        positions: float32 (rows, joints).
        fps: Rows per second.
    """
    velocities = np.zeros_like(positions)
    velocities[1:] = np.diff(positions, axis=0) / np.float32(1.0 / fps)
    return velocities


def gripper_commands(goals: Sequence[float], measured: Sequence[float]) -> NDArray[np.float32]:
    """The gripper command of each row of one episode, float32 (rows,), from positions 0 to 100.

    LeRobot makes a goal of a command and the measured position: the highest, the same, the lowest. So the
    command is where the goal pulls the gripper: a gripper that a cube keeps from closing goes on closing. A
    slow movement, of which each row is small, is a command whenever its sum is not.

    Args:
        goals: Commanded position in each row.
        measured: Measured position at the time of the command.
    """
    commands = np.full(len(goals), STAY, dtype=np.float32)
    since = measured[0] if len(measured) else 0.0
    for row, (goal, position) in enumerate(zip(goals, measured, strict=True)):
        pull, moved = goal - position, goal - since
        if abs(pull) > _PULLED or (abs(moved) > _PULLED and abs(pull) > _MOVED and pull * moved > 0):
            commands[row] = RAISE if pull > 0 else LOWER
            since = goal
    return commands


def step_sizes(config: Any) -> NDArray[np.float64] | None:
    """Metres of one step along x, y and z, float64 (3,); None if the environment moves joints.

    Args:
        config: LeRobot's ``HILSerlRobotEnvConfig``.
    """
    kinematics = config.processor.inverse_kinematics
    if kinematics is None:
        return None
    sizes = kinematics.end_effector_step_sizes
    return np.array([float(sizes[axis]) for axis in "xyz"])
