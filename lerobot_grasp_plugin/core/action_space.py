"""What an action of HIL-SERL is: steps of the gripper along x, y and z, and a discrete gripper command."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

ActionSpace = Literal["joints", "ee_delta"]

DELTA_NAMES: Final = ("delta_x", "delta_y", "delta_z", "gripper")
"""Names of an action's dimensions, as LeRobot's gamepad teleoperator has them."""


def step_sizes(config: Any) -> NDArray[np.float64] | None:
    """Metres of one step along x, y and z, float64 (3,); None where the environment moves joints.

    Args:
        config: LeRobot's ``HILSerlRobotEnvConfig``.
    """
    kinematics = config.processor.inverse_kinematics
    if kinematics is None:
        return None
    sizes = kinematics.end_effector_step_sizes
    return np.array([float(sizes[axis]) for axis in "xyz"])
