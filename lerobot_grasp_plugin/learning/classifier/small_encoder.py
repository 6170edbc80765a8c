"""Makes a small image encoder for machines without network, trained with the classifier."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

STAGES = (16, 32, 64, 128)
"""Channels of the four stages; the last has 4 x 4 cells for an image of 128 x 128."""

LEARNING_RATE = 1e-3
"""Of its weights, which begin at random; ``reward_model.learning_rate`` is the head's."""

_SHIFT, _ZOOM, _TURN = 0.1, 0.15, math.radians(8)  # share of the image's sides, share, radians
_CONTRAST, _BRIGHTNESS, _TINT = 0.2, 0.1, 0.05
_HIDDEN = 0.3  # sides of the square that is hidden in every other image, as a share of the image's


def make_small_encoder(folder: Path) -> None:
    """Writes a ``transformers`` ResNet with random weights, from torch's current seed.

    Args:
        folder: Becomes a folder for ``reward_model.model_name``.
    """
    transformers: Any = import_module("transformers")
    config = transformers.ResNetConfig(
        embedding_size=STAGES[0], hidden_sizes=list(STAGES), depths=[1] * len(STAGES), layer_type="basic"
    )
    transformers.ResNetModel(config).save_pretrained(folder)


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Varies images as other camera positions, lights and arms would.

    Each one is shifted, zoomed and turned a little, made lighter or darker and tinted, and of every other
    one a square is hidden, so that an encoder can learn neither the view nor a single detail by heart.

    Args:
        images: float32 in [0, 1], shape (batch, C, H, W).
        generator: Source of randomness.

    Returns:
        The same shape and range.
    """
    count, channels, height, width = images.shape

    def drawn(most: float, *shape: int) -> Tensor:
        return most * (2 * torch.rand((count, *shape), generator=generator) - 1)

    zoom, turn, aspect = 1 + drawn(_ZOOM), drawn(_TURN), width / height
    rows = [
        torch.stack([zoom * turn.cos(), -zoom * turn.sin() / aspect, drawn(2 * _SHIFT)], dim=1),
        torch.stack([zoom * turn.sin() * aspect, zoom * turn.cos(), drawn(2 * _SHIFT)], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    contrast = 1 + drawn(_CONTRAST, 1, 1, 1) + drawn(_TINT, channels, 1, 1)
    lit = ((moved - 0.5) * contrast + 0.5 + drawn(_BRIGHTNESS, 1, 1, 1)).clamp(0.0, 1.0)
    return lit * _shown(count, height, width, generator)


def _shown(count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """0 in the square that is hidden and 1 elsewhere, shape (count, 1, height, width)."""
    at = torch.rand((3, count, 1, 1), generator=generator)
    rows, columns = torch.arange(height).reshape(1, -1, 1), torch.arange(width).reshape(1, 1, -1)
    tall, wide = _HIDDEN * height, _HIDDEN * width
    top, left = at[0] * (height - tall), at[1] * (width - wide)
    inside = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)
    return (~(inside & (at[2] < 0.5))).to(torch.float32).unsqueeze(1)
