"""Computes statistics of images, for sources that store none (format v2.0).

Samples and shrinks images as ``lerobot/datasets/compute_stats.py`` does, so that the numbers are
comparable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.core.stats import STATISTICS, episode_stats
from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.merging.sources import Source

_FEWEST, _MOST, _POWER = 100, 10_000, 0.75
_LARGE, _SHRUNK = 300, 150


def sampled_frames(length: int) -> list[int]:
    """Frames that LeRobot samples for the statistics of an episode of ``length`` frames, 0-based."""
    count = max(min(_FEWEST, length), min(int(length**_POWER), _MOST))
    return [int(frame) for frame in np.round(np.linspace(0, length - 1, count))]


def shrunk(image: NDArray[Any]) -> NDArray[Any]:
    """Every n-th pixel of a large image of shape (height, width, channels), as LeRobot takes it."""
    height, width = image.shape[:2]
    if max(height, width) < _LARGE:
        return image
    step = int((width if width > height else height) / _SHRUNK)
    return image[::step, ::step]


def measure_images(source: Source, name: str, progress: Progress) -> dict[str, NDArray[Any]]:
    """Statistics of one camera for every chosen episode of a source.

    Returns:
        ``STATISTICS`` by name, shape (episodes, channels), values in [0, 1]; ``count`` is the number
        of sampled images.
    """
    rows: list[dict[str, NDArray[Any]]] = []
    progress(f"measuring {name}", 0, len(source.episodes))
    for number, episode in enumerate(source.episodes, start=1):
        images = [shrunk(image) for image in _images(source, name, episode)]
        pixels = np.concatenate([image.reshape(-1, image.shape[-1]) for image in images])
        stats = episode_stats(pixels, [len(pixels)])
        scaled = {key: values if key == "count" else values / 255.0 for key, values in stats.items()}
        rows.append({**scaled, "count": np.array([[len(images)]])})
        progress(f"measuring {name}", number, len(source.episodes))
    return {key: np.concatenate([row[key] for row in rows]) for key in STATISTICS}


def _images(source: Source, name: str, episode: int) -> Iterator[NDArray[Any]]:
    wanted = sampled_frames(int(source.reader.lengths[episode]))
    decoded = dict(EpisodeFrames(source.reader).decode(episode, source.original[name], wanted))
    yield from (decoded[frame] for frame in wanted)
