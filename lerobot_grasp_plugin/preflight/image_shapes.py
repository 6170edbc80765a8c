"""Computes image shapes on the way from a camera to a network, without pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, int, int]
"""Channels, height, width."""
Crop = tuple[int, int, int, int]
"""Top, left, height, width, as LeRobot's ``crop_params_dict``."""


@dataclass(frozen=True)
class Preprocessing:
    """A crop per camera, then a resize.

    Attributes:
        crops: camera_key -> crop; cameras without a crop are left out.
        resize: Height and width, or None.
    """

    crops: Mapping[str, Crop]
    resize: tuple[int, int] | None

    def output(self, camera_key: str, shape: Shape) -> Shape:
        """The shape of an image after crop and resize."""
        channels, height, width = shape
        if camera_key in self.crops:
            height, width = self.crops[camera_key][2:]
        if self.resize is not None:
            height, width = self.resize
        return channels, height, width


def preprocessing_of(raw: Any) -> Preprocessing | None:
    """Reads a preprocessing with LeRobot's keys (``crop_params_dict``, ``resize_size``).

    Crops that are not four integers are left out; ``config-wrong-type`` reports them.
    """
    if not isinstance(raw, Mapping):
        return None
    crops = raw.get("crop_params_dict")
    sizes = {
        str(key): counts_of(crop, 4) for key, crop in (crops.items() if isinstance(crops, Mapping) else ())
    }
    resize = counts_of(raw.get("resize_size"), 2)
    return Preprocessing(
        {key: (crop[0], crop[1], crop[2], crop[3]) for key, crop in sizes.items() if crop is not None},
        (resize[0], resize[1]) if resize is not None else None,
    )


def counts_of(value: Any, count: int) -> tuple[int, ...] | None:
    """A list of ``count`` integers, none below 0; None for anything else."""
    sized = isinstance(value, (list, tuple)) and len(value) == count
    return tuple(value) if sized and all(type(number) is int and number >= 0 for number in value) else None


def as_text(shape: Shape) -> str:
    """``640x480``: width x height, as for cameras."""
    return f"{shape[2]}x{shape[1]}"


def crop_text(crop: Crop | None) -> str:
    """A crop as text, in LeRobot's order."""
    return "no crop" if crop is None else f"crop {list(crop)}"
