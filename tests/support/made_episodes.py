"""Episodes in memory, as a labeler sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lerobot_grasp_plugin.dataset.info import Feature


@dataclass
class MadeEpisode:
    """An episode whose columns and images a test gives; a column's last axis has ``names``."""

    columns: Mapping[str, np.ndarray]
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pixels: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)
    index: int = 0
    fps: float = 10

    @property
    def length(self) -> int:
        return max(map(len, [*self.columns.values(), *self.pixels.values()]))

    @property
    def features(self) -> dict[str, Feature]:
        columns = {
            name: Feature(str(values.dtype), values.shape[1:] or (1,), self.names.get(name), {})
            for name, values in self.columns.items()
        }
        cameras = {name: Feature("image", pixels[0].shape, None, {}) for name, pixels in self.pixels.items()}
        return columns | cameras

    def values(self, column: str) -> np.ndarray | None:
        return self.columns.get(column)

    def images(self, camera_key: str, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        for frame in sorted(frames):
            yield frame, self.pixels[camera_key][frame]
