"""Compares the cameras of a classifier's training with the dataset and the config."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lerobot.rewards.classifier import RewardClassifierConfig

from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.findings.problem import Problem, UsageError


def check_cameras(cameras: Sequence[str], known: Sequence[str], root: Path) -> None:
    """Compares the requested cameras with those of the dataset.

    Raises:
        UsageError: The dataset lacks one of them, or has no cameras.
    """
    problems = [
        Problem(
            "missing-camera",
            f"the dataset has no camera {camera!r}",
            root,
            f"it has: {', '.join(known)}",
        )
        for camera in cameras
        if camera not in known
    ]
    if not cameras:
        problems.append(Problem("no-camera", "the dataset has no cameras", root))
    if problems:
        raise UsageError(problems)


def check_shapes(model: RewardClassifierConfig, shapes: dict[str, tuple[int, int, int]]) -> None:
    """Compares the config's input features with the images after preprocessing, (C, H, W) by camera.

    Raises:
        UsageError: With every camera whose shape differs.
    """
    problems = []
    for camera, feature in model.input_features.items():
        if tuple(feature.shape) != shapes[camera]:
            message = f"reward_model.input_features: the shape of {camera!r} is {list(feature.shape)}"
            hint = f"after image_preprocessing its shape is {list(shapes[camera])} (C, H, W)"
            problems.append(Problem("other-shape", message, hint=hint))
    if problems:
        raise UsageError(problems)


def stored_shape(feature: dict[str, Any]) -> tuple[int, int, int]:
    """(C, H, W) of an image feature in LeRobot's metadata, which may be stored as (H, W, C)."""
    shape = Feature(feature["dtype"], tuple(feature["shape"]), feature.get("names"), {}).image_shape
    assert shape is not None
    return shape
