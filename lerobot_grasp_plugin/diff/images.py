"""Hashes of the coded images of both datasets, by the packets of their videos; nothing is decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.core.timeline import frame_of
from lerobot_grasp_plugin.core.video_index import VideoIndex
from lerobot_grasp_plugin.diff.contents import Contents, add_hashes
from lerobot_grasp_plugin.diff.side import Side
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import Place, Problem, VideoError
from lerobot_grasp_plugin.video.packet_hash import HASH_BYTES
from lerobot_grasp_plugin.video.probe import scan

_WORKERS = 4
"""Threads that read videos; more than cores, because they wait for the disk."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Frames of one episode in a video file.

    Attributes:
        images: Takes their hashes, shape (frames, ``HASH_BYTES``).
        first: The first one on the file's grid, 0-based.
    """

    images: NDArray[np.uint8]
    first: int


def read_images(sides: Sequence[tuple[Side, Contents]], cameras: Sequence[str], progress: Progress) -> None:
    """Adds the images of all episodes to the contents; a file of both datasets is read once.

    Args:
        sides: The datasets, each with its contents.
        cameras: The cameras.
        progress: Called after each file.

    Raises:
        VideoError: Videos cannot be read, or their frames are not on the grid of the frame rate.
    """
    problems = Gathered()
    files: dict[tuple[int, int, float], tuple[Path, list[_Span]]] = {}
    for side, contents in sides:
        starts = contents.starts
        for camera in cameras:
            images = np.zeros((int(starts[-1]), HASH_BYTES), np.uint8)
            contents.images[camera] = images
            for episode in range(side.episodes):
                with problems:
                    path, first = _place(side, camera, episode)
                    state = path.stat()
                    spans = files.setdefault((state.st_dev, state.st_ino, side.reader.info.fps), (path, []))[
                        1
                    ]
                    spans.append(_Span(images[starts[episode] : starts[episode + 1]], first))
    pool = ThreadPoolExecutor(_WORKERS)
    try:
        jobs = deque(
            (spans, pool.submit(partial(scan, path, fps, hashes=True)))
            for (_, _, fps), (path, spans) in files.items()
        )
        while jobs:
            spans, job = jobs.popleft()
            with problems:
                _fill(spans, job.result())
            progress("reading videos", len(files) - len(jobs), len(files))
    finally:
        pool.shutdown(cancel_futures=True)
    problems.raise_all()
    for _, contents in sides:
        for camera in cameras:
            add_hashes(contents, camera, contents.images[camera], contents.lengths.tolist())


def _place(side: Side, camera: str, episode: int) -> tuple[Path, int]:
    """The video file of an episode, and its first frame there.

    Raises:
        VideoError: ``from_timestamp`` is not the time of a frame.
    """
    span = side.reader.video_span(episode, camera)
    try:
        return span.path, frame_of(span.from_timestamp, side.reader.info.fps)
    except ValueError as error:
        place = Place(str(span.path), episode=episode)
        raise VideoError(Problem("video-off-grid", f"from_timestamp: {error}", place)) from None


def _fill(spans: Sequence[_Span], index: VideoIndex) -> None:
    """Takes the hashes of the spans out of a file; zeros stand for frames that it does not show."""
    assert index.hashes is not None
    frames, hashes = index.frames[index.shown], index.hashes[index.shown]
    order = np.argsort(frames)
    frames, hashes = frames[order], hashes[order]
    for span in spans:
        low, high = np.searchsorted(frames, (span.first, span.first + len(span.images)))
        span.images[frames[low:high] - span.first] = hashes[low:high]
