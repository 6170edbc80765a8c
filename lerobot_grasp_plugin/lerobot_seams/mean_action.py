"""The action that LeRobot's policy of HIL-SERL takes without exploring."""

from __future__ import annotations

from typing import Any

import torch

POLICY = "lerobot.policies.gaussian_actor.modeling_gaussian_actor"
SELECT = "GaussianActorPolicy.select_action"


def mean_action(policy: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """What ``GaussianActorPolicy.select_action`` gives, with the mean in place of a sample.

    Args:
        policy: LeRobot's ``GaussianActorPolicy``.
        batch: Observations by name, normalised.

    Returns:
        The mean of the continuous action, in [-1, 1], and after it the gripper command with the highest value
        where the policy has gripper commands; shape (batch, values).
    """
    features = None
    if policy.shared_encoder and policy.actor.encoder.has_images:
        features = policy.actor.encoder.get_cached_image_features(batch)
    _, _, mean = policy.actor(batch, features)
    action = torch.tanh(mean)
    if policy.config.num_discrete_actions is None:
        return action
    command = torch.argmax(policy.discrete_critic(batch, features), dim=-1, keepdim=True)
    return torch.cat([action, command.to(action.dtype)], dim=-1)
