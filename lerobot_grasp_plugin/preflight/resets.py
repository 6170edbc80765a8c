"""Reads the recorded resets: the commanded and the achieved gripper position before each episode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.recording import RecordingSidecar, read_recording
from lerobot_grasp_plugin.preflight.config_view import numbers_of
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts


@dataclass(frozen=True)
class Reset:
    """The start of an episode.

    Attributes:
        episode: Its ``episode_index``.
        commanded: Commanded gripper position, in metres from the robot's base, shape (3,).
        achieved: Achieved position, likewise.
    """

    episode: int
    commanded: NDArray[np.float64]
    achieved: NDArray[np.float64]


def recorded_resets(dataset: DatasetFacts) -> list[Reset]:
    """Resets of the chosen episodes; for a merged dataset, those of its sources."""
    found: list[Reset] = []
    recordings: dict[Path, RecordingSidecar | None] = {}
    for episode, root, number in _places(dataset):
        if root not in recordings:
            recordings[root] = read_recording(root)
        recording = recordings[root]
        known = recording.entry(number) if recording is not None else None
        hooks = known.get("hooks") if known is not None else None
        for record in hooks.values() if isinstance(hooks, Mapping) else ():
            entry = record if isinstance(record, Mapping) else {}
            commanded, achieved = (numbers_of(entry.get(name)) for name in ("commanded", "achieved"))
            if commanded is not None and achieved is not None and len(commanded) == len(achieved) == 3:
                found.append(Reset(episode, np.array(commanded), np.array(achieved)))
    return found


def recorded_environments(dataset: DatasetFacts) -> list[Mapping[str, Any]]:
    """The environment's settings as noted in the recordings of the chosen episodes."""
    found: list[Mapping[str, Any]] = []
    for root in dict.fromkeys(root for _, root, _ in _places(dataset)):
        recording = read_recording(root)
        for noted in recording.environments if recording is not None else ():
            if noted not in found:
                found.append(noted)
    return found


def _places(dataset: DatasetFacts) -> Iterator[tuple[int, Path, int]]:
    """Each chosen episode with the folder and number of its recording."""
    chosen = dataset.episodes.tolist()
    if (dataset.root / layout.RECORDING_PATH).is_file():
        yield from ((episode, dataset.root, episode) for episode in chosen)
        return
    for episode in chosen:
        if (origin := dataset.provenance.origin(episode)) is not None:
            yield episode, *origin
