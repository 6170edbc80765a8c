"""Reads the facts of a reward classifier: its config, saved processors and training dataset."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import lerobot_home
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.dataset.learning import stored_learning
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.config_view import (
    ConfigView,
    is_folder,
    is_image,
    named_path,
    numbers_of,
    shape_of,
)
from lerobot_grasp_plugin.preflight.dataset_facts import read_object
from lerobot_grasp_plugin.preflight.image_shapes import (
    Preprocessing,
    Shape,
    preprocessing_of,
)

RECORD = "grasp_classifier.json"
"""The file that ``learning.classifier.model`` writes next to ``config.json``; that module imports torch."""
PATH_KEY = "env.processor.reward_classifier.pretrained_path"


@dataclass(frozen=True)
class ClassifierFacts:
    """A checkpoint of LeRobot's ``reward_classifier``.

    Attributes:
        root: Its folder.
        config: ``config.json``.
        image_features: Its cameras, camera_key -> feature.
        preprocessing: The crop and resize of its training; None if unknown.
        preprocessing_from: The source of this information.
        image_stats: camera_key -> statistic -> values, as its saved normaliser applies them.
        value_range: Lowest and highest value of its images; None if unknown.
        splits: Episodes of its training and validation; None if unknown.
        whole_images: camera_key -> shape of the images it was trained on, where LeRobot alone trained
            it on a dataset that is here: LeRobot's training does not crop.
    """

    root: Path
    config: Mapping[str, Any]
    image_features: Mapping[str, Any]
    preprocessing: Preprocessing | None
    preprocessing_from: Path | None
    image_stats: Mapping[str, Mapping[str, tuple[float, ...]]]
    value_range: tuple[float, ...] | None = None
    splits: Mapping[str, Any] | None = None
    whole_images: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def normalises(self) -> bool:
        """Whether its config normalises images."""
        return _mode({"norm_map": self.config.get("normalization_mapping")}) != "IDENTITY"


def classifier_facts(config: ConfigView) -> tuple[ClassifierFacts | None, list[Problem]]:
    """Opens the checkpoint the config names."""
    named = config.text(PATH_KEY)
    if named is None:
        return None, []
    root = named_path(named)
    if not is_folder(root):
        if _may_be_on_the_hub(named):
            change = "to compare it, download it and give its folder"
            return None, [
                Problem(
                    "classifier-not-local", f"{named!r} is not a folder on this machine", PATH_KEY, change
                )
            ]
        change = "give the checkpoint's pretrained_model folder"
        return None, [Problem("classifier-missing", f"the folder {named!r} does not exist", PATH_KEY, change)]
    raw = read_object(root / "config.json")
    if raw is None:
        message = "the checkpoint has no config.json that can be read"
        change = "give the folder that holds config.json and model.safetensors (pretrained_model)"
        return None, [Problem("classifier-unreadable", message, root / "config.json", change)]
    features = raw.get("input_features")
    images = {
        str(key): feature
        for key, feature in (features.items() if isinstance(features, Mapping) else ())
        if is_image(str(key), feature)
    }
    record = read_object(root / RECORD) or {}
    preprocessing, source = _preprocessing(root)
    stored = record.get("image_preprocessing")
    splits = record.get("splits")
    return ClassifierFacts(
        root=root,
        config=raw,
        image_features=images,
        preprocessing=preprocessing,
        preprocessing_from=source,
        image_stats=_image_stats(root, images),
        value_range=numbers_of(stored.get("range")) if isinstance(stored, Mapping) else None,
        splits=splits if isinstance(splits, Mapping) else None,
        whole_images={} if preprocessing is not None else _whole_images(root, images),
    ), []


def _may_be_on_the_hub(named: str) -> bool:
    return named.count("/") == 1 and not named.startswith((".", "/", "~")) and "outputs" not in named


def _preprocessing(root: Path) -> tuple[Preprocessing | None, Path | None]:
    """Its own record, or that of the dataset it was trained on."""
    recorded = preprocessing_of((read_object(root / RECORD) or {}).get("image_preprocessing"))
    if recorded is not None:
        return recorded, root / RECORD
    dataset = _training_dataset(root)
    learning = stored_learning(dataset) if dataset is not None else None
    stored = preprocessing_of(learning.image_preprocessing) if learning is not None else None
    if dataset is None or stored is None:
        return None, None
    return stored, dataset / layout.LEARNING_PATH


def _training_dataset(root: Path) -> Path | None:
    """The dataset of LeRobot's ``train_config.json``."""
    block = (read_object(root / "train_config.json") or {}).get("dataset")
    if not isinstance(block, Mapping):
        return None
    if isinstance(block.get("root"), str):
        return named_path(block["root"])
    repo_id = block.get("repo_id")
    return lerobot_home() / repo_id if isinstance(repo_id, str) else None


def _whole_images(root: Path, images: Mapping[str, Any]) -> dict[str, Shape]:
    dataset = _training_dataset(root)
    features = (read_object(dataset / layout.INFO_PATH) or {}).get("features") if dataset else None
    found: dict[str, Shape] = {}
    for key in images:
        feature = features.get(key) if isinstance(features, Mapping) else None
        shape = shape_of(feature)
        if isinstance(feature, Mapping) and shape is not None:
            image = Feature("video", shape, feature.get("names"), {}).image_shape
            found |= {} if image is None else {key: image}
    return found


def _image_stats(root: Path, images: Mapping[str, Any]) -> dict[str, dict[str, tuple[float, ...]]]:
    """Statistics of images in the saved preprocessor, where it normalises images."""
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    for path in sorted(root.glob("*preprocessor.json")):
        steps = (read_object(path) or {}).get("steps")
        for step in steps if isinstance(steps, list) else ():
            if not isinstance(step, Mapping) or step.get("registry_name") != "normalizer_processor":
                continue
            if _mode(step.get("config")) == "IDENTITY" or not isinstance(step.get("state_file"), str):
                continue
            for name, values in _tensors(root / step["state_file"]):
                key, _, statistic = name.rpartition(".")
                if key in images and statistic in ("mean", "std", "min", "max"):
                    found.setdefault(key, {})[statistic] = values
    return found


def _mode(config: Any) -> str:
    modes = config.get("norm_map") if isinstance(config, Mapping) else None
    return (
        str(modes.get("VISUAL", "IDENTITY")).rpartition(".")[2] if isinstance(modes, Mapping) else "IDENTITY"
    )


def _tensors(path: Path) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Names and values of the float tensors of a safetensors file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, ValueError, json.JSONDecodeError):
        return
    for name, tensor in tensors.items():
        values = numbers_of(tensor.tolist())
        if values is not None:
            yield name, values
