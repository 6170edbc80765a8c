"""Thumbnails and frames of the page: kept within a bound, decoded ahead, and never taken from who waits."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import open_sources
from lerobot_grasp_plugin.review.images import CHUNK, Images
from tests.support.deadline import DEADLINE_S, wait_until


@pytest.fixture
def reader(long: Path) -> DatasetReader:
    return open_sources([SourceConfig(root=long)], [])[0].reader


class Slow:
    """Decodes a frame when it may, and counts."""

    def __init__(self, reader: DatasetReader) -> None:
        self.frames = EpisodeFrames(reader)
        self.may = threading.Semaphore(0)
        self.decoded: list[tuple[int, int]] = []

    def decode(self, episode: int, camera: str, only: range | list[int]):  # type: ignore[no-untyped-def]
        for frame, pixels in self.frames.decode(episode, camera, only):
            assert self.may.acquire(timeout=DEADLINE_S)
            self.decoded.append((episode, frame))
            yield frame, pixels


def test_strips_hold_every_frame(reader: DatasetReader) -> None:
    images, camera = Images(reader), reader.info.camera_keys[0]
    for chunk, count in enumerate((20, 20, 20, 6)):
        image = Image.open(io.BytesIO(images.strip(3, camera, chunk)))
        assert image.width % count == 0
    frame = np.asarray(Image.open(io.BytesIO(images.frame(3, camera, 65, exact=True))))
    (wanted,) = EpisodeFrames(reader).decode(3, camera, [65])
    assert np.array_equal(frame, wanted[1])
    assert images.frame(3, camera, 65, exact=True) is images.frame(3, camera, 65, exact=True)


def test_what_is_kept_is_bounded(reader: DatasetReader) -> None:
    camera = reader.info.camera_keys[0]
    size = len(Images(reader).strip(2, camera, 0))
    images = Images(reader, strip_bytes=4 * size, frame_bytes=10_000)
    for episode, length in enumerate(reader.lengths):
        for chunk in range(-(-int(length) // CHUNK)):
            images.strip(episode, camera, chunk)
        for frame in range(int(length)):
            images.frame(episode, camera, frame, exact=False)
    strips, frames = images.kept_bytes
    assert strips <= sum(len(images.strip(3, camera, chunk)) for chunk in range(4)) + 4 * size
    assert frames <= 10_000 + len(images.frame(3, camera, 65, exact=False))


def test_the_next_episode_is_decoded_ahead(reader: DatasetReader) -> None:
    images, camera = Images(reader), reader.info.camera_keys[0]
    images.strip(0, camera, 1)
    images.ahead(1, camera)
    wait_until(lambda: images._films[1, camera].complete, "it is not decoded")


def test_who_waits_is_served_first_and_work_goes_on_where_it_was(reader: DatasetReader) -> None:
    images, camera = Images(reader), reader.info.camera_keys[0]
    slow = images._frames = Slow(reader)  # type: ignore[assignment]  # a double
    images.ahead(1, camera)
    found: list[bytes] = []
    waiting = threading.Thread(target=lambda: found.append(images.strip(2, camera, 0)))
    waiting.start()
    wait_until(lambda: images._films.get((2, camera)) is not None, "nobody waits")
    slow.may.release(12 + 20)  # what the two decode by then
    slow.may.release(20)
    waiting.join(DEADLINE_S)
    assert found
    wait_until(lambda: not images._films[1, camera].decoding or len(slow.decoded) >= 52, "it goes on")
    slow.may.release(1000)
    images.strip(1, camera, 5)
    frames = [frame for episode, frame in slow.decoded if episode == 1]
    assert sorted(set(frames)) == list(range(120))
    assert len(frames) < 120 + CHUNK


def test_who_is_gone_is_not_waited_for(reader: DatasetReader) -> None:
    images, camera = Images(reader), reader.info.camera_keys[0]
    slow = images._frames = Slow(reader)  # type: ignore[assignment]  # a double
    gone = threading.Event()
    gone.set()
    with pytest.raises(InterruptedError):
        images.strip(1, camera, 5, gone)
    assert images._films[1, camera].wanted == 0
    slow.may.release(1000)
