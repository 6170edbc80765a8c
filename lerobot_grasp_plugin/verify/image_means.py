"""Compares the colours of decoded frames with the recorded statistics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset.info import is_depth
from lerobot_grasp_plugin.dataset.provenance import find_provenance
from lerobot_grasp_plugin.findings.problem import EPISODES, Problem
from lerobot_grasp_plugin.verify.place import Tally
from lerobot_grasp_plugin.verify.stored_stats import read_stored_stats
from lerobot_grasp_plugin.verify.view import View

_SAMPLES = 20
"""Sampled frames per episode; LeRobot also samples frames for its statistics."""
_WIDTH, _HEIGHT = 32, 24
_OTHER, _LIKE = 0.05, 0.02
"""Minimum deviation of a channel's mean, in [0, 1], and maximum distance to another camera's. Coding and
sampling cause at most 0.012 in real recordings."""


class ImageMeans:
    """The mean of each colour channel in every episode, from a few of its frames.

    Args:
        view: The dataset.
    """

    def __init__(self, view: View) -> None:
        stored = read_stored_stats(view).episodes or {}
        features = view.info.features
        means = {key: stored.get(key, {}).get("mean") for key in view.video_keys}
        self._stored = {
            key: values
            for key, values in means.items()
            if values is not None and values.shape[1] == 3 and not is_depth(features[key])
        }
        self._rows = view.rows_of
        sidecar = find_provenance(view.root)
        entries = {} if sidecar is None else sidecar.episodes
        self._parts = {number for number, entry in entries.items() if entry.from_frame is not None}
        self._sums: dict[tuple[str, int], tuple[NDArray[np.float64], int]] = {}
        self._files: dict[tuple[str, int], Path] = {}

    def see(
        self, key: str, path: Path, episode: int, frame: int, length: int, video_frame: VideoFrame
    ) -> None:
        """Takes frame ``frame`` of an episode of ``length`` frames, as one camera shows it."""
        if key not in self._stored or frame % max(1, length // _SAMPLES):
            return
        if episode in self._parts:  # their statistics are those of the whole source episode
            return
        small = video_frame.reformat(width=_WIDTH, height=_HEIGHT, format="rgb24").to_ndarray()
        total, number = self._sums.get((key, episode), (np.zeros(3), 0))
        self._sums[key, episode] = (total + small.reshape(-1, 3).mean(axis=0) / 255, number + 1)
        self._files.setdefault((key, episode), path)

    def found(self) -> Iterator[Problem]:
        """One finding for each camera with episodes that show other images."""
        tallies: dict[str, Tally] = {}
        for (key, episode), (total, number) in self._sums.items():
            row = self._rows.get(episode)
            if row is None:
                continue
            seen, said = total / number, self._stored[key][row]
            if not (np.abs(said) <= 1).all():  # no numbers, or from 0 to 255, which has its own finding
                continue
            if float(np.abs(seen - said).max()) > _OTHER:
                example = f"their mean is {_shown(seen)}, but {_shown(said)} in the statistics"
                example += self._fitting(key, row, seen)
                path = self._files[key, episode]
                tallies.setdefault(key, Tally()).add(path, episode, None, number, example)
        for key, tally in tallies.items():
            message = (
                f"{key!r}: the images of {EPISODES} do not match the recorded statistics: {tally.example}"
            )
            hint = "check whether the video is of another camera or episode, or was changed after recording"
            yield tally.problem("video-other-pictures", message, hint)

    def _fitting(self, key: str, row: int, seen: NDArray[np.float64]) -> str:
        for other, values in self._stored.items():
            if other != key and float(np.abs(values[row] - seen).max()) < _LIKE:
                return f"; the statistics of {other!r} match"
        return ""


def _shown(mean: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{value:.2f}' for value in mean)})"
