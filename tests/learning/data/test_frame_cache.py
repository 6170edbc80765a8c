from __future__ import annotations

import numpy as np
import pytest
import torch
from lerobot.datasets import LeRobotDataset

from lerobot_grasp_plugin.findings.problem import DatasetError, UsageError
from lerobot_grasp_plugin.learning.data import frame_reader
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.frame_cache import FrameCache
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing

WRIST, FRONT = "observation.images.wrist", "observation.images.front"
SMALL = ImagePreprocessing({WRIST: (2, 10, 60, 60)}, (20, 20))
LARGE = ImagePreprocessing({WRIST: (2, 10, 60, 60)}, (50, 50))


@pytest.fixture
def decoded(monkeypatch):
    """The segments that are decoded."""
    segments = []

    def counted(path, start, *rest):
        segments.append((path, start))
        return original(path, start, *rest)

    original = frame_reader.decode_segment
    monkeypatch.setattr(frame_reader, "decode_segment", counted)
    return segments


@pytest.mark.parametrize("preprocessing", [None, SMALL, LARGE])
@pytest.mark.parametrize("name", ["av1", "split"])
def test_cached_images_are_the_decoded_ones_and_each_episode_is_decoded_once(
    recorded, decoded, name, preprocessing
):
    windows = {WRIST: [-0.1, 0.0, 0.1]} if preprocessing is SMALL else None
    plain = LeRobotDataset("lab/set", recorded(name), video_backend="pyav", delta_timestamps=windows)
    cached = GraspDataset(
        "lab/set", recorded(name), preprocessing=preprocessing, cache_frames=True, delta_timestamps=windows
    )
    cameras = plain.meta.video_keys
    for index in [*range(len(plain)), 0, len(plain) - 1]:
        one, other = cached[index], plain[index]
        for key in cameras:
            expected = preprocessing(key, other[key]) if preprocessing else other[key]
            assert torch.equal(one[key], expected)
            assert one[key].dtype == expected.dtype
    assert len(decoded) == len(set(decoded)) == plain.num_episodes * len(cameras)


def test_bytes_are_given_as_lerobot_gives_them(recorded):
    options = {"return_uint8": True, "video_backend": "pyav"}
    cached = GraspDataset("lab/set", recorded("av1"), cache_frames=True, **options)
    plain = LeRobotDataset("lab/set", recorded("av1"), **options)
    assert torch.equal(cached[4][WRIST], plain[4][WRIST])


@pytest.mark.parametrize(
    ("preprocessing", "dtype", "shape"),
    [
        (None, torch.uint8, (4, 3, 70, 90)),
        (SMALL, torch.float32, (4, 3, 20, 20)),
        (LARGE, torch.uint8, (4, 3, 60, 60)),
    ],
)
def test_the_smaller_form_that_loses_nothing_is_kept(preprocessing, dtype, shape):
    frames = FrameCache(preprocessing).episode(0, WRIST, 4, lambda: images(4))
    assert (frames.dtype, tuple(frames.shape)) == (dtype, shape)


def test_memory_is_bounded(caplog):
    size = 4 * 3 * 70 * 90
    cache = FrameCache(None, max_bytes=2 * size)
    decodes = []

    def read(episode: int) -> None:
        cache.episode(episode, WRIST, 4, lambda: decodes.append(episode) or images(4))

    for episode in (0, 1, 0, 2, 0, 1):
        read(episode)
        assert cache.nbytes <= 2 * size
    assert decodes == [0, 1, 2, 1]
    assert caplog.text.count("frame cache is full") == 1
    one = FrameCache(None, max_bytes=1)
    one.episode(0, WRIST, 4, lambda: images(4))
    assert one.nbytes == size


def test_a_video_that_ends_early_is_an_error():
    with pytest.raises(DatasetError, match="images of only 3 of 4 frames"):
        FrameCache(None).episode(0, WRIST, 4, lambda: images(3))


def test_filling_needs_a_cache(recorded):
    with pytest.raises(UsageError, match="cache_frames=True"):
        GraspDataset("lab/set", recorded("av1"), video_backend="pyav").fill_frame_cache()


def images(count: int) -> list[np.ndarray]:
    return [np.full((70, 90, 3), number, np.uint8) for number in range(count)]
