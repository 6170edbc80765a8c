"""Carries out a planned build: tables, videos and metadata, then the check of what was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric
from lerobot_grasp_plugin.dataset.card import write_card
from lerobot_grasp_plugin.dataset.memory import release_freed
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.findings.problem import DatasetError, GraspError, Problem, VerificationError
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.merging.blame import at_sources
from lerobot_grasp_plugin.merging.cards import generated_text
from lerobot_grasp_plugin.merging.episode_tasks import EpisodeTasks
from lerobot_grasp_plugin.merging.kept_rewards import changed_success, kept_reward_warnings
from lerobot_grasp_plugin.merging.prepare import Build, keeps_splits
from lerobot_grasp_plugin.merging.provenance import FirstEpisodes, provenance_writer
from lerobot_grasp_plugin.merging.recorded_episodes import RecordedEpisodes
from lerobot_grasp_plugin.merging.repeated import RepeatedEpisodes
from lerobot_grasp_plugin.merging.report import EpisodeReport, MergeReport, SourceReport
from lerobot_grasp_plugin.merging.rows import RowBlock, RowBuilder
from lerobot_grasp_plugin.merging.source_labels import common_labels, common_values
from lerobot_grasp_plugin.merging.source_stats import SourceStats
from lerobot_grasp_plugin.merging.sources import Source
from lerobot_grasp_plugin.merging.videos import VideoWriter
from lerobot_grasp_plugin.verify.report import VerifyReport
from lerobot_grasp_plugin.verify.verifier import verify_dataset
from lerobot_grasp_plugin.writers import v30
from lerobot_grasp_plugin.writers.column_store import ColumnStore
from lerobot_grasp_plugin.writers.episodes_table import EpisodesWriter


def write_build(build: Build, root: Path, repo_id: str, progress: Progress) -> MergeReport:
    """Writes the planned dataset into an empty folder and verifies it.

    Raises:
        GraspError: A source is damaged.
        VerificationError: The written dataset differs from the plan.
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
        _check_unchanged(build.sources)  # the cause, if they are not
        raise
    _check_unchanged(build.sources)
    verification = verify_dataset(root, repo_id, thorough=False)
    if not verification.ok:
        errors = [problem for problem in verification.problems if problem.severity == "error"]
        raise VerificationError(at_sources(build, errors))
    return _report(build, root, repo_id, writer, ways, verification)


def _check_unchanged(sources: Sequence[Source]) -> None:
    """Refuses an output whose sources changed while they were read.

    Raises:
        DatasetError: With a missing or changed file of each such source.
    """
    problems = [problem for source in sources for problem in source.state.changes()]
    if problems:
        raise DatasetError(list(dict.fromkeys(problems)))


class _Writer:
    """Writes tables and collects the figures of the report."""

    def __init__(self, build: Build, root: Path) -> None:
        self.build = build
        self.root = root
        starts = [
            np.array([place.from_timestamp for place in camera.places], dtype=np.float64)
            for camera in build.videos
        ]
        features = build.target.features
        measured = [name for name in build.statistics if is_numeric(features[name].dtype)]
        self.builders = [
            RowBuilder(
                source,
                build.target,
                build.schema,
                task_map=build.plan.task_maps[source.number],
                index_maps=build.side.index_maps(source),
                options=build.config,
                timestamps=build.config.timestamps,
                measured=measured,
                starts=starts,
            )
            for source in build.sources
        ]
        self.positions = [
            {episode: row for row, episode in enumerate(source.episodes)} for source in build.sources
        ]
        made = {*build.target.labels, layout.TIMESTAMP, *layout.INDEX_COLUMNS}
        kept = [name for name in measured if name not in made]
        release_freed()
        self.source_stats = [
            SourceStats(source, [name for name in kept if _is_taken_over(name, source, build)])
            for source in build.sources
        ]
        release_freed()
        self.wrong_stats: list[Problem] = []
        self.repeated = RepeatedEpisodes()
        self.recorded = RecordedEpisodes(build.sources)
        self.success: list[int | None] = []
        self.fixed: dict[int, tuple[int, float]] = {}
        self.renumbered: set[int] = set()
        self.tasks = EpisodeTasks(build.plan.tasks)
        self.labels = self._labels()
        self.provenance = provenance_writer(
            root / layout.PROVENANCE_PATH,
            sources=build.sources,
            dones=self._dones(),
            labels=self.labels,
            config=build.config,
            operation=build.operation,
            left_out=build.contradictions.by_source,
        )
        self.firsts = FirstEpisodes(build.sources)
        self.stats: dict[str, dict[str, object]] = {}

    def _dones(self) -> list[str | None]:
        if self.build.target.labels:
            return [builder.labels.done for builder in self.builders]
        return [known.get("done") for known in self.build.recorded]

    def _labels(self) -> Mapping[str, Any] | None:
        """How the labels of the output were made; None if it has none, or sources differ."""
        build = self.build
        if not build.target.labels:
            return common_labels(build.recorded) or common_values(build.sources)
        return {**build.config.label_options(), "columns": list(build.target.labels)}

    def rows(self, progress: Progress) -> None:
        """Data files, the episodes table and the sidecar."""
        build = self.build
        features = build.target.features
        cameras = [name for name, feature in features.items() if feature.dtype in ("image", "video")]
        video_keys = [camera.video_key for camera in build.videos]
        progress("writing tables", 0, build.plan.total_frames)
        with ColumnStore(self.root) as store:
            with (
                v30.DataWriter(self.root, build.schema) as data,
                EpisodesWriter(
                    self.root, build.statistics, cameras, video_keys, build.side.episodes
                ) as table,
            ):
                for batch, planned in self._batches():
                    block = self.builders[planned[0].source].build(batch, planned)
                    data.write(planned[0].data_file, block.table, batch.lengths)
                    table.write(self._columns(planned, block), self._stats(planned, block))
                    store.add(block.numbers)
                    self._count(planned, block)
                    self.repeated.see(planned, block.hashes)
                    self.recorded.see(planned, block.applied)
                    firsts = self.firsts.of(planned)
                    self.provenance.write(planned, block.applied, block.hashes, firsts)
                    progress("writing tables", planned[-1].to_index, build.plan.total_frames)
            if off_grid := [builder.off_grid for builder in self.builders if builder.off_grid is not None]:
                raise DatasetError(off_grid)
            self.provenance.close(self.fixed)
            self.recorded.write(self.root, self.labels if build.target.labels else None)
            self._statistics(table, store)

    def _statistics(self, table: EpisodesWriter, store: ColumnStore) -> None:
        """Statistics over the output, and findings about those the sources store."""
        owners = np.array([episode.source for episode in self.build.plan.episodes])
        for name, arrays, overall in table.statistics(store):
            self.stats[name] = overall
            for number, own in enumerate(self.source_stats):
                true = {statistic: values[owners == number] for statistic, values in arrays.items()}
                self.wrong_stats += own.compare(name, true)

    def _batches(self) -> Iterator[tuple[EpisodeBatch, Sequence[PlannedEpisode]]]:
        """The source's rows, and the episodes they become, in output order."""
        for run in self.build.plan.runs():
            builder = self.builders[run[0].source]
            episodes = [episode.read_as for episode in run]
            done = 0
            for batch in builder.source.reader.read(episodes, builder.columns):
                yield batch, run[done : done + len(batch.episodes)]
                done += len(batch.episodes)

    def _columns(self, planned: Sequence[PlannedEpisode], block: RowBlock) -> dict[str, Sequence[object]]:
        build = self.build
        source = build.sources[planned[0].source]
        files = [layout.chunk_and_file(episode.data_file) for episode in planned]
        columns: dict[str, Sequence[object]] = {
            "episode_index": [episode.episode_index for episode in planned],
            "tasks": self.tasks.of(source, planned, block.table[layout.TASK_INDEX]),
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

    def _stats(
        self, planned: Sequence[PlannedEpisode], block: RowBlock
    ) -> dict[str, Mapping[str, NDArray[Any]]]:
        number = planned[0].source
        rows = [self.positions[number][episode.read_as] for episode in planned]
        carried = self.build.carried[number]
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


def _is_taken_over(name: str, source: Source, build: Build) -> bool:
    """Whether the rows of a feature are those of a source."""
    made = source.derivation.features if source.derivation is not None else ()
    return name not in made and name not in build.side.index_maps(source)


def _write_metadata(build: Build, root: Path, repo_id: str, writer: _Writer) -> None:
    target, plan = build.target, build.plan
    v30.write_tasks(root, plan.tasks, build.side.tasks)
    info = v30.info_json(
        fps=target.fps,
        robot_type=target.robot_type,
        features=target.features,
        total_episodes=len(plan.episodes),
        total_frames=plan.total_frames,
        total_tasks=len(plan.tasks),
        splits=_splits(build),
        tools=build.side.tools,
        unknown=build.side.info,
    )
    v30.write_json(root / layout.INFO_PATH, info)
    v30.write_json(root / layout.STATS_PATH, writer.stats)
    write_card(root, build.card.header, generated_text(repo_id, target, plan, info), build.card.text)
    build.side.write(root, build.config.link)


def _splits(build: Build) -> Mapping[str, object]:
    """The source's splits, if they still name the same episodes; else one for training."""
    if keeps_splits(build):
        splits: Mapping[str, object] = build.sources[0].reader.info.splits
        return splits
    return {"train": f"0:{len(build.plan.episodes)}"}


def _report(
    build: Build,
    root: Path,
    repo_id: str,
    writer: _Writer,
    ways: Mapping[str, int],
    verification: VerifyReport,
) -> MergeReport:
    episodes = [
        EpisodeReport.of(episode, success)
        for episode, success in zip(build.plan.episodes, writer.success, strict=True)
    ]
    reports = []
    for source, builder in zip(build.sources, writer.builders, strict=True):
        mine = [episode for episode in episodes if episode.source == source.number]
        counts = [episode.success_frames for episode in mine]
        rows, worst = writer.fixed.get(source.number, (0, 0.0))
        notes = [*source.notes, *writer.tasks.notes(source)]
        if source.number in writer.renumbered:
            notes.append("frame_index was missing or did not count 0, 1, 2, ..., and was renumbered")
        reports.append(
            SourceReport(
                repo_id=source.repo_id,
                root=source.reader.root,
                codebase_version=source.reader.info.codebase_version,
                episodes=len(mine),
                frames=sum(episode.frames for episode in mine),
                success_frames=None if None in counts else sum(count or 0 for count in counts),
                done=builder.labels.done if build.target.labels else None,
                timestamps_fixed=rows,
                max_deviation_s=worst,
                notes=notes,
            )
        )
    found = [problem for source in build.sources for problem in source.reader.warnings]
    found += writer.wrong_stats
    found += writer.repeated.warnings(build.sources)
    found += kept_reward_warnings([builder.labels for builder in writer.builders])
    found += [_narrowed(builder) for builder in writer.builders if builder.narrowed]
    is_said = any(problem.code == "success-value-differs" for problem in build.warnings)
    if not is_said and writer.labels is None and layout.REWARD in build.target.features:
        found += changed_success(build.sources, episodes, root)
    warnings = tuple(dict.fromkeys([*build.warnings, *found]))
    base = 1 if build.config.index_base is None else build.config.index_base
    return MergeReport(repo_id, root, reports, episodes, ways, warnings, verification, index_base=base)


def _narrowed(builder: RowBuilder) -> Problem:
    names = ", ".join(f"{name!r} ({count(number, 'value')})" for name, number in builder.narrowed.items())
    title = builder.source.title
    message = f"{title}: the tables have wider dtypes than info.json declares; values changed in {names}"
    hint = "each was rounded to the declared dtype; to keep the values, declare the tables' dtype"
    return Problem("numbers-narrowed", message, hint=hint)
