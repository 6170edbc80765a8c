"""``meta/grasp_provenance.json`` as a value: how labels were made, and where each episode is from.

What is missing or damaged in it says nothing: nobody who reads labels is kept from it by a damaged sidecar
(verify names the damage).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.labels import LabelValues
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.dataset.recording import read_recording
from lerobot_grasp_plugin.findings.problem import DatasetError


@dataclass(frozen=True)
class Provenance:
    """A provenance sidecar, as far as it can be understood.

    Attributes:
        labels: How the labels were made, by option; empty where it does not say.
        sources: The sources in order; an empty entry for each one that is damaged.
        episodes: The entry of each episode, by ``episode_index``.
        made_as: The ``repo_id`` it was made as; None where it does not say.
    """

    labels: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[Mapping[str, Any]] = ()
    episodes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    made_as: str | None = None

    @classmethod
    def of(cls, raw: object) -> Provenance:
        """The sidecar of a JSON value."""
        entries = _mapping(raw)
        sources, episodes = entries.get("sources"), entries.get("episodes")
        return cls(
            _mapping(entries.get("labels")),
            tuple(map(_mapping, sources)) if isinstance(sources, list) else (),
            dict(_numbered(episodes)) if isinstance(episodes, list) else {},
            _mapping(entries.get("recipe")).get("new_repo_id"),
        )

    @property
    def values(self) -> LabelValues | None:
        """The rewards of success and failure frames."""
        return LabelValues.of(self.labels)

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

    def origin(self, episode: int) -> tuple[Path, int] | None:
        """Folder and ``episode_index`` that an episode was taken from; None where it does not say."""
        entry = self.episodes.get(episode, {})
        number, source_episode = entry.get("source"), entry.get("source_episode")
        if type(number) is not int or type(source_episode) is not int or not 0 <= number < len(self.sources):
            return None
        root = self.sources[number].get("root")
        return (Path(root), source_episode) if isinstance(root, str) else None

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
    try:
        return Provenance.of(read_json(root / layout.PROVENANCE_PATH))
    except DatasetError:
        return Provenance()


def stored_values(root: Path) -> LabelValues | None:
    """The rewards of success and failure frames that a sidecar of a dataset states.

    From ``meta/grasp_provenance.json``, else from ``meta/grasp_recording.json``; None without them.
    """
    values, recording = read_provenance(root).values, read_recording(root)
    return values if values is not None or recording is None else recording.values


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _numbered(episodes: Sequence[object]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for entry in episodes:
        if isinstance(entry, Mapping) and type(entry.get("episode_index")) is int:
            yield entry["episode_index"], entry
