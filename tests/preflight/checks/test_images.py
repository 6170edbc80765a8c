"""Crop, size and range of images, and the cameras they come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from lerobot_grasp_plugin.preflight import preflight
from tests.support.preflight_case import CAMERA, CROP, IMAGES, Case, sound
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("env resizes to another size", "image-size classifier-image-size", f"{IMAGES}/resize_size", [96, 96])
planted("env squeezes what was cropped", "image-crop classifier-crop", f"{IMAGES}/crop_params_dict", {})
planted(
    "env crops elsewhere",
    "image-crop classifier-crop",
    f"{IMAGES}/crop_params_dict",
    {CAMERA: [0, 0, 480, 480]},
)
planted("crop of another camera", "crop-unknown-camera",
        f"{IMAGES}/crop_params_dict", {CAMERA: CROP, "observation.images.top": CROP})  # fmt: skip
planted("crop past the image", "crop-outside image-crop classifier-crop",
        f"{IMAGES}/crop_params_dict", {CAMERA: [0, 200, 480, 480]})  # fmt: skip
planted("camera of another name", "missing-camera classifier-camera",
        "env/robot/cameras", {"front": {"type": "opencv", "index_or_path": 0, "width": 640, "height": 480, "fps": 30}})  # fmt: skip # noqa: E501
planted("camera of another size", "camera-size", "env/robot/cameras/wrist/width", 800, "warning")


@plant("no stored preprocessing", "image-size")
def _(case: Case) -> None:
    case.learning = None


@plant("0-255: no sidecar at all", "image-range image-size")
def _(case: Case) -> None:
    case.learning = case.provenance = None


@plant("0-255: stored range", "image-range")
def _(case: Case) -> None:
    case.learning["image_preprocessing"]["range"] = [0, 255]


@plant("0-255: statistics of the dataset", "image-range")
def _(case: Case) -> None:
    case.stats[CAMERA]["max"] = [[[255.0]]] * 3


@plant("0-255: mean of the dataset's statistics", "image-range")
def _(case: Case) -> None:
    case.stats[CAMERA] = {"mean": [[[124.0]]] * 3}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)


def test_images_recorded_after_the_crop_are_not_cropped_again(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.learning = None
    shape = {"shape": [3, 128, 128], "names": ["channels", "height", "width"]}
    case.info["features"][CAMERA] |= shape
    path = case.write()
    assert not preflight(path).findings
    assert not preflight(path, plugin_learner=True).findings
