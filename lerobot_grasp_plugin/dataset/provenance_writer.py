"""Writes ``meta/grasp_provenance.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.dataset.provenance import FORMAT, FirstEpisode, ProvenanceEpisode, ProvenanceSource
from lerobot_grasp_plugin.version import VERSION

DISTRIBUTION: Final = "lerobot_grasp_plugin"


class ProvenanceWriter:
    """Writes the sidecar, one episode after the other.

    It contains no time of day: the same recipe gives the same bytes.

    Args:
        path: The file.
        operation: ``merge``, ``relabel`` or ``edit``.
        recipe: Options that hold for all sources.
        labels: How the labels were made, by option; None without labels.
        statistics: How the numbers in ``stats.json`` were made.
        sources: In order.
    """

    def __init__(
        self,
        path: Path,
        *,
        operation: str,
        recipe: Mapping[str, Any],
        labels: Mapping[str, Any] | None,
        statistics: Mapping[str, str],
        sources: Sequence[ProvenanceSource],
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        head = {
            "format": FORMAT,
            "tool": {"name": DISTRIBUTION, "version": VERSION},
            "operation": operation,
            "recipe": recipe,
            "labels": labels,
            "statistics": statistics,
            "sources": [source.to_json() for source in sources],
        }
        self._file = path.open("w", encoding="utf-8")
        self._file.write(json.dumps(head, indent=2, default=str).removesuffix("\n}") + ',\n  "episodes": [')
        self._first = True

    def write(
        self,
        episodes: Sequence[PlannedEpisode],
        applied: Sequence[IntervalSet | None],
        hashes: Sequence[str],
        firsts: Sequence[FirstEpisode | None],
    ) -> None:
        """Appends the episodes of one block of rows."""
        for planned, success, digest, first in zip(episodes, applied, hashes, firsts, strict=True):
            entry = ProvenanceEpisode(
                source=planned.source,
                source_episode=planned.source_episode,
                length=planned.length,
                content_sha256=digest,
                success=success,
                from_frame=planned.from_frame,
                first=first,
            )
            text = json.dumps(entry.to_json(planned.episode_index))
            self._file.write(("" if self._first else ",") + "\n    " + text)
            self._first = False

    def close(self, timestamps: Mapping[int, tuple[int, float]]) -> None:
        """Ends the file.

        Args:
            timestamps: source -> rows whose timestamp was set to frame_index / fps, and the largest
                distance in seconds; sources without such rows are left out.
        """
        fixed = [
            {"source": source, "rows": rows, "max_deviation_s": deviation}
            for source, (rows, deviation) in timestamps.items()
            if rows
        ]
        self._file.write('\n  ],\n  "timestamps_fixed": ' + json.dumps(fixed) + "\n}\n")
        self._file.close()

    def abandon(self) -> None:
        """Closes the file as it is, for a run that failed."""
        self._file.close()
