"""Reads ``meta/grasp_provenance.json``: how labels were made, and each episode's source.

Missing or damaged entries are ignored, so that a damaged sidecar does not keep labels from being read
(verify reports the damage).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.labels import LabelValues
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.dataset.json_entry import LATER, Entry
from lerobot_grasp_plugin.dataset.recording import read_recording
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.findings.words import count, short

FORMAT: Final = 1


@dataclass(frozen=True, kw_only=True)
class ProvenanceSource:
    """One source of a dataset; unknown values are None.

    Attributes:
        repo_id: Its name.
        root: Its folder.
        codebase_version: Its format.
        episodes: The chosen episodes, as in the call.
        frames: The kept frames of some of them, as in the call.
        rename: Name of a column -> its name in the new dataset.
        task: The new task of all of its episodes.
        tasks: The new tasks of some of its episodes, as in the call.
        annotations: Path and sha256 of the annotation file that labelled it.
        labels_from: Column and threshold that labelled it.
        done: How ``next.done`` was decided.
        derived: How actions and state were derived.
        metadata: Its metadata that differs from the new dataset's.
    """

    repo_id: str | None = None
    root: str | None = None
    codebase_version: str | None = None
    episodes: Any = None
    rename: Mapping[str, str] = field(default_factory=dict)
    task: str | None = None
    annotations: Mapping[str, Any] | None = None
    labels_from: Mapping[str, Any] | None = None
    done: str | None = None
    derived: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    frames: Mapping[str, Any] | None = None
    tasks: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry of the file."""
        names = ("repo_id", "root", "codebase_version", "episodes", "rename", "task")
        optional = ("frames", "tasks", "annotations", "labels_from", "done", "derived", "metadata")
        stated = [name for name in optional if getattr(self, name) is not None]
        return {name: getattr(self, name) for name in (*names, *stated)}


@dataclass(frozen=True)
class FirstEpisode:
    """The episode in which rows were recorded, of the first dataset that is known.

    Attributes:
        repo_id: The dataset's name.
        root: Its folder, as it was then.
        episode_index: In that dataset.
        from_frame: The frame there of the first row, 0-based.
    """

    repo_id: str | None
    root: str | None
    episode_index: int
    from_frame: int

    def later(self, frames: int) -> FirstEpisode:
        """The same for rows that begin some frames later."""
        return replace(self, from_frame=self.from_frame + frames)


@dataclass(frozen=True, kw_only=True)
class ProvenanceEpisode:
    """One episode of a dataset; unknown values are None.

    Attributes:
        source: Which source, 0-based.
        source_episode: Its ``episode_index`` there.
        length: Rows.
        content_sha256: Hash of its columns that are not labels.
        success: Success rows; None if it was not labelled.
        from_frame: First frame of the part in the source episode, 0-based; None for a whole one.
        first: Where its rows were recorded; None if that is the source.
    """

    source: int | None = None
    source_episode: int | None = None
    length: int | None = None
    content_sha256: str | None = None
    success: IntervalSet | None = None
    from_frame: int | None = None
    first: FirstEpisode | None = None

    def to_json(self, episode_index: int) -> dict[str, Any]:
        """The entry of the file."""
        names = ["source", "source_episode", "from_frame", "length", "content_sha256"]
        if self.from_frame is None:
            names.remove("from_frame")
        entry = {"episode_index": episode_index, **{name: getattr(self, name) for name in names}}
        if self.first is not None:
            entry["first"] = asdict(self.first)
        return entry if self.success is None else {**entry, "success": self.success.pairs()}


@dataclass(frozen=True)
class Provenance:
    """A provenance sidecar, as far as it can be read.

    Attributes:
        labels: How the labels were made, by option; empty if unknown.
        sources: The sources in order; an empty one for each damaged entry.
        episodes: By ``episode_index``.
        made_as: The ``repo_id`` it was made as; None if unknown.
        path: The file.
        problems: Its errors, as warnings.
    """

    labels: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[ProvenanceSource] = ()
    episodes: Mapping[int, ProvenanceEpisode] = field(default_factory=dict)
    made_as: str | None = None
    path: Path = Path(layout.PROVENANCE_PATH)
    problems: Sequence[Problem] = ()

    @classmethod
    def of(cls, raw: object, path: Path = Path(layout.PROVENANCE_PATH)) -> Provenance:
        """The sidecar of a JSON value."""
        problems: list[Problem] = []
        content = Entry.of(raw, "", path, problems)
        if content.values.get("format", FORMAT) != FORMAT:
            content.note("format", f"{short(repr(content.values['format']))} is not {FORMAT}; {LATER}")
        if problems:
            return cls(path=path, problems=problems)
        labels = content.get("labels", dict, "an object")
        if labels is not None and LabelValues.of(labels) is None:
            content.note("labels", "success_value and failure_value are not two different numbers")
        sources = tuple(_sources(content))
        episodes = dict(_episodes(content, len(sources)))
        recipe = Entry(content.get("recipe", dict, "an object") or {}, "recipe", path, problems)
        made_as = recipe.get("new_repo_id", str, "text")
        return cls(labels or {}, sources, episodes, made_as, path, problems)

    @property
    def values(self) -> LabelValues | None:
        """The rewards of success and failure frames."""
        return LabelValues.of(self.labels)

    @property
    def done(self) -> str | None:
        """How ``next.done`` was decided: in all sources alike, else as the call stated it."""
        dones = {source.done for source in self.sources if source.done is not None}
        stated = dones.pop() if len(dones) == 1 else self.labels.get("done")
        return stated if isinstance(stated, str) else None

    @property
    def names(self) -> list[str]:
        """``repo_id`` of the sources that have one, each once."""
        return list(dict.fromkeys(source.repo_id for source in self.sources if source.repo_id is not None))

    def source_of(self, episode: int) -> ProvenanceSource | None:
        """The source of an episode; None if unknown."""
        entry = self.episodes.get(episode)
        return None if entry is None or entry.source is None else self.sources[entry.source]

    def origin(self, episode: int) -> tuple[Path, int] | None:
        """Folder and ``episode_index`` that an episode was taken from; None if unknown."""
        source = self.source_of(episode)
        number = self.episodes[episode].source_episode if episode in self.episodes else None
        return (
            None if source is None or source.root is None or number is None else (Path(source.root), number)
        )

    def first(self, episode: int, length: int) -> FirstEpisode | None:
        """Where the rows of an episode were recorded, as far as it says; None where it does not say.

        Args:
            episode: Its ``episode_index``.
            length: Its rows; of an episode with another length it says nothing.
        """
        entry, source = self.episodes.get(episode), self.source_of(episode)
        if entry is None or source is None or entry.source_episode is None or entry.length != length:
            return None
        if entry.first is not None:
            return entry.first
        return FirstEpisode(source.repo_id, source.root, entry.source_episode, entry.from_frame or 0)

    def sources_of_episodes(self) -> dict[int, str]:
        """The ``repo_id`` of each episode's source, by ``episode_index``."""
        return {
            episode: self.sources[entry.source].repo_id or f"source {entry.source}"
            for episode, entry in self.episodes.items()
            if entry.source is not None
        }

    def hashes_of_episodes(self) -> dict[int, str]:
        """``content_sha256`` of each episode that has one, by ``episode_index``."""
        known = self.episodes.items()
        return {number: entry.content_sha256 for number, entry in known if entry.content_sha256 is not None}


def find_provenance(root: Path) -> Provenance | None:
    """The provenance sidecar of a dataset, with its errors; None without one."""
    path = root / layout.PROVENANCE_PATH
    if not path.exists():
        return None
    try:
        return Provenance.of(read_json(path), path)
    except DatasetError as error:
        problems = [
            Problem("bad-sidecar", problem.message, problem.place, severity="warning")
            for problem in error.problems
        ]
        return Provenance(path=path, problems=problems)


def read_provenance(root: Path) -> Provenance:
    """The provenance sidecar of a dataset; an empty one if it cannot be read."""
    return find_provenance(root) or Provenance()


def stored_values(root: Path) -> LabelValues | None:
    """The rewards of success and failure frames that a sidecar of a dataset states.

    From ``meta/grasp_provenance.json``, else from ``meta/grasp_recording.json``; None without them.
    """
    values, recording = read_provenance(root).values, read_recording(root)
    return values if values is not None or recording is None else recording.values


def _sources(content: Entry) -> Iterator[ProvenanceSource]:
    for number, raw in enumerate(content.get("sources", list, "a list", required=True) or ()):
        entry = Entry.of(raw, f"sources[{number}]", content.path, content.problems)
        if not entry.values:
            yield ProvenanceSource()
            continue
        rename = entry.get("rename", dict, "an object") or {}
        yield ProvenanceSource(
            repo_id=entry.get("repo_id", str, "text", required=True),
            root=entry.get("root", str, "text"),
            codebase_version=entry.get("codebase_version", str, "text"),
            episodes=entry.values.get("episodes"),
            rename={old: new for old, new in rename.items() if isinstance(new, str)},
            task=entry.get("task", str, "text"),
            annotations=entry.get("annotations", dict, "an object"),
            labels_from=entry.get("labels_from", dict, "an object"),
            done=entry.get("done", str, "text"),
            derived=entry.get("derived", dict, "an object"),
            metadata=entry.get("metadata", dict, "an object"),
            frames=entry.get("frames", dict, "an object"),
            tasks=entry.get("tasks", dict, "an object"),
        )


def _episodes(content: Entry, sources: int) -> Iterator[tuple[int, ProvenanceEpisode]]:
    seen: set[int] = set()
    for number, raw in enumerate(content.get("episodes", list, "a list", required=True) or ()):
        entry = Entry.of(raw, f"episodes[{number}]", content.path, content.problems)
        if not entry.values:
            continue
        episode = entry.get("episode_index", int, "an integer", required=True)
        if episode in seen:
            entry.note("episode_index", f"episode {episode} is listed twice")
        if episode is None or episode in seen:
            continue
        seen.add(episode)
        source = entry.get("source", int, "an integer")
        if source is not None and not 0 <= source < sources:
            entry.note("source", f"is {source}, but the file has {count(sources, 'source')}")
            source = None
        length = entry.get("length", int, "an integer")
        yield (
            episode,
            ProvenanceEpisode(
                source=source,
                source_episode=entry.get("source_episode", int, "an integer"),
                length=length,
                content_sha256=entry.get("content_sha256", str, "text"),
                success=_success(entry, length),
                from_frame=entry.get("from_frame", int, "an integer"),
                first=_first(entry),
            ),
        )


def _first(entry: Entry) -> FirstEpisode | None:
    raw = entry.get("first", dict, "an object")
    if raw is None:
        return None
    first = Entry(raw, f"{entry.name}.first", entry.path, entry.problems)
    episode = first.get("episode_index", int, "an integer", required=True)
    frame = first.get("from_frame", int, "an integer", required=True)
    if episode is None or frame is None:
        return None
    return FirstEpisode(first.get("repo_id", str, "text"), first.get("root", str, "text"), episode, frame)


def _success(entry: Entry, length: int | None) -> IntervalSet | None:
    pairs = entry.get("success", list, "a list of ranges")
    if pairs is None:
        return None
    try:
        success = IntervalSet.of_pairs(pairs)
        if length is not None and success.clip(length) != success:
            raise ValueError(f"{success.pairs()} is past the end of the episode, which has {length} frames")
    except ValueError as error:
        entry.note("success", str(error))
        return None
    return success
