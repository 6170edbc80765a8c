"""Images for the page: thumbnails of whole episodes, and single frames, cached as files within a bound."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.findings.problem import GraspError

CHUNK = 20
"""Thumbnails in one strip."""
THUMB_HEIGHT = 96
STRIP_BYTES = 128 * 2**20
"""Maximum size of cached thumbnails: about 80,000 frames of 640x480."""
FRAME_BYTES = 64 * 2**20
"""Maximum size of cached full-size frames."""
_PATIENCE_S = 120.0
_LOOK_S = 0.2


@dataclass
class _Film:
    """The thumbnails of one episode and camera, as far as they are decoded.

    Attributes:
        length: Frames of the episode.
        strips: JPEG files of ``CHUNK`` thumbnails each, from the first frame on.
        wanted: Number of requests that wait for it.
        decoding: Whether a thread decodes it.
        error: Why the last thread ended before the end of the episode.
    """

    length: int
    strips: list[bytes] = field(default_factory=list)
    wanted: int = 0
    decoding: bool = False
    error: Exception | None = None

    @property
    def complete(self) -> bool:
        """Whether every thumbnail exists."""
        return len(self.strips) * CHUNK >= self.length

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(map(len, self.strips))


class Images:
    """Thumbnails and exact frames of a dataset.

    Only files are cached, no pixels: what was viewed before is available at once, up to a bound. Decoding of
    an episode that no request waits for stops while a request waits for another one, and continues later.

    Args:
        reader: The open dataset.
        strip_bytes: Maximum size of thumbnails; the last viewed episode is always kept.
        frame_bytes: Maximum size of full-size frames.
    """

    def __init__(
        self, reader: DatasetReader, strip_bytes: int = STRIP_BYTES, frame_bytes: int = FRAME_BYTES
    ) -> None:
        self._reader = reader
        self._frames = EpisodeFrames(reader)
        self._strip_bytes, self._frame_bytes = strip_bytes, frame_bytes
        self._films: OrderedDict[tuple[int, str], _Film] = OrderedDict()
        self._files: OrderedDict[tuple[int, str, int, bool], bytes] = OrderedDict()
        self._kept = 0
        self._changed = threading.Condition()

    def strip(self, episode: int, camera: str, chunk: int, gone: threading.Event | None = None) -> bytes:
        """A JPEG of ``CHUNK`` thumbnails next to each other, as soon as they are decoded.

        Args:
            episode: ``episode_index``.
            camera: Camera key.
            chunk: Which ``CHUNK`` frames, from 0.
            gone: Set when the request was cancelled.

        Raises:
            GraspError: A frame up to there cannot be decoded.
            InterruptedError: The request was cancelled.
            TimeoutError: It takes minutes.
        """
        with self._changed:
            film = self._film(episode, camera)
            film.wanted += 1
            try:
                self._start(episode, camera, film)
                waited = 0.0
                while len(film.strips) <= chunk:
                    if gone is not None and gone.is_set():
                        raise InterruptedError("the request was cancelled")
                    if film.error is not None:
                        raise film.error
                    if waited > _PATIENCE_S:
                        raise TimeoutError("decoding takes too long")
                    self._start(episode, camera, film)
                    waited += 0 if self._changed.wait(_LOOK_S) else _LOOK_S
                return film.strips[chunk]
            finally:
                film.wanted -= 1

    def ahead(self, episode: int, camera: str) -> None:
        """Begins to decode the thumbnails of an episode that will be viewed, unless a request waits."""
        with self._changed:
            if not any(film.wanted for film in self._films.values()):
                self._start(episode, camera, self._film(episode, camera))

    def frame(self, episode: int, camera: str, frame: int, *, exact: bool) -> bytes:
        """One image in full size: PNG, or JPEG if it need not be exact.

        Raises:
            GraspError: It cannot be decoded.
        """
        key = (episode, camera, frame, exact)
        with self._changed:
            if key in self._files:
                self._files.move_to_end(key)
                return self._files[key]
        _, pixels = next(iter(self._frames.decode(episode, camera, [frame])))
        kind, options = ("PNG", {"compress_level": 1}) if exact else ("JPEG", {"quality": 90})
        file = _encoded(pixels, kind, **options)
        with self._changed:
            if key not in self._files:
                self._files[key] = file
                self._kept += len(file)
            while self._kept > self._frame_bytes and len(self._files) > 1:
                self._kept -= len(self._files.popitem(last=False)[1])
        return file

    @property
    def kept_bytes(self) -> tuple[int, int]:
        """Bytes of cached thumbnails and frames."""
        with self._changed:
            return sum(film.size for film in self._films.values()), self._kept

    def _film(self, episode: int, camera: str) -> _Film:
        key = (episode, camera)
        if key not in self._films:
            self._films[key] = _Film(int(self._reader.lengths[episode]))
        self._films.move_to_end(key)
        return self._films[key]

    def _start(self, episode: int, camera: str, film: _Film) -> None:
        if film.decoding or film.complete:
            return
        film.decoding, film.error = True, None
        threading.Thread(target=self._decode, args=(episode, camera, film), daemon=True).start()

    def _decode(self, episode: int, camera: str, film: _Film) -> None:
        error: Exception | None = None
        try:
            self._decode_strips(episode, camera, film)
        except (GraspError, OSError, ValueError) as found:
            error = found
        with self._changed:
            film.decoding, film.error = False, error
            self._changed.notify_all()

    def _decode_strips(self, episode: int, camera: str, film: _Film) -> None:
        thumbs: list[NDArray[np.uint8]] = []
        rest = range(len(film.strips) * CHUNK, film.length)
        for frame, pixels in self._frames.decode(episode, camera, rest):
            thumbs.append(_thumbnail(pixels))
            if len(thumbs) < CHUNK and frame < film.length - 1:
                continue
            strip = _encoded(np.concatenate(thumbs, axis=1), "JPEG", quality=82)
            thumbs.clear()
            with self._changed:
                film.strips.append(strip)
                self._shrink(episode)
                self._changed.notify_all()
                if not film.wanted and any(other.wanted for other in self._films.values()):
                    return

    def _shrink(self, current: int) -> None:
        total = sum(film.size for film in self._films.values())
        for key, film in list(self._films.items()):
            if total <= self._strip_bytes:
                return
            if key[0] != current and not film.wanted and not film.decoding:
                total -= self._films.pop(key).size


def _thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    size = (max(1, round(width * THUMB_HEIGHT / height)), THUMB_HEIGHT)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=1.5))


def _encoded(pixels: NDArray[np.uint8], kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()
