"""Runs a trained reward classifier on camera images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing

type Images = Mapping[str, NDArray[np.uint8]]
"""RGB images by camera_key, uint8: one (height, width, 3), or several (frames, height, width, 3)."""


class FrameJudge:
    """Gives the probability of success of images, cropped and resized as in the classifier's training.

    Attributes:
        camera_keys: Its cameras.
        whole: Whether the checkpoint states no crop, so that whole images are used.
    """

    def __init__(self, folder: Path) -> None:
        """Args:
        folder: The checkpoint's ``pretrained_model``.

        Raises:
            UsageError: The checkpoint does not exist, or the extra ``learn`` is not installed.
        """
        try:
            from lerobot_grasp_plugin.learning.classifier import model as classifier_model

            self._model = classifier_model.load_classifier(folder)
        except ImportError as error:
            message = f"the classifier cannot be loaded: {error}"
            hint = 'pip install "lerobot_grasp_plugin[learn]"'
            raise UsageError(Problem("no-learning", message, hint=hint)) from None
        self._predict = classifier_model.predict
        self._shapes = {
            key: tuple(feature.shape) for key, feature in self._model.config.input_features.items()
        }
        self.camera_keys = tuple(self._shapes)
        recorded = classifier_model.record_preprocessing(folder)
        self.whole = recorded is None
        sizes = {shape[1:] for shape in self._shapes.values()}
        self._preprocessing = recorded or ImagePreprocessing({}, sizes.pop() if len(sizes) == 1 else None)

    def problems_of(self, cameras: Mapping[str, tuple[int, int, int]]) -> Iterator[Problem]:
        """Finds why the classifier cannot use these cameras.

        Args:
            cameras: (height, width, channels) by camera_key.
        """
        for key, shape in self._shapes.items():
            if key not in cameras:
                message = f"the classifier needs the camera {key}, which is missing"
                yield Problem("missing-camera", message, hint=f"cameras: {', '.join(cameras)}")
                continue
            height, width, channels = cameras[key]
            made = self._preprocessing.output_shape(key, (channels, height, width))
            if made != shape:
                message = (
                    f"images of {key} have shape {made} after preprocessing, but the classifier "
                    f"expects {shape}"
                )
                yield Problem("classifier-image-size", message, hint="(channels, height, width)")

    def probability(self, images: Images) -> float:
        """Of success, by LeRobot's own ``predict``."""
        return float(self.probabilities({key: images[key][None] for key in self._shapes})[0])

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """Of success, by LeRobot's own ``predict``: shape (frames,).

        Args:
            images: RGB images by camera_key, uint8 (frames, height, width, 3).
        """
        batches = [
            self._preprocessing(key, torch.from_numpy(images[key]).permute(0, 3, 1, 2))
            for key in self._shapes
        ]
        found: NDArray[np.float32] = self._predict(self._model, batches).numpy()
        return found
