"""The camera of the config: a grey image with a moving square."""

from __future__ import annotations

from typing import Any

import numpy as np
from lerobot.cameras import Camera, CameraConfig
from numpy.typing import NDArray


class Still(Camera):
    """A grey image with a bright square that moves one pixel with each image."""

    def __init__(self, config: CameraConfig) -> None:
        super().__init__(config)
        self._on = False
        self._count = 0

    @property
    def is_connected(self) -> bool:
        return self._on

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        return []

    def connect(self, warmup: bool = True) -> None:
        self._on = True

    def read(self, *args: Any) -> NDArray[Any]:
        image = np.full((self.height, self.width, 3), 90, np.uint8)
        left = self._count % (self.width - 8)
        image[4:12, left : left + 8] = 250
        self._count += 1
        return image

    async_read = read

    def read_latest(self, max_age_ms: int = 500) -> NDArray[Any]:
        return self.read()

    def disconnect(self) -> None:
        self._on = False
