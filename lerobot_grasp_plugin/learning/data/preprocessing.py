"""Crop, resize and value range of images, the same at training and in the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import torchvision.transforms.functional as F  # noqa: N812

from lerobot_grasp_plugin.findings.problem import DatasetError, Problem

type Crop = tuple[int, int, int, int]
"""``(top, left, height, width)`` in pixels, as in LeRobot's ``crop_params_dict``."""


@dataclass(frozen=True)
class ImagePreprocessing:
    """Crop per camera, then resize, then floats in [0, 1].

    The arithmetic is that of LeRobot's ``VanillaObservationProcessorStep`` and
    ``ImageCropResizeProcessorStep`` (``lerobot/processor``), so that a stored image comes out bit
    for bit as the environment would have made it.

    Attributes:
        crops: camera_key -> ``(top, left, height, width)``; cameras without an entry are not cropped.
        resize: ``(height, width)`` of every camera after the crop; None for no resize.

    Raises:
        DatasetError: A number is not a count of pixels; the error names every such number.
    """

    crops: Mapping[str, Crop] = field(default_factory=dict)
    resize: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        problems = []
        crops: dict[str, Crop] = {}
        for camera_key, values in self.crops.items():
            numbers = _whole(values, 4)
            if numbers is None or min(numbers[:2]) < 0 or min(numbers[2:]) < 1:
                message = f"the crop of {camera_key!r} is not valid: {values!r}"
                hint = "expected [top, left, height, width] in pixels"
                problems.append(Problem("bad-crop", message, hint=hint))
            else:
                crops[camera_key] = (numbers[0], numbers[1], numbers[2], numbers[3])
        size = None if self.resize is None else _whole(self.resize, 2)
        if self.resize is not None and (size is None or min(size) < 1):
            hint = "expected [height, width] in pixels"
            problems.append(
                Problem("bad-resize", f"the resize size is not valid: {self.resize!r}", hint=hint)
            )
        if problems:
            raise DatasetError(problems)
        object.__setattr__(self, "crops", crops)
        object.__setattr__(self, "resize", None if size is None else (size[0], size[1]))

    def __hash__(self) -> int:
        return hash((tuple(sorted(self.crops.items())), self.resize))

    def __call__(self, camera_key: str, image: torch.Tensor) -> torch.Tensor:
        """One image, or several of one camera.

        Args:
            camera_key: Which camera it is from.
            image: Shape ``(..., C, H, W)``; uint8, or floats that are in [0, 1] already.

        Returns:
            float32 in [0, 1], shape ``(..., C, height, width)``.
        """
        return self.resized(self.cropped(camera_key, image))

    def write(self, camera_key: str, image: torch.Tensor, out: torch.Tensor) -> None:
        """The same, into existing memory.

        Args:
            camera_key: Which camera it is from.
            image: Shape ``(C, H, W)``, uint8.
            out: float32, shape ``(C, height, width)``.
        """
        image = self.cropped(camera_key, image)
        if self.resize is None:  # by numpy, in this thread alone: callers have one for each processor
            np.divide(np.ascontiguousarray(image.numpy()), np.float32(255), out=out.numpy())
        else:
            out.copy_(self.resized(image))

    def cropped(self, camera_key: str, image: torch.Tensor) -> torch.Tensor:
        """The crop alone, dtype as given."""
        crop = self.crops.get(camera_key)
        return image if crop is None else F.crop(image, *crop)

    def resized(self, image: torch.Tensor) -> torch.Tensor:
        """All but the crop: float32 in [0, 1]."""
        image = to_unit_range(image).contiguous()
        if self.resize is not None:
            image = F.resize(image, list(self.resize)).clamp(0.0, 1.0)
        return image

    def output_shape(self, camera_key: str, shape_chw: Sequence[int]) -> tuple[int, int, int]:
        """Shape ``(C, height, width)`` that comes out for a camera's images.

        Raises:
            DatasetError: The crop reaches outside the image.
        """
        channels, height, width = shape_chw
        crop = self.crops.get(camera_key)
        if crop is not None:
            top, left, crop_height, crop_width = crop
            if top + crop_height > height or left + crop_width > width:
                message = (
                    f"the crop {list(crop)} of {camera_key!r} (top, left, height, width) reaches outside "
                    f"its images, which are {height} x {width} (height x width)"
                )
                hint = "LeRobot would fill the rest with black"
                raise DatasetError(Problem("crop-outside", message, hint=hint))
            height, width = crop_height, crop_width
        if self.resize is not None:
            height, width = self.resize
        return (channels, height, width)

    def to_env(self) -> dict[str, Any]:
        """The same as LeRobot's ``env.processor.image_preprocessing``."""
        return {
            "crop_params_dict": {camera_key: list(crop) for camera_key, crop in self.crops.items()},
            "resize_size": None if self.resize is None else list(self.resize),
        }

    def to_json(self) -> dict[str, Any]:
        """The entry of the sidecar; its keys are LeRobot's, and ``range`` says what comes out."""
        return {**self.to_env(), "range": [0.0, 1.0]}

    @classmethod
    def from_json(cls, raw: object) -> ImagePreprocessing:
        """What ``to_json`` wrote.

        Raises:
            DatasetError: It is something else.
        """
        if not isinstance(raw, Mapping) or raw.get("range", [0.0, 1.0]) != [0.0, 1.0]:
            message = f"the image preprocessing is not valid: {raw!r}"
            hint = "expected crop_params_dict, resize_size, and the range [0.0, 1.0]"
            raise DatasetError(Problem("bad-preprocessing", message, hint=hint))
        return cls.from_env(MappingProxyType(dict(raw)))

    @classmethod
    def from_env(cls, image_preprocessing: Any) -> ImagePreprocessing:
        """From LeRobot's ``ImagePreprocessingConfig``, or the same as a mapping, or None for neither.

        Raises:
            DatasetError: Its numbers are not pixel counts.
        """
        if isinstance(image_preprocessing, Mapping):
            crops, size = (image_preprocessing.get(name) for name in ("crop_params_dict", "resize_size"))
        else:
            crops = getattr(image_preprocessing, "crop_params_dict", None)
            size = getattr(image_preprocessing, "resize_size", None)
        if crops is not None and not isinstance(crops, Mapping):
            message = f"crop_params_dict is not valid: {crops!r}"
            hint = "expected an object: camera_key -> [top, left, height, width]"
            raise DatasetError(Problem("bad-crop", message, hint=hint))
        return cls(dict(crops or {}), size)


def to_unit_range(image: torch.Tensor) -> torch.Tensor:
    """float32 in [0, 1]: uint8 is divided by 255, floats are taken to be in [0, 1] already."""
    if image.dtype == torch.uint8:
        return torch.div(image, 255, out=torch.empty(image.shape))  # in one pass, contiguous
    return image.to(torch.float32)


def _whole(values: object, count: int) -> list[int] | None:
    """``count`` integers, or None for anything else."""
    if not isinstance(values, (list, tuple)) or len(values) != count:
        return None
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return None
    return list(values)
