from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from lerobot_grasp_plugin.findings.problem import DatasetError
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing

KEY = "observation.images.wrist"


def pixels(height: int = 60, width: int = 81) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def environment(image: np.ndarray, crops: dict, size: tuple[int, int] | None) -> torch.Tensor:
    """What LeRobot's HIL-SERL environment makes of a camera image, by its own steps."""
    from lerobot.processor import ImageCropResizeProcessorStep, VanillaObservationProcessorStep

    seen = VanillaObservationProcessorStep().observation({"pixels": {"wrist": image}})
    seen = ImageCropResizeProcessorStep(crop_params_dict=crops, resize_size=size).observation(seen)
    return seen[KEY][0]


@pytest.mark.parametrize(
    ("crops", "size"),
    [
        ({}, None),
        ({KEY: (5, 7, 40, 33)}, None),
        ({}, (24, 24)),
        ({KEY: (0, 11, 60, 60)}, (24, 31)),
        ({KEY: (3, 0, 20, 20)}, (48, 48)),
        ({KEY: (3, 0, 24, 24)}, (24, 24)),
    ],
)
def test_images_are_those_of_the_environment_bit_for_bit(crops, size):
    image = pixels()
    prepare = ImagePreprocessing(crops, size)
    expected = environment(image, crops, size)
    stored = torch.from_numpy(image).permute(2, 0, 1)
    for given in (stored, stored.contiguous(), stored.to(torch.float32) / 255):
        made = prepare(KEY, given)
        assert made.dtype == torch.float32
        assert torch.equal(made, expected)
        assert tuple(made.shape) == prepare.output_shape(KEY, (3, 60, 81))
    out = torch.empty(prepare.output_shape(KEY, (3, 60, 81)))
    prepare.write(KEY, stored, out)
    assert torch.equal(out, expected)
    stack = torch.stack([stored, stored.flip(-1), stored])
    assert torch.equal(prepare(KEY, stack)[2], expected)


def test_every_byte_becomes_what_lerobot_makes_of_it():
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16)
    out = torch.empty(1, 16, 16)
    ImagePreprocessing().write(KEY, every, out)
    assert torch.equal(out, every.type(torch.float32) / 255)
    assert torch.equal(ImagePreprocessing()(KEY, every.mT).mT, out)


def test_other_cameras_are_not_cropped():
    prepare = ImagePreprocessing({KEY: (0, 0, 10, 10)})
    image = torch.from_numpy(pixels()).permute(2, 0, 1)
    assert prepare("observation.images.front", image).shape == (3, 60, 81)


def test_written_and_read_it_is_the_same():
    from lerobot.envs.configs import ImagePreprocessingConfig

    prepare = ImagePreprocessing({KEY: (1, 2, 30, 40)}, (16, 16))
    assert ImagePreprocessing.from_json(json.loads(json.dumps(prepare.to_json()))) == prepare
    assert ImagePreprocessing.from_env(ImagePreprocessingConfig(**prepare.to_env())) == prepare
    assert ImagePreprocessing.from_env(prepare.to_env()) == prepare
    assert ImagePreprocessing.from_env(None) == ImagePreprocessing()
    assert hash(ImagePreprocessing({KEY: (1, 2, 30, 40)}, (16, 16))) == hash(prepare)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(DatasetError) as raised:
        ImagePreprocessing({"a": (0, 0, 0, 4), "b": (1, 2, 3)}, (0, 16))
    assert [problem.code for problem in raised.value.problems] == ["bad-crop", "bad-crop", "bad-resize"]


def test_a_crop_past_the_edge_is_refused():
    with pytest.raises(DatasetError, match="reaches outside"):
        ImagePreprocessing({KEY: (0, 50, 60, 60)}).output_shape(KEY, (3, 60, 81))


@pytest.mark.parametrize("raw", [3, {"crop_params_dict": 4}, {"range": [0, 255]}, {"resize_size": [4]}])
def test_what_is_no_preprocessing_is_refused(raw):
    with pytest.raises(DatasetError):
        ImagePreprocessing.from_json(raw)
