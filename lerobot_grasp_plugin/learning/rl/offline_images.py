"""Preprocesses images of an offline dataset to the form that the policy gets from the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.learning.data.preprocessing import Crop, ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import read_learning
from lerobot_grasp_plugin.merging.sources import Source

OBS_IMAGES = "observation.images."
"""What camera keys begin with (``lerobot/utils/constants.py``)."""


def offline_preprocessing(
    env: Any, input_features: Mapping[str, Any], sources: Sequence[Source]
) -> ImagePreprocessing:
    """The environment's crop and resize, for images that have not been through them.

    ``gym_manipulator`` stores images after crop and resize, ``lerobot-record`` as the camera gives
    them. A camera whose stored images have the policy's size, and not the camera's, is not cropped
    again; a resize to the size they have changes nothing.

    Args:
        env: LeRobot's ``HILSerlRobotEnvConfig``, or another environment without preprocessing.
        input_features: The policy's, with ``shape`` ``(channels, height, width)`` for cameras.
        sources: The opened sources.

    Raises:
        DatasetError: With every camera that is missing or would come out in another size, and every
            source in which another preprocessing is stored.
    """
    whole = ImagePreprocessing.from_env(getattr(getattr(env, "processor", None), "image_preprocessing", None))
    crops: dict[str, Crop] = {}
    problems: list[Problem] = []
    for source in sources:
        problems += _other_preprocessing(source, whole)
        for camera_key, wanted in _cameras(input_features).items():
            feature = source.features.get(camera_key)
            stored = feature.image_shape if feature is not None else None
            if stored is None:
                hint = f"it has: {', '.join(source.reader.info.camera_keys) or 'none'}"
                message = f"dataset {source.title} has no camera {camera_key}, which the policy needs"
                problems.append(Problem("missing-camera", message, hint=hint))
                continue
            prepared = stored == wanted and stored[1:] != _camera_size(env, camera_key)
            crop = None if prepared else whole.crops.get(camera_key)
            own = ImagePreprocessing({} if crop is None else {camera_key: crop}, whole.resize)
            try:
                result = own.output_shape(camera_key, stored)
            except DatasetError as error:
                problems += error.problems
                continue
            if result != wanted:
                message = (
                    f"{source.title}: images of {camera_key} are {_text(stored)}, after crop and resize "
                    f"{_text(result)}, but the policy expects {_text(wanted)} (channels x height x width)"
                )
                hint = "env.processor.image_preprocessing and policy.input_features must match"
                problems.append(Problem("image-size", message, hint=hint))
            if crop is not None:
                crops[camera_key] = crop
    if problems:
        raise DatasetError(list(dict.fromkeys(problems)))
    return ImagePreprocessing(crops, whole.resize)


def _cameras(input_features: Mapping[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {
        key: (int(feature.shape[0]), int(feature.shape[1]), int(feature.shape[2]))
        for key, feature in input_features.items()
        if key.startswith(OBS_IMAGES) and len(feature.shape) == 3
    }


def _camera_size(env: Any, camera_key: str) -> tuple[int, int] | None:
    """Height and width the robot's camera is set to; None where the config does not say."""
    cameras: Mapping[str, Any] = getattr(getattr(env, "robot", None), "cameras", None) or {}
    camera = cameras.get(camera_key.removeprefix(OBS_IMAGES))
    height, width = getattr(camera, "height", None), getattr(camera, "width", None)
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def _other_preprocessing(source: Source, whole: ImagePreprocessing) -> list[Problem]:
    sidecar = read_learning(source.reader.root)
    if sidecar is None or sidecar.preprocessing is None or sidecar.preprocessing == whole:
        return []
    message = f"{source.title} is stored with {sidecar.preprocessing}, but the environment has {whole}"
    hint = "set env.processor.image_preprocessing to the stored one"
    return [Problem("other-preprocessing", message, source.reader.root, hint)]


def _text(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
