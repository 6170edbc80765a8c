"""Converts a policy's joint actions for the environment of LeRobot's actor."""

from __future__ import annotations

import functools
import sys
from typing import Any

from lerobot_grasp_plugin.lerobot_seams.access import current, replace

ENVIRONMENT = "lerobot.rl.gym_manipulator"
STEP = "RobotEnv.step"


def accept_policy_actions() -> None:
    """Lets ``RobotEnv.step`` take an action of shape (1, joints), as a policy gives it; once is enough.

    LeRobot takes the batch dimension off in its steps for inverse kinematics only. Without them, its
    actor ends in an IndexError as soon as the policy moves the arm. Actions of shape (joints,) are passed
    on as they are. Does nothing in a process that has not imported the environment.

    Raises:
        SeamError: The installed lerobot does not have the environment's ``step``.
    """
    if ENVIRONMENT not in sys.modules:
        return
    step = current(ENVIRONMENT, STEP)
    if hasattr(step, "__wrapped__"):
        return

    @functools.wraps(step)
    def unbatched(env: Any, action: Any) -> Any:
        return step(env, action[0] if action.ndim == 2 and len(action) == 1 else action)

    replace(ENVIRONMENT, STEP, unbatched)
