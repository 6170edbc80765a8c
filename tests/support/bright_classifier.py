"""A reward classifier that calls what is bright success, made without training."""

from __future__ import annotations

from pathlib import Path

import torch
from lerobot.rewards.classifier import RewardClassifierConfig

from lerobot_grasp_plugin.learning.classifier.model import configured, make_classifier
from lerobot_grasp_plugin.learning.classifier.small_encoder import make_small_encoder


def bright_classifier(folder: Path, camera_key: str) -> Path:
    """Makes it in a folder; gives its ``pretrained_model``."""
    torch.manual_seed(5)
    make_small_encoder(folder / "encoder")
    config = RewardClassifierConfig(
        model_name=str(folder / "encoder"), hidden_dim=8, latent_dim=8, device="cpu"
    )
    model = make_classifier(configured(config, {camera_key: (3, 128, 128)}))
    last = [module for module in model.classifier_head.modules() if isinstance(module, torch.nn.Linear)][-1]
    with torch.inference_mode():
        dark, bright = (
            model.predict([torch.full((1, 3, 128, 128), level / 255)]).logits.item() for level in (40, 220)
        )
        gain = 8 / (bright - dark)
        last.weight.mul_(gain)
        last.bias.sub_((bright + dark) / 2).mul_(gain)
    model.save_pretrained(folder / "pretrained_model")
    return folder / "pretrained_model"
