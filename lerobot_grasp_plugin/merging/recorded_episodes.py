"""Writes ``grasp_recording.json`` of an output: how its episodes were recorded, by their new numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.recording import RecordingSidecar, read_recording
from lerobot_grasp_plugin.merging.sources import Source


class RecordedEpisodes:
    """Joins the recording sidecars of the sources.

    Args:
        sources: The sources; those without a sidecar add nothing.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        found = {source.number: read_recording(source.reader.root) for source in sources}
        self._known = {number: each for number, each in found.items() if each is not None and each.is_whole}
        self._sources = sources
        self._episodes: dict[str, Any] = {}

    def see(self, episodes: Sequence[PlannedEpisode], applied: Sequence[IntervalSet | None]) -> None:
        """Copies the entries of some episodes.

        Args:
            episodes: Of the output.
            applied: The success frames written to each; None where its labels stay.
        """
        for episode, success in zip(episodes, applied, strict=True):
            known = self._known.get(episode.source)
            entry = None if known is None else known.entry(episode.source_episode)
            if entry is None:
                continue
            if episode.part is not None:
                from lerobot_grasp_plugin.dataset.cut_recording import cut_recording

                source = self._sources[episode.source]
                entry = cut_recording(entry, source.parts[episode.part], source.reader.info.fps)
            if success is not None and "success" in entry:
                ranges = success.pairs()
                changed = ranges != entry["success"]
                entry = {**entry, "success": ranges, "edited": bool(entry.get("edited")) or changed}
            self._episodes[str(episode.episode_index)] = entry

    def write(self, root: Path, labels: Mapping[str, Any] | None) -> None:
        """Writes the sidecar of the output, if a source has one.

        Args:
            root: The output's folder.
            labels: How the output was labelled; None if its labels are the sources'.
        """
        heads = [_head(known) for known in self._known.values()]
        if not heads:
            return
        head = {
            name: value
            for name, value in heads[0].items()
            if all(other.get(name) == value for other in heads)
        }
        noted = [value for known in self._known.values() for value in known.environments]
        environments = [value for number, value in enumerate(noted) if value not in noted[:number]]
        if len(environments) == 1:
            head["environment"] = environments[0]
        elif environments:
            head["environments"] = environments
        known = head.get("labels")
        if labels is not None and isinstance(known, dict):
            new = {**labels, "next_success": layout.SUCCESS in labels["columns"]}
            head["labels"] = {
                name: value if new.get(name) is None else new[name] for name, value in known.items()
            }
        sidecar = RecordingSidecar({**head, "episodes": self._episodes})
        (root / layout.RECORDING_PATH).write_bytes(sidecar.encoded())


def _head(known: RecordingSidecar) -> dict[str, Any]:
    """What a sidecar says of all its episodes, without environments, and without edits, which are applied."""
    others = ("edits", "environment", "environments", "episodes")
    return {name: value for name, value in known.raw.items() if name not in others}
