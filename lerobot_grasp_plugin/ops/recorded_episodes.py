"""``grasp_recording.json`` of an output: how its episodes were recorded, under the numbers they have now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.findings.problem import DatasetError
from lerobot_grasp_plugin.ops.sources import Source


def read_recorded(root: Path) -> dict[str, Any] | None:
    """The recording sidecar of a dataset; None where there is none that can be read."""
    path = root / layout.RECORDING_PATH
    try:
        raw = read_json(path) if path.is_file() else None
    except DatasetError:
        return None
    return raw if isinstance(raw, dict) and isinstance(raw.get("episodes"), dict) else None


class RecordedEpisodes:
    """Puts the recording sidecars of the sources together.

    Args:
        sources: The sources; those without a sidecar add nothing.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._raw = {source.number: read_recorded(source.reader.root) for source in sources}
        self._episodes: dict[str, Any] = {}

    def see(self, episodes: Sequence[PlannedEpisode], applied: Sequence[IntervalSet | None]) -> None:
        """Takes over the entries of some episodes.

        Args:
            episodes: Of the output.
            applied: The success frames each was given; None where its labels stay.
        """
        for episode, success in zip(episodes, applied, strict=True):
            raw = self._raw[episode.source]
            entry = None if raw is None else raw["episodes"].get(str(episode.source_episode))
            if not isinstance(entry, dict):
                continue
            if success is not None and "success" in entry:
                ranges = [[item.start, item.stop] for item in success]
                changed = ranges != entry["success"]
                entry = {**entry, "success": ranges, "edited": bool(entry.get("edited")) or changed}
            self._episodes[str(episode.episode_index)] = entry

    def write(self, root: Path, labels: Mapping[str, Any] | None) -> None:
        """Writes the sidecar of the output, where a source has one.

        Args:
            root: The output's folder.
            labels: How the output was labelled; None where its labels are those of the sources.
        """
        heads = [{**raw, "episodes": {}} for raw in self._raw.values() if raw is not None]
        if not heads:
            return
        head = {
            name: value
            for name, value in heads[0].items()
            if all(other.get(name) == value for other in heads)
        }
        noted = [other["environment"] for other in heads if other.get("environment") is not None]
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
        text = json.dumps({**head, "episodes": self._episodes}, indent=2) + "\n"
        (root / layout.RECORDING_PATH).write_text(text, encoding="utf-8")
