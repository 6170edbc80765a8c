"""A small picture encoder for machines without network: made here, trained with the classifier."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

STAGES = (16, 32, 64, 128)
"""Channels of the four stages; the last has 4 x 4 cells for a picture of 128 x 128."""

LEARNING_RATE = 1e-3
"""Of its weights, which begin at random; ``reward_model.learning_rate`` is the head's."""

_SHIFT = 1 / 20  # of the picture's height and width
_CONTRAST, _BRIGHTNESS = 0.1, 0.05


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


def augmented(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures a little shifted, lighter or darker, so that an encoder cannot learn them by heart.

    Args:
        pictures: float32 in [0, 1], shape (batch, C, H, W).
        generator: Decides.

    Returns:
        The same shape and range.
    """
    height, width = pictures.shape[-2:]
    rows, columns = max(1, round(_SHIFT * height)), max(1, round(_SHIFT * width))
    padded = functional.pad(pictures, (columns, columns, rows, rows), mode="replicate")
    top = int(torch.randint(2 * rows + 1, (1,), generator=generator))
    left = int(torch.randint(2 * columns + 1, (1,), generator=generator))
    shifted = padded[..., top : top + height, left : left + width]
    size = (len(pictures), 1, 1, 1)
    contrast = 1 + _CONTRAST * (2 * torch.rand(size, generator=generator) - 1)
    brightness = _BRIGHTNESS * (2 * torch.rand(size, generator=generator) - 1)
    return (shifted * contrast + brightness).clamp(0.0, 1.0)
