"""The reward classifier of the environment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.preflight_case import CAMERA, Case, dump
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant = FAULTS.plant


@plant("classifier of another camera", "classifier-camera")
def _(case: Case) -> None:
    features = case.classifier["input_features"]
    features["observation.images.top"] = features.pop(CAMERA)


@plant("classifier on full images", "classifier-image-size")
def _(case: Case) -> None:
    case.classifier["input_features"][CAMERA]["shape"] = [3, 480, 640]


@plant("classifier on squeezed images", "classifier-crop")
def _(case: Case) -> None:
    case.classifier_learning["image_preprocessing"]["crop_params_dict"] = {}


@plant("classifier trained on another dataset's crop", "classifier-crop")
def _(case: Case) -> None:
    case.classifier_learning = None

    def train_config(case: Case) -> None:
        other = case.folder / "other/meta"
        other.mkdir(parents=True)
        stored = {"crop_params_dict": {}, "resize_size": [128, 128], "range": [0.0, 1.0]}
        dump(other / "grasp_learning.json", {"format": 1, "image_preprocessing": stored})
        dump(case.folder / "classifier/train_config.json", {"dataset": {"root": str(other.parent)}})

    case.after.append(train_config)


@plant("classifier with a normaliser", "classifier-normaliser", "warning")
def _(case: Case) -> None:
    case.classifier_stats = {f"{CAMERA}.mean": np.full(3, 0.5, np.float32)}


@plant("classifier on 0-255", "image-range classifier-normaliser")
def _(case: Case) -> None:
    case.classifier_stats = {f"{CAMERA}.mean": np.full(3, 120, np.float32)}


@plant("classifier with a wrong count of cameras", "classifier-camera")
def _(case: Case) -> None:
    case.classifier["num_cameras"] = 2


@plant("classifier that LeRobot alone trained on squeezed images", "classifier-crop")
def _(case: Case) -> None:
    case.classifier_learning = None
    other = case.folder / "other"

    def train_config(case: Case) -> None:
        (other / "meta").mkdir(parents=True)
        dump(other / "meta/info.json", {"features": {CAMERA: case.info["features"][CAMERA]}})
        dump(case.folder / "classifier/train_config.json", {"dataset": {"root": str(other)}})

    case.after.append(train_config)


@plant("classifier of normalised images, by its config", "classifier-normaliser", "warning")
def _(case: Case) -> None:
    case.classifier["normalization_mapping"] = {"VISUAL": "MEAN_STD"}


@plant("classifier on 0-255, by its record", "image-range")
def _(case: Case) -> None:
    case.classifier_learning["image_preprocessing"]["range"] = [0.0, 255.0]


plant("classifier without weights", "classifier-unreadable")(
    lambda case: case.after.append(lambda case: (case.folder / "classifier/model.safetensors").unlink())
)
plant("classifier of three classes", "class-count")(lambda case: case.classifier.update(num_classes=3))


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
