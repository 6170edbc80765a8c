import numpy as np
from lerobot.cameras import Camera


class Still(Camera):
    """A grey image with a bright square that moves one pixel with each image."""

    def __init__(self, config):
        super().__init__(config)
        self._on = False
        self._count = 0

    @property
    def is_connected(self):
        return self._on

    @staticmethod
    def find_cameras():
        return []

    def connect(self, warmup=True):
        self._on = True

    def read(self, *args):
        image = np.full((self.height, self.width, 3), 90, np.uint8)
        left = self._count % (self.width - 8)
        image[4:12, left : left + 8] = 250
        self._count += 1
        return image

    async_read = read

    def read_latest(self, max_age_ms=500):
        return self.read()

    def disconnect(self):
        self._on = False
