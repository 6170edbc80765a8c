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
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem


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


@dataclass(frozen=True)
class SidecarEpisode:
    """What the sidecar says of one episode.

    Attributes:
        source: Which source, 0-based; -1 where it does not say.
        length: Rows; None where it does not say.
        digest: Content hash.
        success: Success rows as half-open ranges; None where the episode was not labelled.
    """

    source: int
    length: int | None
    digest: str | None
    success: Sequence[tuple[int, int]] | None


@dataclass
class Sidecar:
    """A provenance sidecar in detail, with what is wrong with it.

    Attributes:
        where: The file.
        episodes: By ``episode_index``.
        names: Name of each source.
        dones: How done was decided in each source; None where it does not say.
        renames: Per source, the name each column had there, where it is another.
        values: The rewards of success and failure; None where nothing was labelled.
        problems: What is wrong with it.
    """

    where: Path
    episodes: dict[int, SidecarEpisode] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    dones: list[str | None] = field(default_factory=list)
    renames: list[dict[str, str]] = field(default_factory=list)
    values: LabelValues | None = None
    problems: list[Problem] = field(default_factory=list)

    def done_of(self, episode: int) -> str | None:
        """How done was decided in an episode."""
        entry = self.episodes.get(episode)
        known = entry is not None and 0 <= entry.source < len(self.dones)
        return self.dones[entry.source] if entry is not None and known else None


def inspect_provenance(root: Path) -> Sidecar | None:
    """The provenance sidecar of a dataset with what is wrong with it; None where it has none."""
    path = root / layout.PROVENANCE_PATH
    if not path.exists():
        return None
    sidecar = Sidecar(path)
    try:
        raw = read_json(path)
        sidecar.values = Provenance.of(raw).values  # also where other parts are damaged
        _read(sidecar, raw)
    except DatasetError as error:
        for problem in error.problems:
            sidecar.problems.append(
                Problem("bad-sidecar", problem.message, problem.place, severity="warning")
            )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        message = f"it is not what this package writes: {type(error).__name__} at {error}"
        sidecar.problems.append(Problem("bad-sidecar", message, path, severity="warning"))
    return sidecar


def _read(sidecar: Sidecar, raw: Any) -> None:
    for source in raw["sources"]:
        sidecar.names.append(str(source["repo_id"]).rsplit("/", 1)[-1])
        sidecar.dones.append(_text(source.get("done"), "done"))
        sidecar.renames.append({new: old for old, new in (source.get("rename") or {}).items()})
    labels = raw.get("labels")
    if labels is not None and LabelValues.of(labels) is None:
        raise ValueError("labels, whose success_value and failure_value are not two different numbers")
    for entry in raw["episodes"]:
        ranges = entry.get("success")
        success = None if ranges is None else [(int(start), int(stop)) for start, stop in ranges]
        length = None if entry.get("length") is None else int(entry["length"])
        episode = int(entry["episode_index"])
        if episode in sidecar.episodes:
            raise ValueError(f"episode {episode}, which is there twice")
        for start, stop in success or ():
            if not 0 <= start < stop <= (stop if length is None else length):
                raise ValueError(f"success [{start}, {stop}] of episode {episode}, which has {length} frames")
        digest = _text(entry.get("content_sha256"), "content_sha256")
        sidecar.episodes[episode] = SidecarEpisode(int(entry.get("source", -1)), length, digest, success)


def _text(value: Any, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} {value!r}, which should be text")
    return value


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
