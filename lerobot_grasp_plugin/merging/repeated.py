"""Finds episodes of a new dataset that have the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import agree, episodes_text
from lerobot_grasp_plugin.merging.sources import Source


class RepeatedEpisodes:
    """Compares episodes by the content hashes that go into the sidecar."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int], PlannedEpisode] = {}
        self._again: dict[tuple[int, int], list[tuple[PlannedEpisode, PlannedEpisode]]] = {}

    def see(self, planned: Sequence[PlannedEpisode], hashes: Sequence[str]) -> None:
        """Adds episodes in output order, each with its content hash."""
        for episode, digest in zip(planned, hashes, strict=True):
            first = self._first.setdefault((digest, episode.length), episode)
            if first is not episode:
                self._again.setdefault((first.source, episode.source), []).append((first, episode))

    def warnings(self, sources: Sequence[Source]) -> Iterator[Problem]:
        """A warning for each pair of sources with equal episodes, and each source that repeats its own."""
        for (one, other), found in self._again.items():
            same = sources[one].reader.root.resolve() == sources[other].reader.root.resolve()
            pairs = [
                (first, copy)
                for first, copy in found
                if not same or _origin(first) != _origin(copy)  # see episode-chosen-twice
            ]
            if not pairs:
                continue
            firsts = episodes_text(first.source_episode for first, _ in pairs)
            copies = episodes_text(copy.source_episode for _, copy in pairs)
            have = agree(len(pairs), "has", "have")
            message = f"{sources[other].title}: {copies} {have} the same values as {firsts}"
            if one != other:
                message += f" of {sources[one].title}"
            hint = "leave one of them out: equal episodes can be on both sides of a train/test split"
            yield Problem("duplicate-episode", message, hint=hint, severity="warning")


def _origin(episode: PlannedEpisode) -> tuple[int, tuple[int, int]]:
    return episode.source_episode, episode.source_span
