"""The end effector's pose as the last values of ``observation.state``.

With ``add_ee_pose_to_observation`` LeRobot computes the pose, and leaves it out of the state that policies
and recordings get.
"""

from typing import Any

import torch
from lerobot.processor import ObservationProcessorStep
from lerobot.robots.so_follower.robot_kinematic_processor import ForwardKinematicsJointsToEEObservation

from lerobot_grasp_plugin.core.action_space import POSE_NAMES

_STATE = "observation.state"


class PoseInState(ObservationProcessorStep):  # type: ignore[misc]  # lerobot is not typed
    """Appends ``POSE_NAMES`` of an observation to its state."""

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        state = observation[_STATE]
        pose = torch.tensor(
            [[observation[name] for name in POSE_NAMES]], dtype=state.dtype, device=state.device
        )
        return {**observation, _STATE: torch.cat([state, pose], dim=-1)}

    def transform_features(self, features: dict[Any, Any]) -> dict[Any, Any]:
        return features


def put_pose_in_state(env_processor: Any) -> None:
    """Appends the pose after the step of LeRobot that computes it, if there is one; once is enough."""
    steps = list(env_processor.steps)
    computing = [
        number
        for number, step in enumerate(steps)
        if isinstance(step, ForwardKinematicsJointsToEEObservation)
    ]
    if computing and not any(isinstance(step, PoseInState) for step in steps):
        steps.insert(computing[-1] + 1, PoseInState())
        env_processor.steps = steps
