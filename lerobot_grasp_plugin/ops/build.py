"""The one engine behind merge and relabel: sources in, a finished dataset out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.plan import ChosenEpisode, MergePlan, PlannedEpisode, plan_merge
from lerobot_grasp_plugin.core.stats import STATISTICS
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric
from lerobot_grasp_plugin.errors import (
    DataError,
    DatasetError,
    GraspError,
    MergeError,
    Problem,
    VerificationError,
)
from lerobot_grasp_plugin.ops.features import TargetFormat, unify
from lerobot_grasp_plugin.ops.image_stats import measure_images
from lerobot_grasp_plugin.ops.progress import Progress
from lerobot_grasp_plugin.ops.provenance import ProvenanceWriter, dataset_card
from lerobot_grasp_plugin.ops.recipe import MergeConfig
from lerobot_grasp_plugin.ops.report import EpisodeReport, MergeReport, SourceReport, VerifyReport
from lerobot_grasp_plugin.ops.rows import RowBlock, RowBuilder
from lerobot_grasp_plugin.ops.sources import Source, raise_all
from lerobot_grasp_plugin.ops.verify import verify_dataset
from lerobot_grasp_plugin.ops.videos import CameraPlan, VideoWriter, plan_videos
from lerobot_grasp_plugin.writers import v30

_REQUIRED_STATISTICS = ("min", "max", "mean", "std", "count")

type StatsOfSource = dict[str, dict[str, NDArray[Any]]]
"""feature -> statistic -> one row per chosen episode of the source."""


@dataclass
class Build:
    """A dataset about to be written: everything is decided, nothing is on disk yet."""

    sources: Sequence[Source]
    config: MergeConfig
    operation: str
    target: TargetFormat
    plan: MergePlan
    schema: pa.Schema
    videos: Sequence[CameraPlan]
    carried: Sequence[StatsOfSource]
    statistics: Mapping[str, Sequence[str]]
    warnings: list[Problem] = field(default_factory=list)


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
        operation: ``merge`` or ``relabel``. A relabel takes the statistics of columns it does not
            touch from the source.
        progress: Told how far the reading of videos is.
        warnings: Found so far.

    Raises:
        GraspError: With everything that is in the way.
    """
    sources = [source for source in sources if len(source.episodes)]
    if not sources:
        raise MergeError(Problem("no-episodes", "no episode is left to write"))
    for number, source in enumerate(sources):
        source.number = number
    target = unify(sources, config)
    video_keys = [name for name, feature in target.features.items() if feature.dtype == "video"]
    errors: list[GraspError] = []
    for source in sources:
        try:
            source.reader.require(source.episodes, [source.original[key] for key in video_keys])
        except GraspError as error:
            errors.append(error)
    raise_all(errors)
    schema = v30.data_schema(target.features, _kept_fields(sources, target))
    chosen = [
        ChosenEpisode(
            source.number, episode, int(source.reader.lengths[episode]), source.reader.data_bytes(episode)
        )
        for source in sources
        for episode in source.episodes
    ]
    plan = plan_merge(
        chosen,
        [source.tasks for source in sources],
        max_data_bytes=layout.DATA_FILES_SIZE_IN_MB * 2**20,
    )
    videos = plan_videos(sources, plan, video_keys, target.fps, progress)
    carried, statistics = _plan_stats(sources, target, operation == "relabel", progress)
    build = Build(sources, config, operation, target, plan, schema, videos, carried, statistics)
    build.warnings += [*warnings, *_plan_warnings(build)]
    return build


def _kept_fields(sources: Sequence[Source], target: TargetFormat) -> dict[str, pa.Field]:
    """Arrow fields of columns whose type is taken from the first source (language annotations)."""
    fields: dict[str, pa.Field] = {}
    for name, feature in target.features.items():
        if feature.dtype != "video" and v30.column_type(name, feature) is None:
            batch = next(iter(sources[0].reader.read(sources[0].episodes[:1], [sources[0].original[name]])))
            if sources[0].original[name] not in batch.table.column_names:
                message = f"column {name!r} is missing, though info.json declares it"
                raise DatasetError(Problem("missing-column", message, str(batch.path)))
            fields[name] = batch.table.schema.field(0).with_name(name)
    return fields


def _plan_stats(
    sources: Sequence[Source], target: TargetFormat, keep_untouched: bool, progress: Progress
) -> tuple[list[StatsOfSource], dict[str, Sequence[str]]]:
    """Which statistics come from the sources, and which each feature has in the output."""
    touched = {*target.labels, layout.TIMESTAMP, *layout.INDEX_COLUMNS}
    cameras = [name for name, feature in target.features.items() if feature.dtype in ("image", "video")]
    numeric = [name for name, feature in target.features.items() if is_numeric(feature.dtype)]
    wanted = [*cameras, *(name for name in numeric if keep_untouched and name not in touched)]
    carried: list[StatsOfSource] = []
    for source in sources:
        kept: StatsOfSource = {}
        own = source.reader.stats(source.episodes, [source.original[name] for name in wanted])
        for name in wanted:
            arrays = _usable(own.get(source.original[name], {}), _width(target, name), name in cameras)
            if arrays:
                kept[name] = arrays
            elif name in cameras:
                kept[name] = measure_images(source, name, target.fps, progress)
                source.notes.append(f"statistics of {name!r} measured from its pictures, for want of any")
        carried.append(kept)
    statistics: dict[str, Sequence[str]] = {}
    for name in target.features:
        if name in cameras:
            statistics[name] = [s for s in STATISTICS if all(s in kept[name] for kept in carried)]
        elif name in numeric:
            statistics[name] = STATISTICS
    return carried, statistics


def _width(target: TargetFormat, name: str) -> int:
    feature = target.features[name]
    if feature.dtype in ("image", "video"):
        return 0  # channels: 3, or 1 for depth; whatever the source measured
    return int(np.prod(feature.shape))


def _usable(arrays: Mapping[str, NDArray[Any]], width: int, is_camera: bool) -> dict[str, NDArray[Any]]:
    """Statistics of a source as arrays; empty where they are not complete enough to be kept."""
    result: dict[str, NDArray[Any]] = {}
    for name, values in arrays.items():
        if name == "count":
            result[name] = values[:, :1]
        elif name in STATISTICS and (is_camera or values.shape[1] == width):
            result[name] = values
    needed = _REQUIRED_STATISTICS if is_camera else STATISTICS
    return result if all(name in result for name in needed) else {}


def _plan_warnings(build: Build) -> Iterator[Problem]:
    for source in build.sources:
        declared = source.reader.info.features
        extra = [name for name in source.reader.columns(source.episodes[0]) if name not in declared]
        if extra:
            message = f"{source.title}: info.json does not declare the columns {extra}; they are left out"
            yield Problem("undeclared-column", message, severity="warning")
    seen: dict[tuple[Path, int], int] = {}
    for episode in build.plan.episodes:
        key = (build.sources[episode.source].reader.root.resolve(), episode.source_episode)
        if key in seen:
            message = (
                f"episode {episode.source_episode} of {build.sources[episode.source].title} goes into the "
                f"output twice, as episodes {seen[key]} and {episode.episode_index}"
            )
            yield Problem("episode-twice", message, severity="warning")
        seen[key] = episode.episode_index
    for camera in build.videos:
        if camera.unreferenced:
            message = (
                f"camera {camera.video_key!r}: {camera.unreferenced} frames that no row refers to are copied "
                "too, because others cannot be decoded without them"
            )
            yield Problem("unreferenced-frames", message, severity="warning")
        if camera.left_out:
            message = (
                f"camera {camera.video_key!r}: the videos of {camera.left_out[0]} episodes hold "
                f"{camera.left_out[1]} frames more than there are rows; these are left out"
            )
            yield Problem("unreferenced-frames", message, severity="warning")
        if camera.has_audio:
            message = f"camera {camera.video_key!r}: sound is not copied where files are packed anew"
            yield Problem("audio-left-out", message, severity="warning")
        if camera.snapped_s > layout.TIMESTAMP_TOLERANCE_S:
            message = (
                f"camera {camera.video_key!r}: pictures were up to {camera.snapped_s:.6f} s off frame / fps, "
                "and stand on it now"
            )
            yield Problem("video-retimed", message, severity="warning")
            if build.config.timestamps == "keep":
                raise DataError(Problem("video-off-grid", message, hint="use --timestamps fix"))


def write(build: Build, root: Path, repo_id: str, progress: Progress) -> MergeReport:
    """Writes the planned dataset into an empty folder and verifies it.

    Raises:
        GraspError: A source turned out to be damaged.
        VerificationError: What was written is not what the plan said.
    """
    try:
        with VideoWriter(build.videos, root, build.target.fps, build.config.link) as videos:
            writer = _Writer(build, root)
            try:
                writer.rows(progress)
            finally:
                writer.provenance.abandon()
            ways = videos.finish(progress)
        _write_metadata(build, root, repo_id, writer)
    except (GraspError, OSError):
        _check_unchanged(build.sources)  # the cause, where they are not
        raise
    _check_unchanged(build.sources)
    verification = verify_dataset(root, repo_id)
    if not verification.ok:
        raise VerificationError(verification.problems)
    return _report(build, root, repo_id, writer, ways, verification)


def _check_unchanged(sources: Sequence[Source]) -> None:
    """Refuses an output whose sources were written to in the meantime.

    Raises:
        DatasetError: With a file of each source that is gone or different.
    """
    problems = [problem for source in sources for problem in source.state.changes()]
    if problems:
        raise DatasetError(list(dict.fromkeys(problems)))


class _Writer:
    """Writes tables, and adds up what goes into the report."""

    def __init__(self, build: Build, root: Path) -> None:
        self.build = build
        self.root = root
        recompute = [[name for name in build.statistics if name not in kept] for kept in build.carried]
        self.builders = [
            RowBuilder(
                source,
                build.target,
                build.schema,
                task_map=build.plan.task_maps[source.number],
                options=build.config,
                timestamps=build.config.timestamps,
                recompute=recompute[source.number],
            )
            for source in build.sources
        ]
        self.positions = [
            {episode: row for row, episode in enumerate(source.episodes)} for source in build.sources
        ]
        self.success: list[int | None] = []
        self.fixed: dict[int, tuple[int, float]] = {}
        self.renumbered: set[int] = set()
        self.provenance = ProvenanceWriter(
            root / layout.PROVENANCE_PATH,
            sources=build.sources,
            dones=[builder.done for builder in self.builders],
            target=build.target,
            config=build.config,
            operation=build.operation,
        )
        self.stats: dict[str, dict[str, object]] = {}

    def rows(self, progress: Progress) -> None:
        """Data files, the episodes table and the sidecar."""
        build = self.build
        features = build.target.features
        cameras = [name for name, feature in features.items() if feature.dtype in ("image", "video")]
        video_keys = [camera.video_key for camera in build.videos]
        with (
            v30.DataWriter(self.root, build.schema) as data,
            v30.EpisodesWriter(self.root, build.statistics, cameras, video_keys) as table,
        ):
            for run in build.plan.runs():
                source = build.sources[run[0].source]
                builder = self.builders[source.number]
                done = 0
                for batch in source.reader.read([episode.source_episode for episode in run], builder.columns):
                    planned = run[done : done + len(batch.episodes)]
                    done += len(planned)
                    block = builder.build(batch, planned)
                    data.write(planned[0].data_file, block.table, batch.lengths)
                    table.write(self._columns(planned), self._stats(source, planned, block))
                    self._count(planned, block)
                    self.provenance.write(planned, block.applied, block.hashes, block.timestamps_fixed)
                    progress("writing tables", planned[-1].to_index, build.plan.total_frames)
        self.provenance.close(self.fixed)
        self.stats = table.global_stats()

    def _columns(self, planned: Sequence[PlannedEpisode]) -> dict[str, Sequence[object]]:
        build = self.build
        source = build.sources[planned[0].source]
        files = [layout.chunk_and_file(episode.data_file) for episode in planned]
        columns: dict[str, Sequence[object]] = {
            "episode_index": [episode.episode_index for episode in planned],
            "tasks": [self._tasks(source, episode.source_episode) for episode in planned],
            "length": [episode.length for episode in planned],
            "data/chunk_index": [chunk for chunk, _ in files],
            "data/file_index": [file for _, file in files],
            "dataset_from_index": [episode.from_index for episode in planned],
            "dataset_to_index": [episode.to_index for episode in planned],
        }
        for camera in build.videos:
            places = [camera.places[episode.episode_index] for episode in planned]
            numbers = [layout.chunk_and_file(place.file) for place in places]
            prefix = f"videos/{camera.video_key}"
            columns[f"{prefix}/chunk_index"] = [chunk for chunk, _ in numbers]
            columns[f"{prefix}/file_index"] = [file for _, file in numbers]
            columns[f"{prefix}/from_timestamp"] = [place.from_timestamp for place in places]
            columns[f"{prefix}/to_timestamp"] = [place.to_timestamp for place in places]
        return columns

    def _tasks(self, source: Source, episode: int) -> Sequence[str]:
        if source.config.task is not None:
            return [source.config.task]
        return source.reader.episode_tasks(episode) or list(source.tasks.values())[:1]

    def _stats(
        self, source: Source, planned: Sequence[PlannedEpisode], block: RowBlock
    ) -> dict[str, Mapping[str, NDArray[Any]]]:
        rows = [self.positions[source.number][episode.source_episode] for episode in planned]
        carried = self.build.carried[source.number]
        stats: dict[str, Mapping[str, NDArray[Any]]] = dict(block.stats)
        for name, arrays in carried.items():
            stats[name] = {statistic: values[rows] for statistic, values in arrays.items()}
        return stats

    def _count(self, planned: Sequence[PlannedEpisode], block: RowBlock) -> None:
        number = planned[0].source
        self.success += block.success if block.success is not None else [None] * len(planned)
        rows, worst = self.fixed.get(number, (0, 0.0))
        self.fixed[number] = (rows + block.timestamps_fixed, max(worst, block.max_deviation_s))
        if block.renumbered:
            self.renumbered.add(number)


def _write_metadata(build: Build, root: Path, repo_id: str, writer: _Writer) -> None:
    target, plan = build.target, build.plan
    v30.write_tasks(root, plan.tasks)
    info = v30.info_json(
        fps=target.fps,
        robot_type=target.robot_type,
        features=target.features,
        total_episodes=len(plan.episodes),
        total_frames=plan.total_frames,
        total_tasks=len(plan.tasks),
        splits=_splits(build),
        tools=build.sources[0].reader.info.tools,
    )
    v30.write_json(root / layout.INFO_PATH, info)
    v30.write_json(root / layout.STATS_PATH, writer.stats)
    card = dataset_card(
        repo_id, target.robot_type, len(plan.episodes), plan.total_frames, target.fps, bool(target.labels)
    )
    (root / layout.CARD_PATH).write_text(card, encoding="utf-8")
    _copy_extra_metadata(build, root)


def _splits(build: Build) -> Mapping[str, object]:
    """The source's splits, where they still name the same episodes; else one for training."""
    total = len(build.plan.episodes)
    source = build.sources[0]
    splits = source.reader.info.splits
    if build.operation == "relabel" and total == len(source.reader.lengths) and splits:
        ends = [str(span).rpartition(":")[2] for span in splits.values()]
        if all(end.isdecimal() and int(end) <= total for end in ends):
            return splits
    return {"train": f"0:{total}"}


def _copy_extra_metadata(build: Build, root: Path) -> None:
    """Takes over files in ``meta/`` that are not LeRobot's (``modality.json``, ...)."""
    for source in build.sources:
        extra = [
            path
            for path in sorted((source.reader.root / "meta").glob("*"))
            if path.is_file()  # whose links lead nowhere outside: see layout.check_links
            and f"meta/{path.name}" not in layout.KNOWN_META_FILES
            and not path.name.startswith(".")
        ]
        if build.operation == "relabel":
            for path in extra:
                shutil.copyfile(path, root / "meta" / path.name)
        elif extra:
            names = ", ".join(path.name for path in extra)
            message = f"{source.title}: {names} in meta/ are not LeRobot's and are not merged"
            build.warnings.append(Problem("metadata-left-out", message, severity="warning"))


def _report(
    build: Build,
    root: Path,
    repo_id: str,
    writer: _Writer,
    ways: Mapping[str, int],
    verification: VerifyReport,
) -> MergeReport:
    episodes = [
        EpisodeReport(episode.episode_index, episode.source, episode.source_episode, episode.length, success)
        for episode, success in zip(build.plan.episodes, writer.success, strict=True)
    ]
    reports = []
    for source, builder in zip(build.sources, writer.builders, strict=True):
        mine = [episode for episode in episodes if episode.source == source.number]
        counts = [episode.success_frames for episode in mine]
        rows, worst = writer.fixed.get(source.number, (0, 0.0))
        notes = list(source.notes)
        if source.number in writer.renumbered:
            notes.append("frame_index did not count 0, 1, 2, ... and was numbered anew")
        reports.append(
            SourceReport(
                repo_id=source.repo_id,
                root=source.reader.root,
                codebase_version=source.reader.info.codebase_version,
                episodes=len(mine),
                frames=sum(episode.frames for episode in mine),
                success_frames=None if None in counts else sum(count or 0 for count in counts),
                done=builder.done if build.target.labels else None,
                timestamps_fixed=rows,
                max_deviation_s=worst,
                notes=notes,
            )
        )
    found = [problem for source in build.sources for problem in source.reader.warnings]
    warnings = tuple(dict.fromkeys([*build.warnings, *found]))
    return MergeReport(repo_id, root, reports, episodes, ways, warnings, verification)
