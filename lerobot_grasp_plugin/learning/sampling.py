"""Frames drawn so that failures and successes come up equally often."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import WeightedRandomSampler

from lerobot_grasp_plugin.learning.splits import class_weights, success_labels


def balanced_sampler(labels: Any, *, seed: int) -> WeightedRandomSampler:
    """A sampler for ``DataLoader(sampler=...)``; one pass draws as many frames as there are.

    Args:
        labels: As ``success_labels`` takes them, in the dataset's order.
        seed: The same seed gives the same draws, pass after pass.

    Raises:
        DatasetError: There are only failures, or only successes.
    """
    success = success_labels(labels)
    weights = class_weights(success)[success.long()].to(torch.float64)
    generator = torch.Generator().manual_seed(seed)
    return WeightedRandomSampler(weights.tolist(), len(weights), replacement=True, generator=generator)
