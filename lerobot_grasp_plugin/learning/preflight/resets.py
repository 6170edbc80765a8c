"""Where the gripper was sent before each episode, and where it came to, as the recording wrote it down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.learning.preflight.config_view import numbers_of
from lerobot_grasp_plugin.learning.preflight.dataset_facts import DatasetFacts, read_object

RECORDING_PATH = layout.RECORDING_PATH
"""What ``recording.records`` writes; that package imports lerobot."""


@dataclass(frozen=True)
class Reset:
    """The start of an episode.

    Attributes:
        episode: Its ``episode_index``.
        commanded: Where the gripper was sent, in metres from the robot's base, shape (3,).
        achieved: Where it came to, the same.
    """

    episode: int
    commanded: NDArray[np.float64]
    achieved: NDArray[np.float64]


def recorded_resets(dataset: DatasetFacts) -> list[Reset]:
    """Resets of the chosen episodes; those of a merged dataset are looked up in its sources."""
    found: list[Reset] = []
    recordings: dict[Path, Mapping[str, Any]] = {}
    for episode, root, number in _places(dataset):
        if root not in recordings:
            recordings[root] = _episodes(root)
        hooks = recordings[root].get(str(number), {}).get("hooks")
        for record in hooks.values() if isinstance(hooks, Mapping) else ():
            entry = record if isinstance(record, Mapping) else {}
            commanded, achieved = (numbers_of(entry.get(name)) for name in ("commanded", "achieved"))
            if commanded is not None and achieved is not None and len(commanded) == len(achieved) == 3:
                found.append(Reset(episode, np.array(commanded), np.array(achieved)))
    return found


def recorded_environments(dataset: DatasetFacts) -> list[Mapping[str, Any]]:
    """What LeRobot's environment noted of itself in the recordings of the chosen episodes."""
    found: list[Mapping[str, Any]] = []
    for root in dict.fromkeys(root for _, root, _ in _places(dataset)):
        sidecar = read_object(root / RECORDING_PATH) or {}
        several = sidecar.get("environments")  # of the sources of a merge
        for noted in (sidecar.get("environment"), *(several if isinstance(several, list) else ())):
            if isinstance(noted, Mapping) and noted not in found:
                found.append(noted)
    return found


def _places(dataset: DatasetFacts) -> Iterator[tuple[int, Path, int]]:
    """Each chosen episode: its number, and the folder and number it was recorded under."""
    chosen = dataset.episodes.tolist()
    if (dataset.root / RECORDING_PATH).is_file():
        yield from ((episode, dataset.root, episode) for episode in chosen)
        return
    sources = (dataset.provenance or {}).get("sources")
    entries = (dataset.provenance or {}).get("episodes")
    if not isinstance(sources, list) or not isinstance(entries, list):
        return
    for entry in entries:
        if not isinstance(entry, Mapping) or entry.get("episode_index") not in chosen:
            continue
        number, source_episode = entry.get("source"), entry.get("source_episode")
        source = sources[number] if isinstance(number, int) and 0 <= number < len(sources) else None
        root = source.get("root") if isinstance(source, Mapping) else None
        if isinstance(root, str) and isinstance(source_episode, int):
            yield int(entry["episode_index"]), Path(root), source_episode


def _episodes(root: Path) -> Mapping[str, Any]:
    episodes = (read_object(root / RECORDING_PATH) or {}).get("episodes")
    return {
        str(name): entry
        for name, entry in (episodes.items() if isinstance(episodes, Mapping) else ())
        if isinstance(entry, Mapping)
    }
