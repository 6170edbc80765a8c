"""Every episode's pictures against the headers of the video files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.reader import VideoSpan
from lerobot_grasp_plugin.errors import GraspError, Problem
from lerobot_grasp_plugin.video.probe import header


def check_videos(
    root: Path,
    fps: float,
    features: Mapping[str, Mapping[str, Any]],
    spans: Mapping[str, Sequence[VideoSpan | None]],
    lengths: NDArray[np.int64],
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Problem]:
    """Frames in each file against the rows that refer to it.

    Args:
        root: The dataset's folder.
        fps: Frames per second.
        features: As ``info.json`` has them, those that are well-formed.
        spans: Per video key, where each episode's pictures are; None where the metadata cannot say.
        lengths: Rows of each episode, int64, shape (episodes,).
        progress: Told how many files of how many are done.
    """
    total, done = sum(len({span.path for span in each if span}) for each in spans.values()), 0
    for key, each in spans.items():
        needed: dict[Path, int] = {}
        used: dict[Path, int] = {}
        for episode, (span, length) in enumerate(zip(each, lengths.tolist(), strict=True)):
            if span is None:
                continue
            start = round(span.from_timestamp * fps)
            deviation = span.from_timestamp - start / fps
            if abs(deviation) > layout.TIMESTAMP_TOLERANCE_S:
                message = f"{key!r}: from_timestamp is {deviation:+.6f} s off the grid"
                yield Problem("video-off-grid", message, str(span.path), episode=episode)
            used[span.path] = used.get(span.path, 0) + length
            needed[span.path] = max(needed.get(span.path, 0), start + length)
        for path, frames in needed.items():
            done += 1
            if progress is not None:
                progress(done, total)
            if path.is_file():
                yield from _frames(path, frames, used[path], fps)


def _frames(path: Path, needed: int, used: int, fps: float) -> Iterator[Problem]:
    try:
        held = header(path).frames
    except GraspError as error:
        yield from error.problems
        return
    if held < needed:
        yield Problem("video-too-short", f"{held} frames, but rows refer to {needed}", str(path))
    elif held > used:
        surplus = held - used
        message = (
            f"{surplus} of {held} frames ({surplus / fps:.1f} s, {100 * surplus / held:.1f} %) "
            "belong to no row"
        )
        yield Problem("unreferenced-frames", message, str(path), severity="warning")
