"""Makes the label columns that relabel would write, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.core.stats import combine, quantiles_of
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.findings.problem import AnnotationError, DatasetError, Problem
from lerobot_grasp_plugin.merging.annotate import label_sources
from lerobot_grasp_plugin.merging.contradictions import Contradictions
from lerobot_grasp_plugin.merging.features import unify
from lerobot_grasp_plugin.merging.recipe import LabelOptions, MergeConfig, SourceConfig
from lerobot_grasp_plugin.merging.rows import RowBlock, RowBuilder
from lerobot_grasp_plugin.merging.source_labels import (
    changed_outcomes,
    kept_label_notes,
    with_recorded_labels,
)
from lerobot_grasp_plugin.merging.sources import open_sources
from lerobot_grasp_plugin.writers.data_schema import data_schema


@dataclass(frozen=True)
class LabelOverlay:
    """Labels of some episodes of a dataset.

    Attributes:
        episodes: Which ones, by ``episode_index``, ascending; without those left out as unlisted.
        lengths: Frames of each.
        columns: ``next.reward`` (float32), ``next.done`` (bool) and, when asked for,
            ``next.success`` (bool): shape ``(frames,)``, one episode after the other.
        features: Names of the features of the labelled dataset, in the order relabel gives them.
        stats: Statistics of each column over the whole, as relabel writes them.
        warnings: About the annotations, and which episodes were left out or kept.
    """

    episodes: Sequence[int]
    lengths: Sequence[int]
    columns: Mapping[str, NDArray[Any]]
    features: Sequence[str]
    stats: Mapping[str, Mapping[str, NDArray[Any]]]
    warnings: Sequence[Problem]


def overlay_labels(
    repo_id: str,
    root: Path,
    annotations: Path,
    options: LabelOptions,
    episodes: Sequence[int] | None = None,
) -> LabelOverlay:
    """Labels of a dataset's episodes, by the code that ``lerobot-grasp-relabel`` runs.

    Args:
        repo_id: The dataset's name, which the headers of the annotation file may use.
        root: Its folder.
        annotations: The annotation file.
        options: How annotations become labels.
        episodes: By ``episode_index``; None for all.

    Raises:
        GraspError: With all errors of the annotations and the dataset.
    """
    chosen = None if episodes is None else sorted(set(episodes))
    sources = open_sources([SourceConfig(repo_id=repo_id, root=root, episodes=chosen)], [])
    (source,), warnings = label_sources(sources, annotations, options)
    if not source.episodes:
        message = "none of the chosen episodes is annotated, and unlisted episodes are dropped"
        raise AnnotationError(Problem("no-episodes", message, annotations))
    source = with_recorded_labels(source, labelled=True)
    target = unify([source], MergeConfig(**asdict(options)), Contradictions())
    builder = RowBuilder(
        source,
        target,
        data_schema({name: target.features[name] for name in target.labels}, {}, {}),
        task_map=dict.fromkeys(source.tasks or (0,), 0),
        index_maps={},
        options=options,
        timestamps="fix",
        measured=target.labels,
    )
    notes = [*source.notes, *kept_label_notes(source, options)]
    blocks = list(_blocks(builder, source.reader.read(source.episodes, builder.columns)))
    table = pa.concat_tables([block.table for block in blocks])
    stats = {
        name: combine(
            {
                statistic: np.concatenate([block.stats[name][statistic] for block in blocks])
                for statistic in blocks[0].stats[name]
            }
        )
        | quantiles_of(np.concatenate([block.numbers[name] for block in blocks]).T)
        for name in target.labels
    }
    return LabelOverlay(
        episodes=tuple(source.episodes),
        lengths=[int(source.reader.lengths[episode]) for episode in source.episodes],
        columns={
            name: np.asarray(table[name].combine_chunks().to_numpy(zero_copy_only=False))
            for name in target.labels
        },
        features=tuple(target.features),
        stats=stats,
        warnings=[
            *warnings,
            *changed_outcomes(source),
            *(Problem("label-notes", note, annotations) for note in notes),
        ],
    )


def with_labels(rows: Any, overlay: LabelOverlay, root: Path) -> Any:
    """A table of LeRobot's with the columns of an overlay in place of its own, or as new ones.

    Args:
        rows: A ``datasets.Dataset`` with ``episode_index`` and ``index``; it is not changed.
        overlay: Labels of the same episodes.
        root: The dataset's folder, for messages.

    Raises:
        DatasetError: The table has rows of other episodes, or another number of them.
    """
    order = _file_order(rows, overlay, root)
    for name, column in overlay.columns.items():
        if name in rows.column_names:
            rows = rows.remove_columns(name)
        values = np.empty_like(column)
        values[order] = column
        rows = rows.add_column(name, values, feature=datasets.Value(column.dtype.name))
    return rows


def _file_order(rows: Any, overlay: LabelOverlay, root: Path) -> NDArray[np.int64]:
    """Where in a table each row of an overlay stands, 0-based, int64 of shape ``(frames,)``."""
    episode_index = rows.data.column(layout.EPISODE_INDEX).to_numpy()
    index = rows.data.column(layout.INDEX).to_numpy()
    order: NDArray[np.int64] = np.lexsort((index, episode_index))
    if not np.array_equal(episode_index[order], np.repeat(overlay.episodes, overlay.lengths)):
        message = "the rows that LeRobot loaded differ from the episodes table"
        raise DatasetError(Problem("wrong-length", message, root))
    return order


def _blocks(builder: RowBuilder, batches: Iterator[EpisodeBatch]) -> Iterator[RowBlock]:
    index = 0
    for batch in batches:
        planned = []
        for episode, length in zip(batch.episodes, batch.lengths, strict=True):
            planned.append(PlannedEpisode(episode, 0, episode, length, index, 0))
            index += length
        yield builder.build(batch, planned)
