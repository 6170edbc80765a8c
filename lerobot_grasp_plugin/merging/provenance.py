"""Writes an output's recipe and sources into its provenance sidecar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.dataset.provenance import FirstEpisode, ProvenanceSource, read_provenance
from lerobot_grasp_plugin.dataset.provenance_writer import ProvenanceWriter
from lerobot_grasp_plugin.merging.recipe import MergeConfig
from lerobot_grasp_plugin.merging.sources import Source

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

_OF_PARTS = {
    "images of parts of episodes": "those of the whole source episode, counted by the share of its frames"
}


def provenance_writer(
    path: Path,
    *,
    sources: Sequence[Source],
    dones: Sequence[str | None],
    labels: Mapping[str, Any] | None,
    config: MergeConfig,
    operation: str,
    left_out: Mapping[int, Mapping[str, Any]],
) -> ProvenanceWriter:
    """The sidecar of an output, open to be written.

    Args:
        path: The file.
        sources: In order.
        dones: How ``next.done`` was decided in each.
        labels: How the labels were made, by option; None without labels.
        config: The recipe.
        operation: ``merge``, ``relabel`` or ``edit``.
        left_out: Number of a source -> its metadata that differs from the output's.
    """
    return ProvenanceWriter(
        path,
        operation=operation,
        recipe={field: getattr(config, field) for field in _RECIPE_FIELDS},
        labels=labels,
        statistics=STATISTICS_MADE | (_OF_PARTS if any(source.parts for source in sources) else {}),
        sources=[
            _source(source, config.annotations, done, left_out.get(source.number))
            for source, done in zip(sources, dones, strict=True)
        ],
    )


def _source(
    source: Source, annotations: Path | None, done: str | None, left_out: Mapping[str, Any] | None
) -> ProvenanceSource:
    config, column = asdict(source.config), source.column
    path = source.config.annotations or annotations
    return ProvenanceSource(
        repo_id=source.repo_id,
        root=str(source.reader.root),
        codebase_version=source.reader.info.codebase_version,
        episodes=config["episodes"],
        rename=config["rename"],
        task=config["task"],
        annotations=None
        if source.annotation_sha256 is None
        else {"path": str(path), "sha256": source.annotation_sha256},
        labels_from=None if column is None else {"column": column.name, "threshold": column.threshold},
        done=done,
        derived=None if source.derivation is None else source.derivation.recipe,
        metadata=left_out or None,
        frames={str(episode): ranges for episode, ranges in config["frames"].items()} or None,
        tasks={str(episode): task for episode, task in config["tasks"].items()} or None,
    )


class FirstEpisodes:
    """Where the rows of episodes were recorded, by the sidecars of the sources.

    Args:
        sources: The sources, by their numbers.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._known = [read_provenance(source.reader.root) for source in sources]
        self._lengths = [source.own_lengths for source in sources]

    def of(self, planned: Sequence[PlannedEpisode]) -> list[FirstEpisode | None]:
        """Of each episode of the output; None where that is its source."""
        found: list[FirstEpisode | None] = []
        for episode in planned:
            length = self._lengths[episode.source][episode.source_episode]
            first = self._known[episode.source].first(episode.source_episode, length)
            found.append(None if first is None else first.later(episode.from_frame or 0))
        return found
