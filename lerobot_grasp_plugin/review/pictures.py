"""Pictures for the page: each episode decoded once, kept within a bound."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.ops.episode_frames import EpisodeFrames

CHUNK = 20
"""Thumbnails in one strip picture."""
THUMB_HEIGHT = 96
CACHE_BYTES = 384 * 2**20


class _Roll:
    """The pictures of one episode and camera while and after they are decoded."""

    def __init__(self, length: int, keep: bool) -> None:
        self.length = length
        self.keep = keep
        self.full: list[NDArray[np.uint8]] = []
        self.thumbs: list[NDArray[np.uint8]] = []
        self.size = 0
        self.error: Exception | None = None
        self.abandoned = False
        self.more = threading.Condition()

    def wait(self, count: int) -> None:
        with self.more:
            self.more.wait_for(lambda: len(self.thumbs) >= count or self.error is not None, timeout=120)
            if len(self.thumbs) < count:
                raise self.error or TimeoutError("decoding takes too long")


class Pictures:
    """Thumbnails and exact frames of a dataset.

    Args:
        reader: The open dataset.
        cache_bytes: The most that is kept; the episode looked at last always is, as thumbnails.
    """

    def __init__(self, reader: DatasetReader, cache_bytes: int = CACHE_BYTES) -> None:
        self._reader = reader
        self._frames = EpisodeFrames(reader)
        self._bound = cache_bytes
        self._rolls: OrderedDict[tuple[int, str], _Roll] = OrderedDict()
        self._lock = threading.Lock()

    def strip(self, episode: int, camera: str, chunk: int) -> bytes:
        """A JPEG of ``CHUNK`` thumbnails side by side, as soon as they are decoded.

        Args:
            episode: ``episode_index``.
            camera: Camera key.
            chunk: Which ``CHUNK`` frames, from 0.
        """
        roll = self._roll(episode, camera)
        start, stop = chunk * CHUNK, min((chunk + 1) * CHUNK, roll.length)
        roll.wait(stop)
        return _encoded(np.concatenate(roll.thumbs[start:stop], axis=1), "JPEG", quality=82)

    def frame(self, episode: int, camera: str, frame: int, *, exact: bool) -> bytes:
        """One picture in full size: PNG, or JPEG where it need not be exact."""
        roll = self._roll(episode, camera)
        if roll.keep:
            roll.wait(frame + 1)
            pixels = roll.full[frame]
        else:
            _, pixels = next(iter(self._frames.decode(episode, camera, [frame])))
        if exact:
            return _encoded(pixels, "PNG", compress_level=1)
        return _encoded(pixels, "JPEG", quality=90)

    @property
    def cached_bytes(self) -> int:
        """Bytes of pixels held now."""
        with self._lock:
            return sum(roll.size for roll in self._rolls.values())

    def _roll(self, episode: int, camera: str) -> _Roll:
        key = (episode, camera)
        with self._lock:
            roll = self._rolls.get(key)
            if roll is not None and roll.error is None:
                self._rolls.move_to_end(key)
                return roll
            height, width = self._reader.info.features[camera].image_size
            length = int(self._reader.lengths[episode])
            cameras = max(1, len(self._reader.info.camera_keys))
            roll = _Roll(length, length * height * width * 3 * cameras <= self._bound)
            self._rolls[key] = roll
            for other_key, other in self._rolls.items():
                if other_key[0] != episode and len(other.thumbs) < other.length:
                    other.abandoned = True
        threading.Thread(target=self._decode, args=(key, roll), daemon=True).start()
        return roll

    def _decode(self, key: tuple[int, str], roll: _Roll) -> None:
        try:
            for _, pixels in self._frames.decode(*key):
                thumb = _thumbnail(pixels)
                with roll.more:
                    if roll.keep:
                        roll.full.append(pixels)
                        roll.size += pixels.nbytes
                    roll.thumbs.append(thumb)
                    roll.size += thumb.nbytes
                    roll.more.notify_all()
                if roll.abandoned:
                    raise InterruptedError("another episode is looked at")
                if len(roll.thumbs) % CHUNK == 0:
                    self._shrink(key)
        except (GraspError, OSError, ValueError) as error:
            with roll.more:
                roll.error = error
                roll.more.notify_all()
        self._shrink(key)

    def _shrink(self, current: tuple[int, str]) -> None:
        with self._lock:
            for key in [key for key, roll in self._rolls.items() if roll.abandoned and roll.error]:
                del self._rolls[key]
            total = sum(roll.size for roll in self._rolls.values())
            for key in list(self._rolls):
                if total <= self._bound:
                    break
                if key[0] != current[0]:
                    total -= self._rolls.pop(key).size


def _thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    size = (max(1, round(width * THUMB_HEIGHT / height)), THUMB_HEIGHT)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=1.5))


def _encoded(pixels: NDArray[np.uint8], kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()
