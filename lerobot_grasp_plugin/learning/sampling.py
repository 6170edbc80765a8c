"""Frames drawn so that failures and successes come up equally often."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import WeightedRandomSampler

from lerobot_grasp_plugin.learning.splits import SUCCESS_ABOVE, class_weights


def balanced_sampler(rewards: Any, *, seed: int) -> WeightedRandomSampler:
    """A sampler for ``DataLoader(sampler=...)``; one pass draws as many frames as there are.

    Args:
        rewards: ``next.reward`` of each frame, in the dataset's order.
        seed: The same seed gives the same draws, pass after pass.

    Raises:
        DatasetError: There are only failures, or only successes.
    """
    success = torch.as_tensor(rewards).reshape(-1) > SUCCESS_ABOVE
    weights = class_weights(rewards)[success.long()].to(torch.float64)
    generator = torch.Generator().manual_seed(seed)
    return WeightedRandomSampler(weights.tolist(), len(weights), replacement=True, generator=generator)
