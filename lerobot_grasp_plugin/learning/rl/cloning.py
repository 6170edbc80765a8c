"""Trains the policy by behaviour cloning on the offline buffer, before and during reinforcement learning."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as functional
from lerobot.rl.trainer import preprocess_rl_batch

logger = logging.getLogger(__name__)

WARM_LEARNING_RATE = 1e-3
"""Of the batches before reinforcement learning; later ones take the actor's."""

MARGIN = 0.1
"""How much more the person's gripper command is to be worth than any other, in units of reward."""

_LOGGED = 100


class Cloning:
    """Trains actor, encoder and gripper critic to do what the offline buffer's actions did.

    The continuous action's mean is regressed on the recorded one, and so is a sampled action, which makes the
    policy's standard deviation small: the actor explores near what was demonstrated. The gripper command's
    value is raised above that of the others by ``MARGIN`` (Hester et al. 2018, Deep Q-learning from
    Demonstrations): a value that learning by reward can go on with.
    """

    def __init__(
        self, policy: Any, buffer: Any, preprocessor: Any, *, batch_size: int, learning_rate: float
    ) -> None:
        """Args:
        policy: LeRobot's ``GaussianActorPolicy``; changed in place.
        buffer: LeRobot's ``ReplayBuffer`` of demonstrations and interventions.
        preprocessor: The policy's, which normalises observations.
        batch_size: Transitions of a batch.
        learning_rate: Of Adam.
        """
        self._policy = policy
        self._buffer = buffer
        self._preprocessor = preprocessor
        self._batch_size = batch_size
        self._optimizer = torch.optim.Adam(policy.parameters(), lr=learning_rate)

    def step(self) -> float:
        """One batch; returns its loss."""
        actor = self._policy.actor
        batch = preprocess_rl_batch(self._preprocessor, self._buffer.sample(self._batch_size))
        is_shared, actor.encoder_is_shared = actor.encoder_is_shared, False  # gradients reach the encoder
        try:
            loss = _loss(self._policy, batch)
        finally:
            actor.encoder_is_shared = is_shared
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._optimizer.step()
        return float(loss.detach())

    def run(self, steps: int, ends: Callable[[], bool] = lambda: False) -> float:
        """Train on batches in a row.

        Args:
            steps: How many.
            ends: Asked before each batch; true ends it early.

        Returns:
            The mean loss of the last batches.
        """
        losses: deque[float] = deque(maxlen=_LOGGED)
        for step in range(1, steps + 1):
            if ends():
                logger.info("Behaviour cloning ends at step %d of %d", step - 1, steps)
                break
            losses.append(self.step())
            if step % _LOGGED == 0 or step == steps:
                mean = sum(losses) / len(losses)
                logger.info("Behaviour cloning: step %d of %d, loss %.4f", step, steps, mean)
        return sum(losses) / max(1, len(losses))


class CloningTrainer:
    """LeRobot's ``RLTrainer``, and after each of its steps batches of behaviour cloning."""

    def __init__(self, trainer: Any, cloning: Cloning, ratio: float) -> None:
        """Args:
        trainer: LeRobot's.
        cloning: On the trainer's policy and its offline buffer.
        ratio: Batches of behaviour cloning for one step; a fraction adds up over the steps.
        """
        self._trainer = trainer
        self._cloning = cloning
        self._ratio = ratio
        self._due = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trainer, name)

    def training_step(self) -> Any:
        """LeRobot's statistics of its step, with ``loss_bc`` where a batch was due."""
        stats = self._trainer.training_step()
        self._due += self._ratio
        while self._due >= 1.0:
            self._due -= 1.0
            stats.losses["loss_bc"] = self._cloning.step()
        return stats


def _loss(policy: Any, batch: dict[str, Any]) -> torch.Tensor:
    state, action = batch["state"], batch["action"]
    width = policy.actor.action_dim
    features = _image_features(policy, state)
    sampled, _, mean = policy.actor(state, features)
    recorded = action[:, :width].clamp(-1.0, 1.0)
    loss = functional.mse_loss(torch.tanh(mean), recorded) + functional.mse_loss(sampled, recorded)
    if policy.discrete_critic is not None:
        command = action[:, width].round().long().clamp(0, policy.discrete_critic.output_dim - 1)
        values = policy.discrete_critic(state, features)
        margin = torch.full_like(values, MARGIN).scatter(1, command[:, None], 0.0)
        chosen = values.gather(1, command[:, None]).squeeze(1)
        loss = loss + ((values + margin).max(dim=1).values - chosen).mean()
    return loss


def _image_features(policy: Any, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
    """What both heads see of the images, computed once where they share an encoder."""
    encoder = policy.actor.encoder
    if (
        not encoder.has_images
        or policy.discrete_critic is None
        or policy.discrete_critic.encoder is not encoder
    ):
        return None
    features: dict[str, torch.Tensor] = encoder.get_cached_image_features(state)
    return features
