"""Where a merged dataset's episodes came from, by its provenance; what is odd in it says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def sources_of_episodes(provenance: Any) -> dict[int, str]:
    """The ``repo_id`` of each episode's source, by ``episode_index``; empty when nothing says so."""
    named = provenance.get("sources") if isinstance(provenance, Mapping) else None
    sources = named if isinstance(named, list) else []
    found = {}
    for episode, entry in _entries(provenance):
        number = entry.get("source")
        if type(number) is int and 0 <= number < len(sources):
            source = sources[number] if isinstance(sources[number], Mapping) else {}
            found[episode] = str(source.get("repo_id", f"source {number}"))
    return found


def hashes_of_episodes(provenance: Any) -> dict[int, str]:
    """``content_sha256`` of each episode, by ``episode_index``; empty when nothing says it."""
    hashes = {episode: entry.get("content_sha256") for episode, entry in _entries(provenance)}
    return {episode: value for episode, value in hashes.items() if isinstance(value, str)}


def _entries(provenance: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    episodes = provenance.get("episodes") if isinstance(provenance, Mapping) else None
    for entry in episodes if isinstance(episodes, list) else []:
        if isinstance(entry, Mapping) and type(entry.get("episode_index")) is int:
            yield entry["episode_index"], entry
