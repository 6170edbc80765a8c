"""Carries over what sources contain beyond LeRobot's format: copied, renumbered, or reported as left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lerobot_grasp_plugin.core.plan import MergePlan
from lerobot_grasp_plugin.core.stats import unknown_statistics
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow_types import joined_tables
from lerobot_grasp_plugin.dataset.column_metadata import left_out
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.dataset.recording import read_recording
from lerobot_grasp_plugin.dataset.side_files import SideFiles, side_files
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.findings.words import agree, short
from lerobot_grasp_plugin.merging.contradictions import Contradictions, agreed, agreed_metadata, canonical
from lerobot_grasp_plugin.merging.features import TargetFormat
from lerobot_grasp_plugin.merging.index_tables import UnitedTable, index_tables_of, other_columns, unite
from lerobot_grasp_plugin.merging.placing import Placed, named, place_files
from lerobot_grasp_plugin.merging.recipe import Link
from lerobot_grasp_plugin.merging.sources import Source
from lerobot_grasp_plugin.writers import v30
from lerobot_grasp_plugin.writers.link import take_over


@dataclass(frozen=True)
class Carried:
    """Metadata and files of the output beyond LeRobot's format.

    Attributes:
        info: Keys of ``info.json``.
        tools: Tool schemas of ``info.json``; None without any.
        tasks: More columns of the tasks table, a row for each task; metadata in the schema.
        episodes: More columns of ``meta/episodes``, a row for each episode; None without any.
        index_tables: By feature, in place of the tables of the sources.
        files: Files to copy or write, by target path.
        warnings: Parts that are left out, or may be wrong in the output.
    """

    info: Mapping[str, Any]
    tools: Sequence[Any] | None
    tasks: pa.Table
    episodes: pa.Table | None
    index_tables: Mapping[str, UnitedTable]
    files: Placed
    warnings: Sequence[Problem] = field(default_factory=tuple)

    def index_maps(self, source: Source) -> dict[str, Mapping[int, int]]:
        """Per feature with a table of numbers: the source's number -> the output's."""
        return {name: table.maps[source.number] for name, table in self.index_tables.items()}

    def write(self, root: Path, link: Link) -> None:
        """Writes the files and tables into the output's folder."""
        for table in self.index_tables.values():
            v30.write_index_table(root / table.path, table.index_column, table.key, table.names, table.others)
        for path, side_table in self.files.tables.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(side_table, root / path)
        for path, text in self.files.texts.items():
            (root / path).write_bytes(text)
        for path, origin in self.files.copies.items():
            take_over(origin, root / path, "auto" if link == "auto" else "copy")


def plan_carried(
    sources: Sequence[Source], target: TargetFormat, plan: MergePlan, found: Contradictions
) -> Carried:
    """Plans what to do with everything beyond LeRobot's format; writes nothing.

    Args:
        sources: The sources.
        target: The features of the output.
        plan: The episodes of the output.
        found: Collects the values on which the sources differ.

    Raises:
        MergeError: Numbers of a source cannot be mapped.
        DatasetError: A metadata list of a source is damaged.
    """
    info = agreed(sources, [source.reader.info.unknown for source in sources], "info.json", found)
    listed = [side_files(source.reader) for source in sources]
    for source, own in zip(sources, listed, strict=True):
        recording = read_recording(source.reader.root)
        if layout.RECORDING_PATH in own.carried and recording is not None and recording.is_whole:
            own.carried.remove(layout.RECORDING_PATH)  # written with the numbers of the output
    warnings = [
        warning for source, own in zip(sources, listed, strict=True) for warning in _left_out(source, own)
    ]
    warnings += [warning for source in sources for warning in _statistics(source)]
    index_tables: dict[str, UnitedTable] = {}
    paths = [
        index_tables_of(source, target, own.carried) for source, own in zip(sources, listed, strict=True)
    ]
    if len(sources) > 1:
        index_tables = unite(sources, target, paths, found)
        for own, used in zip(listed, paths, strict=True):
            own.carried[:] = [path for path in own.carried if path not in used.values()]
    names = paths[0].values() if len(sources) == 1 else ()
    files = place_files(sources, plan, [own.carried for own in listed], names)
    return Carried(
        info,
        _tools(sources),
        _tasks(sources, plan, found),
        _episodes(sources, found),
        index_tables,
        files,
        (*warnings, *files.warnings),
    )


def _left_out(source: Source, files: SideFiles) -> Iterable[Problem]:
    for reason, paths in files.left_out.items():
        are = agree(len(paths), "is", "are")
        message = f"{source.title}: {named(paths)} {are} left out: {reason}"
        yield Problem("file-left-out", message, source.reader.root)


def _tools(sources: Sequence[Source]) -> list[Any] | None:
    """The tools of all sources, each once."""
    schemas = {canonical(tool): tool for source in sources for tool in source.reader.info.tools or ()}
    return list(schemas.values()) or sources[0].reader.info.tools  # type: ignore[return-value]


def _tasks(sources: Sequence[Source], plan: MergePlan, found: Contradictions) -> pa.Table:
    tables = [source.reader.task_table() for source in sources]
    known = [source.tasks for source in sources]
    named_rows = [
        [tasks.get(index, name) for index, name in zip(table.indices, table.names, strict=True)]
        for tasks, table in zip(known, tables, strict=True)
    ]
    place = "the table of tasks"
    for source, table in zip(sources, tables, strict=True):
        found.warnings += left_out(table.of_columns, f"{source.title}: the tasks", source.reader.root)
    others = other_columns(sources, plan.tasks, named_rows, [table.others for table in tables], place, found)
    return others.replace_schema_metadata(
        agreed_metadata(sources, [table.metadata for table in tables], place, found)
    )


def _episodes(sources: Sequence[Source], found: Contradictions) -> pa.Table | None:
    tables = [source.reader.side_columns(source.episodes) for source in sources]
    if not any(table is not None for table in tables):
        return None
    metadata = [dict(table.schema.metadata or {}) if table is not None else {} for table in tables]
    joined = joined_tables(
        [table if table is not None else pa.table({}) for table in tables],
        [len(source.episodes) for source in sources],
    )
    place = "the list of episodes"
    return joined.replace_schema_metadata(agreed_metadata(sources, metadata, place, found))


def split_warnings(sources: Sequence[Source]) -> Iterable[Problem]:
    """A warning for each source whose splits do not hold for the output."""
    for source in sources:
        splits = source.reader.info.splits
        if not isinstance(splits, Mapping) or list(splits) not in ([], ["train"]):
            message = (
                f"{source.title}: splits {short(canonical(splits))} are left out; all episodes are in 'train'"
            )
            yield Problem("metadata-left-out", message, source.reader.root / layout.INFO_PATH)


def _statistics(source: Source) -> Iterable[Problem]:
    """A warning for statistics in ``stats.json`` that LeRobot does not define."""
    path = source.reader.root / layout.STATS_PATH
    try:
        stats = read_json(path) if path.is_file() else {}
    except DatasetError:
        return  # the output has statistics of its own
    unknown = unknown_statistics(stats if isinstance(stats, dict) else {}, source.reader.info.features)
    if unknown:
        message = f"{source.title}: the statistics {', '.join(unknown)} are left out"
        yield Problem("metadata-left-out", message, path)
