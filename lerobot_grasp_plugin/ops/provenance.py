"""The sidecar that says where every episode of an output came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.ops.recipe import MergeConfig
from lerobot_grasp_plugin.ops.sources import Source
from lerobot_grasp_plugin.version import VERSION

DISTRIBUTION = "lerobot_grasp_plugin"
SIDECAR_FORMAT = 1
_RECIPE_FIELDS = (
    "new_repo_id",
    "robot_type",
    "names",
    "mixed_codecs",
    "drop_features",
    "timestamps",
    "license",
    "actions",
    "state",
)

STATISTICS_MADE = {
    "columns": "computed from all rows",
    "images": "combined from the episodes' statistics of the sources, which are of samples",
    "quantiles of images": "bounds: the least q01 and q10 and the greatest q90 and q99 of the episodes; "
    "q50 is the mean of the episodes' weighted by count",
}
"""How the numbers in ``stats.json`` were made."""


class ProvenanceWriter:
    """Writes ``meta/grasp_provenance.json``, one episode after the other.

    There is no time of day in it: the same recipe gives the same bytes.
    """

    def __init__(
        self,
        path: Path,
        *,
        sources: Sequence[Source],
        dones: Sequence[str | None],
        labels: Mapping[str, Any] | None,
        config: MergeConfig,
        operation: str,
        left_out: Mapping[int, Mapping[str, Any]],
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        head = {
            "format": SIDECAR_FORMAT,
            "tool": {"name": DISTRIBUTION, "version": VERSION},
            "operation": operation,
            "recipe": {field: getattr(config, field) for field in _RECIPE_FIELDS},
            "labels": labels,
            "statistics": STATISTICS_MADE,
            "sources": [
                _source(source, config.annotations, done, left_out.get(source.number))
                for source, done in zip(sources, dones, strict=True)
            ],
        }
        self._file = path.open("w", encoding="utf-8")
        self._file.write(json.dumps(head, indent=2, default=str).removesuffix("\n}") + ',\n  "episodes": [')
        self._first = True

    def write(
        self,
        episodes: Sequence[PlannedEpisode],
        applied: Sequence[IntervalSet | None],
        hashes: Sequence[str],
        timestamps_fixed: int,
    ) -> None:
        """Appends the episodes of one block of rows."""
        for episode, ranges, digest in zip(episodes, applied, hashes, strict=True):
            entry: dict[str, Any] = {
                "episode_index": episode.episode_index,
                "source": episode.source,
                "source_episode": episode.source_episode,
                "length": episode.length,
                "content_sha256": digest,
            }
            if ranges is not None:
                entry["success"] = _half_open(ranges)
            self._file.write(("" if self._first else ",") + "\n    " + json.dumps(entry))
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


def _source(
    source: Source, annotations: Path | None, done: str | None, left_out: Mapping[str, Any] | None
) -> dict[str, Any]:
    config = asdict(source.config)
    entry: dict[str, Any] = {
        "repo_id": source.repo_id,
        "root": str(source.reader.root),
        "codebase_version": source.reader.info.codebase_version,
        "episodes": config["episodes"],
        "rename": config["rename"],
        "task": config["task"],
    }
    if source.annotation_sha256 is not None:
        path = source.config.annotations or annotations
        entry["annotations"] = {"path": str(path), "sha256": source.annotation_sha256}
    if source.column is not None:
        entry["labels_from"] = {"column": source.column.name, "threshold": source.column.threshold}
    if done is not None:
        entry["done"] = done
    if source.derivation is not None:
        entry["derived"] = source.derivation.recipe
    if left_out:
        entry["metadata"] = left_out
    return entry


def _half_open(ranges: IntervalSet) -> list[list[int]]:
    """Ranges as pairs of 0-based numbers, the second one exclusive."""
    return [[interval.start, _stop(interval)] for interval in ranges]


def _stop(interval: FrameInterval) -> int:
    assert interval.stop is not None
    return interval.stop
