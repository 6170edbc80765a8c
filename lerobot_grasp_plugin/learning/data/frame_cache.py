"""Caches images of whole episodes, decoded once, in memory."""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from numpy.typing import NDArray

from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing

logger = logging.getLogger(__name__)

type Decode = Callable[[], Iterable[NDArray[Any]]]
"""Gives an episode's images in order: uint8, shape ``(height, width, 3)``."""


class FrameCache:
    """Episodes as tensors, in the smaller of the two forms that lose nothing.

    After the crop an image is kept as uint8, or as float32 after crop and resize where that takes
    less room (uint8 after a resize would round). Beyond ``max_bytes`` the episode that was not used
    for longest is dropped and decoded again when needed.

    In a DataLoader whose workers are spawned, what is in the cache when the workers start is shared
    memory; what a worker decodes later is its own.

    Args:
        preprocessing: Of every image; None for none.
        max_bytes: How much may be kept, besides the episode in use. None for half of the memory.
    """

    def __init__(self, preprocessing: ImagePreprocessing | None, max_bytes: int | None = None) -> None:
        self._preprocessing = preprocessing
        self.max_bytes = max_bytes if max_bytes is not None else _half_of_memory()
        self._kept: OrderedDict[tuple[int, str], torch.Tensor] = OrderedDict()
        self._warned = False

    @property
    def nbytes(self) -> int:
        """Bytes in use."""
        return sum(frames.nbytes for frames in self._kept.values())

    def episode(self, episode_index: int, camera_key: str, length: int, decode: Decode) -> torch.Tensor:
        """An episode's images of one camera, as kept.

        Args:
            episode_index: Which episode.
            camera_key: Which camera.
            length: Frames of the episode.
            decode: Called when the episode is not in memory.

        Returns:
            Shape ``(length, 3, height, width)``: uint8 after the crop, or float32 after all.

        Raises:
            DatasetError: ``decode`` gave fewer images.
        """
        key = (episode_index, camera_key)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        frames = self._decoded(camera_key, length, decode)
        self._kept[key] = frames
        self._shrink(key)
        return frames

    def finished(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames as kept -> float32 in [0, 1] after all of the preprocessing."""
        if frames.dtype == torch.float32:
            return frames
        return (self._preprocessing or ImagePreprocessing()).resized(frames)

    def _decoded(self, camera_key: str, length: int, decode: Decode) -> torch.Tensor:
        frames = torch.empty(0)
        done = 0
        for pixels in decode():
            image = self._packed(camera_key, torch.from_numpy(pixels).permute(2, 0, 1))
            if not done:
                frames = torch.empty((length, *image.shape), dtype=image.dtype)
            frames[done] = image
            done += 1
        if done < length:
            message = f"camera {camera_key!r} has images of only {done} of {length} frames"
            raise DatasetError(Problem("video-frame-missing", message))
        return frames

    def _packed(self, camera_key: str, image: torch.Tensor) -> torch.Tensor:
        if self._preprocessing is None:
            return image
        cropped = self._preprocessing.cropped(camera_key, image)
        size = self._preprocessing.resize
        if size is not None and 4 * size[0] * size[1] < cropped.shape[-2] * cropped.shape[-1]:
            return self._preprocessing.resized(cropped.contiguous())
        return cropped

    def _shrink(self, newest: tuple[int, str]) -> None:
        while self.nbytes > self.max_bytes and next(iter(self._kept)) != newest:
            self._kept.popitem(last=False)
            if not self._warned:
                logger.warning(
                    "The frame cache is full at %.1f GB: episodes are decoded again when they are needed "
                    "again. Reading in order stays fast, shuffled reading does not.",
                    self.max_bytes / 2**30,
                )
                self._warned = True


def _half_of_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
