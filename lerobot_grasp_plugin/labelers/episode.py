"""The episode that labelers get, of a dataset on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.dataset.reader import DatasetReader


class StoredEpisode:
    """Reads the table and decodes the images of one episode when they are asked for.

    Args:
        reader: The dataset.
        index: ``episode_index``.
        frames: Decodes the images; episodes of one dataset share it.
    """

    def __init__(self, reader: DatasetReader, index: int, frames: EpisodeFrames) -> None:
        self._reader, self._frames = reader, frames
        self.index = index
        self.length = int(reader.lengths[index])
        self.fps = reader.info.fps
        self.features = reader.info.features

    def values(self, column: str) -> NDArray[Any] | None:
        if column not in self.features:
            return None
        for batch in self._reader.read([self.index], [column]):
            if column in batch.table.column_names:
                return to_numpy(batch.table[column])
        return None

    def images(self, camera_key: str, frames: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        feature = self.features.get(camera_key)
        if feature is not None and feature.dtype == "video":
            self._reader.require([self.index], [camera_key])
        return self._frames.decode(self.index, camera_key, frames)
