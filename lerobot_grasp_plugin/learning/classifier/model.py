"""Makes LeRobot's reward classifier, runs its frozen and trained parts, and loads checkpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature
from lerobot.configs.rewards import RewardModelConfig
from lerobot.rewards.classifier import Classifier, RewardClassifierConfig
from safetensors.torch import load_model
from torch import Tensor, nn

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, UsageError
from lerobot_grasp_plugin.learning.classifier.options import check_checkpoint
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.quiet import hide_progress_bars, shared_counters_unsaid
from lerobot_grasp_plugin.lerobot_seams.access import require

RECORD = "grasp_classifier.json"
"""The file next to ``config.json`` for values that LeRobot's files do not have."""
ENCODER = "encoder"
TYPE = "reward_classifier"
_MAP = (4, 4)  # cells of the encoder's last map, fixed in LeRobot's Classifier._create_single_encoder


def configured(
    config: RewardClassifierConfig, shapes: Mapping[str, tuple[int, int, int]]
) -> RewardClassifierConfig:
    """The configuration of a classifier with these cameras.

    Images are not normalised: LeRobot's ``RewardClassifierProcessorStep`` never runs the saved
    normaliser, so the only one that means the same there and here is the identity.

    Args:
        config: As given by the user.
        shapes: camera_key -> (C, H, W) after the preprocessing.
    """
    features = {key: PolicyFeature(FeatureType.VISUAL, shape) for key, shape in shapes.items()}
    return replace(
        config,
        input_features=features,
        output_features={layout.REWARD: PolicyFeature(FeatureType.REWARD, (1,))},
        num_cameras=len(shapes),
        normalization_mapping={"VISUAL": NormalizationMode.IDENTITY},
    )


def make_classifier(config: RewardClassifierConfig) -> Classifier:
    """A classifier with the encoder that ``model_name`` names, and a new head from torch's seed.

    Raises:
        UsageError: The encoder does not exist, or its map does not fit LeRobot's head.
    """
    require("classifier")
    hide_progress_bars()
    try:
        model = Classifier(config)
    except (OSError, ValueError) as error:
        raise _no_encoder(config.model_name, error) from error
    model.to(config.device)
    model.eval()
    for key, feature in config.input_features.items():
        image = torch.zeros((1, *feature.shape), device=config.device)
        encoded = encode(model, key, image)
        if model.is_cnn and tuple(encoded.shape[2:]) != _MAP:
            cells = " x ".join(str(size) for size in encoded.shape[2:])
            size = " x ".join(str(size) for size in feature.shape[1:])
            message = (
                f"the encoder makes {cells} cells of {key!r} at {size} pixels, but LeRobot's head needs 4 x 4"
            )
            hint = "most encoders make these at 128 x 128 (image_preprocessing.resize_size)"
            raise UsageError(Problem("wrong-map", message, hint=hint))
    return model


def load_classifier(folder: Path) -> Classifier:
    """A checkpoint as the environment's processor loads it, ready to predict.

    A moved checkpoint finds the encoder next to it.

    Raises:
        UsageError: The folder is not a checkpoint of LeRobot's reward classifier, or has no encoder.
    """
    require("classifier")
    hide_progress_bars()
    check_checkpoint(folder)
    named = read_json(folder / "config.json")
    kind = named.get("type") if isinstance(named, dict) else None
    if kind != TYPE:
        found = f"a checkpoint of type {kind!r}" if isinstance(kind, str) else "a checkpoint without a type"
        message, hint = (
            f"the folder contains {found}, not a {TYPE}",
            "train one with lerobot-grasp-train-classifier",
        )
        raise UsageError(Problem("unsupported-model", message, folder, hint))
    try:
        config = RewardModelConfig.from_pretrained(folder)
    except Exception as error:  # draccus raises classes of many trees
        message = f"config.json cannot be read: {error}"
        raise UsageError(Problem("no-checkpoint", message, folder)) from error
    if config.num_classes != 2:
        message = f"it has {config.num_classes} classes, but frames are success or failure"
        raise UsageError(Problem("unsupported-model", message, folder))
    if not Path(config.model_name).is_dir() and (folder / ENCODER).is_dir():
        config.model_name = str((folder / ENCODER).resolve())
    try:
        with shared_counters_unsaid():
            model = Classifier.from_pretrained(folder, config=config)
        missing, _ = load_model(model, folder / "model.safetensors", strict=False)
    except (OSError, ValueError) as error:
        raise _no_encoder(config.model_name, error) from error
    except ImportError:
        raise
    except Exception as error:  # safetensors and torch have classes of their own for what does not fit
        message = f"model.safetensors cannot be loaded: {' '.join(str(error).split())}"
        raise UsageError(Problem("no-checkpoint", message, folder)) from error
    if missing:  # LeRobot only logs it, and continues with random weights
        message = f"model.safetensors has no {min(missing)}, which config.json needs"
        raise UsageError(
            Problem("no-checkpoint", message, folder, "the two files are of different trainings")
        )
    return model


def encode(model: Classifier, camera_key: str, images: Tensor) -> Tensor:
    """The part that LeRobot freezes.

    Args:
        model: The classifier; in evaluation mode the result depends on each image alone.
        camera_key: Which camera the images are from.
        images: float32 in [0, 1], shape (batch, C, H, W).

    Returns:
        The encoder's last map, shape (batch, channels, 4, 4); of a transformer the first token,
        shape (batch, channels).
    """
    if model.is_cnn:
        encoded: Tensor = model.encoders[camera_key.replace(".", "_")][0](images).last_hidden_state
        return encoded
    token: Tensor = model.encoder(images).last_hidden_state[:, 0, :]
    return token


def logits(model: Classifier, encoded: Mapping[str, Tensor]) -> Tensor:
    """What LeRobot's ``Classifier.predict`` computes behind the encoder, with gradients.

    ``predict`` has the spatial embeddings, which are trainable and not the encoder's, under
    ``no_grad``; here they learn.

    Args:
        model: The classifier.
        encoded: camera_key -> what ``encode`` gave, in the order of the model's cameras.

    Returns:
        Shape (batch,).
    """
    parts = []
    for camera_key, features in encoded.items():
        part = features
        if model.is_cnn:
            spatial, *rest = list(model.encoders[camera_key.replace(".", "_")])[1:]
            part = nn.Sequential(*rest)(spatial(SimpleNamespace(last_hidden_state=features)))
        parts.append(part)
    scores: Tensor = model.classifier_head(torch.hstack(parts))
    return scores.squeeze(-1)


def head_parameters(model: Classifier) -> list[nn.Parameter]:
    """All that is not the encoder."""
    encoder = {id(parameter) for parameter in model.encoder.parameters()}
    return [parameter for parameter in model.parameters() if id(parameter) not in encoder]


def predict(model: Classifier, images: Sequence[Tensor]) -> Tensor:
    """Probabilities of success by LeRobot's own ``predict``.

    Args:
        model: In evaluation mode.
        images: One tensor a camera, in the order of the model's cameras: float32 in [0, 1], shape
            (batch, C, H, W).

    Returns:
        float32, shape (batch,), on the CPU.
    """
    with torch.inference_mode():
        device = model.config.device
        found: Tensor = model.predict([image.to(device) for image in images]).probabilities
        return found.cpu()


def read_record(folder: Path) -> dict[str, Any]:
    """A checkpoint's own record; empty for one that LeRobot trained."""
    try:
        raw = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DatasetError(Problem("bad-record", f"cannot be read: {error}", folder / RECORD)) from None
    return raw if isinstance(raw, dict) else {}


def record_preprocessing(folder: Path) -> ImagePreprocessing | None:
    """How a checkpoint's training images were prepared; None when it does not say."""
    raw = read_record(folder).get("image_preprocessing")
    return None if raw is None else ImagePreprocessing.from_json(raw)


def _no_encoder(model_name: str, error: Exception) -> UsageError:
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    message = f"the encoder {model_name!r} cannot be loaded: {said}"
    hint = "set reward_model.model_name to a folder or a model on the Hub, or use --make_encoder=true"
    return UsageError(Problem("encoder-missing", message, hint=hint))
