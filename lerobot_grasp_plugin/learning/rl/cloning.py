"""Behaviour cloning of the policy on the offline buffer, before reinforcement learning starts."""

from __future__ import annotations

import logging
from typing import Any

import torch
import torch.nn.functional as functional
from lerobot.rl.trainer import preprocess_rl_batch

logger = logging.getLogger(__name__)

LEARNING_RATE = 1e-3
MARGIN = 0.1
"""How much more the person's gripper command is to be worth than any other, in units of reward."""

_LOGGED = 100


def clone_demonstrations(
    policy: Any, buffer: Any, preprocessor: Any, *, steps: int, batch_size: int
) -> float:
    """Train actor, encoder and gripper critic to do what the offline buffer's actions did.

    The continuous action's mean is regressed on the recorded one. The gripper command's value is raised above
    that of the others by ``MARGIN`` (Hester et al. 2018, Deep Q-learning from Demonstrations): a value that
    learning by reward can go on with.

    Args:
        policy: LeRobot's ``GaussianActorPolicy``; changed in place.
        buffer: LeRobot's ``ReplayBuffer`` of demonstrations.
        preprocessor: The policy's, which normalises observations.
        steps: Batches.
        batch_size: Transitions of a batch.

    Returns:
        The mean loss of the last batches.
    """
    optimizer = torch.optim.Adam(policy.parameters(), lr=LEARNING_RATE)
    shared, policy.actor.encoder_is_shared = (
        policy.actor.encoder_is_shared,
        False,
    )  # gradients reach the encoder
    losses: list[float] = []
    try:
        for step in range(1, steps + 1):
            batch = preprocess_rl_batch(preprocessor, buffer.sample(batch_size))
            loss = _loss(policy, batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
            losses.append(float(loss.detach()))
            if step % _LOGGED == 0 or step == steps:
                recent = sum(losses[-_LOGGED:]) / len(losses[-_LOGGED:])
                logger.info("Behaviour cloning: step %d of %d, loss %.4f", step, steps, recent)
    finally:
        policy.actor.encoder_is_shared = shared
    return sum(losses[-_LOGGED:]) / max(1, len(losses[-_LOGGED:]))


def _loss(policy: Any, batch: dict[str, Any]) -> torch.Tensor:
    state, action = batch["state"], batch["action"]
    width = policy.actor.action_dim
    _, _, mean = policy.actor(state, None)
    loss = functional.mse_loss(torch.tanh(mean), action[:, :width].clamp(-1.0, 1.0))
    if policy.discrete_critic is not None:
        command = action[:, width].round().long().clamp(0, policy.discrete_critic.output_dim - 1)
        values = policy.discrete_critic(state, None)
        margin = torch.full_like(values, MARGIN).scatter(1, command[:, None], 0.0)
        chosen = values.gather(1, command[:, None]).squeeze(1)
        loss = loss + ((values + margin).max(dim=1).values - chosen).mean()
    return loss
