"""``meta/grasp_provenance.json`` as a value: how labels were made, and where each episode is from.

What is missing or damaged in it says nothing: nobody who reads labels is kept from it by a damaged sidecar
(verify names the damage).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lerobot_grasp_plugin.core.labels import LabelValues
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.findings.problem import DatasetError


@dataclass(frozen=True)
class Provenance:
    """A provenance sidecar, as far as it can be understood.

    Attributes:
        labels: How the labels were made, by option; empty where it does not say.
        sources: The sources in order; an empty entry for each one that is damaged.
        episodes: The entry of each episode, by ``episode_index``.
    """

    labels: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[Mapping[str, Any]] = ()
    episodes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: object) -> Provenance:
        """The sidecar of a JSON value."""
        entries = _mapping(raw)
        sources, episodes = entries.get("sources"), entries.get("episodes")
        return cls(
            _mapping(entries.get("labels")),
            tuple(map(_mapping, sources)) if isinstance(sources, list) else (),
            dict(_numbered(episodes)) if isinstance(episodes, list) else {},
        )

    @property
    def values(self) -> LabelValues | None:
        """The rewards of success and failure frames."""
        return label_values(self.labels)

    @property
    def done(self) -> str | None:
        """How ``next.done`` was decided: in all sources alike, else as the call stated it."""
        dones = {entry["done"] for entry in self.sources if isinstance(entry.get("done"), str)}
        stated = dones.pop() if len(dones) == 1 else self.labels.get("done")
        return stated if isinstance(stated, str) else None

    @property
    def names(self) -> list[str]:
        """``repo_id`` of the sources that have one, each once."""
        return list(dict.fromkeys(str(entry["repo_id"]) for entry in self.sources if "repo_id" in entry))

    def sources_of_episodes(self) -> dict[int, str]:
        """The ``repo_id`` of each episode's source, by ``episode_index``."""
        found = {}
        for episode, entry in self.episodes.items():
            number = entry.get("source")
            if type(number) is int and 0 <= number < len(self.sources):
                found[episode] = str(self.sources[number].get("repo_id", f"source {number}"))
        return found

    def hashes_of_episodes(self) -> dict[int, str]:
        """``content_sha256`` of each episode that has one, by ``episode_index``."""
        hashes = {episode: entry.get("content_sha256") for episode, entry in self.episodes.items()}
        return {episode: value for episode, value in hashes.items() if isinstance(value, str)}


def read_provenance(root: Path) -> Provenance:
    """The provenance sidecar of a dataset; an empty one where there is none that can be read."""
    return Provenance.of(_read(root / layout.PROVENANCE_PATH))


def stored_values(root: Path) -> LabelValues | None:
    """The rewards of success and failure frames that a sidecar of a dataset states.

    From ``meta/grasp_provenance.json``, else from ``meta/grasp_recording.json``; None without them.
    """
    return read_provenance(root).values or recording_values(root)


def recording_values(root: Path) -> LabelValues | None:
    """The rewards of success and failure frames that ``meta/grasp_recording.json`` states."""
    return label_values(_mapping(_mapping(_read(root / layout.RECORDING_PATH)).get("labels")))


def label_values(labels: Mapping[str, Any]) -> LabelValues | None:
    """The reward values among label options; None where they are not two different numbers."""
    success, failure = labels.get("success_value"), labels.get("failure_value")
    if not _is_number(success) or not _is_number(failure) or np.float32(success) == np.float32(failure):
        return None
    return LabelValues(float(success), float(failure))  # type: ignore[arg-type]  # numbers, as just seen


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        with np.errstate(over="ignore"):
            return bool(np.isfinite(np.float32(value)))
    except OverflowError:
        return False


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _numbered(episodes: Sequence[object]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for entry in episodes:
        if isinstance(entry, Mapping) and type(entry.get("episode_index")) is int:
            yield entry["episode_index"], entry


def _read(path: Path) -> object:
    try:
        return read_json(path)
    except DatasetError:
        return None
