"""Compares size, crop and value range of images of dataset, environment and policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Place, Problem
from lerobot_grasp_plugin.preflight.config_view import numbers_of, shape_of
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import IMAGE_PREPROCESSING, Facts
from lerobot_grasp_plugin.preflight.image_shapes import (
    Preprocessing,
    Shape,
    as_text,
    crop_text,
)

RESIZE = f"{IMAGE_PREPROCESSING}.resize_size"
CROPS = f"{IMAGE_PREPROCESSING}.crop_params_dict"
_STATISTICS = ("min", "max", "mean", "q99")
_NOTHING = Preprocessing({}, None)


def check_images(facts: Facts) -> Iterator[Problem]:
    """Checks that images of dataset and environment reach the policy in the same form."""
    yield from _environment(facts)
    for dataset in facts.datasets:
        if any(key in dataset.features for key in facts.cameras):
            yield from _range(facts, dataset)
            for key, feature in facts.cameras.items():
                if key in dataset.features:
                    yield from _camera(facts, dataset, key, shape_of(feature))


def camera_name(key: str) -> str:
    """The robot's name of a camera: ``wrist`` of ``observation.images.wrist``."""
    return key.removeprefix("observation.images.").removeprefix("observation.image.")


def camera_shape(facts: Facts, key: str) -> Shape | None:
    """The shape of the robot camera's images, by its config."""
    place = f"env.robot.cameras.{camera_name(key)}"
    width, height = facts.config.number(f"{place}.width"), facts.config.number(f"{place}.height")
    return None if width is None or height is None else (3, int(height), int(width))


def _environment(facts: Facts) -> Iterator[Problem]:
    cameras = facts.config.mapping("env.robot.cameras")
    prepared = facts.environment or _NOTHING
    for key, feature in facts.cameras.items():
        if cameras and camera_name(key) not in cameras:
            message = f"{key} needs a camera {camera_name(key)!r}, but the robot has {', '.join(cameras)}"
            yield Problem(
                "missing-camera", message, "env.robot.cameras", "name the camera as the dataset does"
            )
            continue
        camera, wanted = camera_shape(facts, key), shape_of(feature)
        if camera is None or wanted is None:
            continue
        yield from _crop_fits(prepared, key, camera, "the robot's camera")
        given = prepared.output(key, camera)
        if given != wanted:
            message = f"{key} reaches the policy as {as_text(given)}, but the policy expects {list(wanted)}"
            yield Problem("image-size", message, RESIZE, f"set resize_size to {list(wanted[1:])}")
    known = {*facts.cameras, *(f"observation.images.{name}" for name in cameras)}
    for key in prepared.crops:
        if key not in known:
            message = f"{key} is not a camera, so this crop has no effect"
            yield Problem("crop-unknown-camera", message, f"{CROPS}.{key}", f"cameras: {', '.join(known)}")


def _crop_fits(
    prepared: Preprocessing, key: str, shape: Shape, whose: str, path: Path | None = None
) -> Iterator[Problem]:
    crop = prepared.crops.get(key)
    if crop is None:
        return
    top, left, height, width = crop
    if not height or not width or top + height > shape[1] or left + width > shape[2]:
        message = f"{crop_text(crop)} (top, left, height, width) does not fit {whose} ({as_text(shape)})"
        yield Problem(
            "crop-outside",
            message,
            Place(str(path), field=key) if path else f"{CROPS}.{key}",
            "LeRobot would fill the rest with black; keep the crop inside",
        )


def _range(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    if not dataset.ours and not _scaled_by_transform(facts):
        message = "LeRobot's learner reads these images as 0-255, the environment's are in 0-1"
        change = "write it with lerobot-grasp-relabel or -merge, so that it is read as a GraspDataset (0-1)"
        yield Problem("image-range", message, dataset.where, change)
    stored: Any = dataset.learning.image_preprocessing
    span = numbers_of(stored.get("range")) if isinstance(stored, dict) and "range" in stored else (0.0, 1.0)
    if span != (0.0, 1.0):
        message = f"the stored range is {stored['range']}, the environment's is [0.0, 1.0]"
        yield Problem("image-range", message, dataset.root / layout.LEARNING_PATH, "store [0.0, 1.0]")
    for key in facts.cameras:
        stats = dataset.stats.get(key)
        given = [numbers_of((stats if isinstance(stats, dict) else {}).get(name)) for name in _STATISTICS]
        highest = max((max(values) for values in given if values), default=0.0)
        if highest > 1.5:
            message = f"the statistics of {key} go up to {highest:g}, but LeRobot's are of images in 0-1"
            change = "merge or relabel the dataset, or divide them by 255"
            yield Problem("image-range", message, dataset.root / "meta/stats.json", change)


def _scaled_by_transform(facts: Facts) -> bool:
    """Whether the config itself converts them to floats (the workaround for LeRobot's fault)."""
    if not facts.config.flag("dataset.image_transforms.enable", False):
        return False
    transforms = facts.config.mapping("dataset.image_transforms.tfs").values()
    kinds = {entry.get("type") for entry in transforms if isinstance(entry, dict)}
    return bool(kinds & {"ConvertImageDtype", "ToDtype"})


def _camera(
    facts: Facts, dataset: DatasetFacts, key: str, wanted: tuple[int, ...] | None
) -> Iterator[Problem]:
    recorded = dataset.features[key].image_shape
    if recorded is None or wanted is None:
        return
    stored = dataset.preprocessing
    environment = facts.environment or _NOTHING
    done_before = recorded == wanted and recorded != camera_shape(facts, key)
    if stored is None and dataset.built and not done_before:
        stored = environment  # the plugin's learner stores it with its dataset
    if stored is not None:
        yield from _crop_fits(
            stored, key, recorded, "the dataset's images", dataset.root / layout.LEARNING_PATH
        )
    given = (stored or _NOTHING).output(key, recorded)
    if given != wanted and not facts.config.flag("dataset.image_transforms.enable", False):
        message = f"images of {as_text(recorded)} reach the learner as {as_text(given)}"
        message += f", but the policy expects {list(wanted)}"
        change = "store the environment's crop and resize with the dataset (image_preprocessing)"
        yield Problem("image-size", message, dataset.column_place(key), change)
    if stored is None or dataset.preprocessing is None:
        return
    if stored.crops.get(key) != environment.crops.get(key):
        message = f"{key}: {crop_text(environment.crops.get(key))}, but the dataset was made for "
        message += crop_text(stored.crops.get(key))
        yield Problem("image-crop", message, CROPS, "use the dataset's crop, or store the new one with it")
    camera = camera_shape(facts, key)
    if camera is not None and camera != recorded:
        message = (
            f"{as_text(camera)}, but the dataset was recorded at {as_text(recorded)}: its crop and resize "
        )
        message += "select another part of the image"
        place = f"env.robot.cameras.{camera_name(key)}"
        yield Problem("camera-size", message, place, f"set the camera to {as_text(recorded)}")
