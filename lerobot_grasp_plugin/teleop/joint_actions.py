"""A policy's joint actions, made fit for the environment of LeRobot's actor."""

from __future__ import annotations

import functools
import sys
from typing import Any

ENVIRONMENT = "lerobot.rl.gym_manipulator"


def accept_policy_actions() -> None:
    """Lets ``RobotEnv.step`` take an action of shape (1, joints), as a policy gives it; once is enough.

    LeRobot takes the batch dimension off in its steps for inverse kinematics only. Without them, its
    actor ends in an IndexError as soon as the policy moves the arm. Actions of shape (joints,) are passed
    on as they are. Nothing is done in a process that has not loaded the environment.
    """
    environment: Any = getattr(sys.modules.get(ENVIRONMENT), "RobotEnv", None)
    if environment is None or hasattr(environment.step, "__wrapped__"):
        return
    step = environment.step

    @functools.wraps(step)
    def unbatched(env: Any, action: Any) -> Any:
        return step(env, action[0] if action.ndim == 2 and len(action) == 1 else action)

    environment.step = unbatched
