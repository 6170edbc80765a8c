"""Features of a dataset whose images are preprocessed while they are read."""

from __future__ import annotations

from typing import Any

from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.findings.problem import DatasetError, GraspError, Problem
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing


def prepared_features(meta: Any, preprocessing: ImagePreprocessing) -> dict[str, dict[str, Any]]:
    """LeRobot's features with the shapes that images have after a preprocessing.

    Args:
        meta: LeRobot's ``LeRobotDatasetMetadata``; it is not changed.
        preprocessing: Of the images; depth maps keep their shape.

    Raises:
        DatasetError: With every camera that the preprocessing names and the dataset lacks, and every crop
            that does not fit.
    """
    cameras = [key for key in meta.camera_keys if key not in meta.depth_keys]
    problems = [
        Problem(
            "missing-camera",
            f"the preprocessing crops {key!r}, but the dataset has no such camera",
            meta.root,
            f"it has: {', '.join(cameras) or 'none'}",
        )
        for key in preprocessing.crops
        if key not in cameras
    ]
    features = dict(meta.features)
    for key in cameras:
        entry = features[key]
        feature = Feature(entry["dtype"], tuple(entry["shape"]), entry.get("names"), {})
        assert feature.image_shape is not None
        try:
            channels, height, width = preprocessing.output_shape(key, feature.image_shape)
        except GraspError as error:
            problems += error.problems
            continue
        shape = (channels, height, width) if feature.is_channels_first else (height, width, channels)
        features[key] = {**entry, "shape": shape}
    if problems:
        raise DatasetError(problems)
    return features
