"""Checks the sources and plans the new dataset before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.plan import ChosenEpisode, MergePlan, PlannedEpisode, plan_merge
from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.core.stats import MOMENTS, STATISTICS
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric
from lerobot_grasp_plugin.dataset.one_task import near_task_warnings
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import (
    DataError,
    MergeError,
    Problem,
)
from lerobot_grasp_plugin.findings.words import agree, count
from lerobot_grasp_plugin.merging.cards import OutputCard, merged_card
from lerobot_grasp_plugin.merging.carry import Carried, plan_carried, split_warnings
from lerobot_grasp_plugin.merging.contradictions import Contradictions, agreed_metadata
from lerobot_grasp_plugin.merging.derivation.recorded import check_sizes, with_recorded_derivation
from lerobot_grasp_plugin.merging.features import TargetFormat, unify
from lerobot_grasp_plugin.merging.opening import aborted_named
from lerobot_grasp_plugin.merging.recipe import MergeConfig
from lerobot_grasp_plugin.merging.row_tasks import without_unused_tasks
from lerobot_grasp_plugin.merging.schemas import inferred_fields, read_schemas, schema_warnings
from lerobot_grasp_plugin.merging.source_labels import (
    Recorded,
    changed_outcomes,
    kept_label_notes,
    kept_labels_warnings,
    recorded_labels,
    with_recorded_labels,
)
from lerobot_grasp_plugin.merging.sources import Source
from lerobot_grasp_plugin.merging.videos import CameraPlan, plan_videos
from lerobot_grasp_plugin.writers.data_schema import data_schema

_REQUIRED_STATISTICS = (*MOMENTS, "count")

type StatsOfSource = dict[str, dict[str, NDArray[Any]]]
"""feature -> statistic -> one row per chosen episode of the source."""


@dataclass(frozen=True)
class Build:
    """A planned dataset, of which nothing is on disk yet."""

    sources: Sequence[Source]
    config: MergeConfig
    operation: str
    target: TargetFormat
    plan: MergePlan
    schema: pa.Schema
    videos: Sequence[CameraPlan]
    carried: Sequence[StatsOfSource]
    statistics: Mapping[str, Sequence[str]]
    recorded: Sequence[Recorded]
    card: OutputCard
    side: Carried
    contradictions: Contradictions
    warnings: Sequence[Problem] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the episodes of the output are those of one source, all of them, in its order."""
        if len(self.sources) > 1:
            return False
        return list(self.sources[0].episodes) == list(range(len(self.sources[0].reader.lengths)))


def prepare(
    sources: Sequence[Source],
    config: MergeConfig,
    *,
    operation: str,
    progress: Progress,
    warnings: Sequence[Problem] = (),
) -> Build:
    """Checks that the sources fit together, and plans the output.

    Args:
        sources: Opened, with episodes chosen and labels attached.
        config: The recipe.
        operation: ``merge``, ``relabel`` or ``edit``.
        progress: Called with the progress of reading videos.
        warnings: Warnings so far.

    Raises:
        GraspError: With all problems.
    """
    warnings = [*warnings, *_left_out(sources)]
    sources = [source for source in sources if len(source.episodes)]
    if not sources:
        raise MergeError([*warnings, Problem("no-episodes", "no episodes are left to write")])
    sources = [replace(source, number=number) for number, source in enumerate(sources)]
    contradictions, problems = Contradictions(), Gathered()
    with problems:
        sources, found = _derived(sources, config, progress)
        warnings += found
    problems.raise_all()
    with problems:
        target = unify(sources, config, contradictions)
    with problems:
        card = merged_card(sources, config.license, contradictions)
    problems.raise_all()
    video_keys = [name for name, feature in target.features.items() if feature.dtype == "video"]
    readable: list[Source] = []
    for source in sources:
        with problems, aborted_named(source.reader.location):
            source.reader.require(source.episodes, [source.original[key] for key in video_keys])
            readable.append(without_unused_tasks(with_recorded_labels(source, bool(target.labels))))
    problems.raise_all()
    sources = readable
    schemas = []
    for source in sources:
        with aborted_named(source.reader.location):
            schemas.append(read_schemas(source, target))
    metadata = agreed_metadata(sources, [own.metadata for own in schemas], "the data tables", contradictions)
    schema = data_schema(target.features, inferred_fields(schemas, target), metadata)
    chosen = [_chosen(source, number) for source in sources for number in source.episodes]
    plan = plan_merge(
        chosen,
        [source.tasks for source in sources],
        max_data_bytes=layout.DATA_FILES_SIZE_IN_MB * 2**20,
    )
    side = plan_carried(sources, target, plan, contradictions)
    videos = plan_videos(sources, plan, video_keys, target.fps, progress)
    sources, carried, stored = _image_stats(sources, target, progress)
    statistics = _planned_statistics(target, carried)
    if target.labels:
        sources = [source.noted(*kept_label_notes(source, config)) for source in sources]
    recorded = [recorded_labels(source) for source in sources]
    build = Build(
        sources,
        config,
        operation,
        target,
        plan,
        schema,
        videos,
        carried,
        statistics,
        recorded,
        card,
        side,
        contradictions,
    )
    warnings += [*schema_warnings(sources, schemas), *_plan_warnings(build)]
    warnings += [] if keeps_splits(build) else split_warnings(sources)
    warnings += near_task_warnings(_spelled(sources), is_merge=operation == "merge")
    warnings += [*card.warnings, *side.warnings, *contradictions.warnings]
    warnings += kept_labels_warnings(sources, recorded, config, bool(target.labels))
    if any(source.parts for source in sources):
        from lerobot_grasp_plugin.merging.cutting import part_warnings

        warnings += part_warnings(sources, config, labelled=bool(target.labels), cameras=stored)
    if target.labels:
        warnings += [problem for source in sources for problem in changed_outcomes(source)]
    return replace(build, warnings=warnings)


def _chosen(source: Source, number: int) -> ChosenEpisode:
    length, size = int(source.reader.lengths[number]), source.reader.data_bytes(number)
    if number not in source.parts:
        return ChosenEpisode(source.number, number, length, size)
    part = source.parts[number]
    return ChosenEpisode(source.number, part.episode, length, size, number, part.start)


def _derived(
    sources: Sequence[Source], config: MergeConfig, progress: Progress
) -> tuple[list[Source], list[Problem]]:
    """The sources with columns computed from joints if the recipe asks for it, and warnings."""
    sources = list(map(with_recorded_derivation, sources))
    if config.actions == "keep" and config.state == "keep":
        check_sizes(sources, None)
        return sources, []
    from lerobot_grasp_plugin.merging.derivation.deriving import derive

    return derive(sources, config, progress)


def keeps_splits(build: Build) -> bool:
    """Whether the source's splits still name the same episodes."""
    splits = build.sources[0].reader.info.splits
    if build.operation == "merge" or not build.is_whole or not isinstance(splits, Mapping) or not splits:
        return False
    ends = [str(span).rpartition(":")[2] for span in splits.values()]
    return all(end.isdecimal() and int(end) <= len(build.plan.episodes) for end in ends)


def _spelled(sources: Sequence[Source]) -> dict[str, list[str]]:
    """The sources of each task."""
    found: dict[str, list[str]] = {}
    for source in sources:
        for task in dict.fromkeys(source.tasks.values()):
            found.setdefault(task, []).append(source.title)
    return found


def _left_out(sources: Sequence[Source]) -> Iterator[Problem]:
    for source in sources:
        if not len(source.episodes):
            message = f"no episodes of {source.title} are in the output ({'; '.join(source.notes)})"
            yield Problem("source-left-out", message, source.reader.root)


def _image_stats(
    sources: Sequence[Source], target: TargetFormat, progress: Progress
) -> tuple[list[Source], list[StatsOfSource], dict[int, list[str]]]:
    """The cameras' statistics of each source; measured, and noted, if the source stores none.

    The third value is, by source number, the cameras whose statistics the source stores.
    """
    cameras = [name for name, feature in target.features.items() if feature.dtype in ("image", "video")]
    noted: list[Source] = []
    carried: list[StatsOfSource] = []
    with_stats: dict[int, list[str]] = {}
    for source in sources:
        stored = source.reader.stats(source.episodes, [source.original[name] for name in cameras])
        kept = {name: _usable(stored.get(source.original[name], {})) for name in cameras}
        with_stats[source.number] = [name for name in cameras if kept[name]]
        notes = []
        for name in [name for name in cameras if not kept[name]]:
            from lerobot_grasp_plugin.merging.image_stats import measure_images

            kept[name] = measure_images(source, name, progress)
            notes.append(
                f"statistics of {name!r} computed from its images: the source stores none per episode"
            )
        carried.append(kept)
        noted.append(source.noted(*notes))
    return noted, carried, with_stats


def _planned_statistics(target: TargetFormat, carried: Sequence[StatsOfSource]) -> dict[str, Sequence[str]]:
    """The names of the statistics of each feature in the output."""
    statistics: dict[str, Sequence[str]] = {}
    for name, feature in target.features.items():
        if feature.dtype in ("image", "video"):
            statistics[name] = [s for s in STATISTICS if all(s in kept[name] for kept in carried)]
        elif is_numeric(feature.dtype) and 0 not in feature.shape:
            statistics[name] = STATISTICS
    return statistics


def _usable(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Statistics of a camera as a source stores them; empty if they are incomplete."""
    result = {name: values for name, values in arrays.items() if name in STATISTICS}
    if not all(name in result for name in _REQUIRED_STATISTICS):
        return {}
    return result | {"count": result["count"][:, :1]}


def _plan_warnings(build: Build) -> Iterator[Problem]:
    yield from _repeated(build)
    for camera in build.videos:
        if camera.unreferenced:
            message = (
                f"camera {camera.video_key!r}: {count(camera.unreferenced, 'frame')} that no row refers to "
                f"{agree(camera.unreferenced, 'is', 'are')} copied "
                "too, because other frames cannot be decoded without them"
            )
            yield Problem("unreferenced-frames", message)
        if camera.left_out:
            message = (
                f"camera {camera.video_key!r}: the videos of {camera.left_out[0]} episodes hold "
                f"{camera.left_out[1]} more frames than rows; the extra frames are left out"
            )
            yield Problem("unreferenced-frames", message)
        if camera.has_audio:
            message = f"camera {camera.video_key!r}: audio is not copied to repacked files"
            yield Problem("audio-left-out", message)
        if camera.snapped_s > layout.TIMESTAMP_TOLERANCE_S:
            message = (
                f"camera {camera.video_key!r}: images were up to {camera.snapped_s:.6f} s off frame / fps, "
                "and were moved to it"
            )
            yield Problem("video-retimed", message)
            if build.config.timestamps == "keep":
                raise DataError(Problem("video-off-grid", message, hint="use --timestamps fix"))


def _repeated(build: Build) -> Iterator[Problem]:
    """A warning for each dataset with episodes that are in the output more than once."""
    seen: dict[tuple[Path, int], list[PlannedEpisode]] = {}
    twice: dict[Path, list[tuple[int, int, int]]] = {}
    for episode in build.plan.episodes:
        root = build.sources[episode.source].reader.root.resolve()
        start, stop = episode.source_span
        before = seen.setdefault((root, episode.source_episode), [])
        for earlier in before:
            if earlier.source_span[0] < stop and start < earlier.source_span[1]:
                pair = (earlier.episode_index, episode.episode_index)
                twice.setdefault(root, []).append((episode.source_episode, *pair))
                break
        else:
            before.append(episode)
    for root, found in twice.items():
        title = next(source.title for source in build.sources if source.reader.root.resolve() == root)
        number, first, again = found[0]
        message = f"episode {number} of {title} is in the output twice, as episodes {first} and {again}"
        if len(found) > 1:
            message += f", and so are {len(found) - 1} more"
        hint = (
            "an episode on both sides of a train/test split makes its figures too good; choose "
            "`episodes` without it"
        )
        yield Problem("episode-chosen-twice", message, hint=hint)
