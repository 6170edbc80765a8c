"""Places files that are not LeRobot's in the output."""

from __future__ import annotations

import filecmp
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from lerobot_grasp_plugin.core.plan import MergePlan
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow_types import common_type, joined_tables
from lerobot_grasp_plugin.dataset.column_metadata import left_out, metadata_of_columns
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import agree
from lerobot_grasp_plugin.merging.learning_splits import renumbered_learning
from lerobot_grasp_plugin.merging.side_tables import map_rows, read_side_table
from lerobot_grasp_plugin.merging.sources import Source

_NOT_RENUMBERED: Final = (
    "its episode and frame numbers are still the source's; meta/grasp_provenance.json maps them to those "
    "of the output. Parquet tables are renumbered if their columns index and "
    "episode_index match the rows"
)
_NAMED: Final = 8
"""Number of files that a warning names."""


@dataclass
class Placed:
    """Files and tables of the output, by their path in it.

    Attributes:
        copies: Files to copy.
        tables: Tables to write: those of the sources, with the numbers of the output.
        texts: Other files to write, with the numbers of the output.
        warnings: About files that may not match the output.
    """

    copies: dict[str, Path] = field(default_factory=dict)
    tables: dict[str, pa.Table] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)


def place_files(
    sources: Sequence[Source],
    plan: MergePlan,
    files: Sequence[Sequence[str]],
    unnumbered: Container[str] = (),
) -> Placed:
    """Decides where each file goes.

    A file of the only source, or one that all sources have with the same content, keeps its place. Tables
    with a row for each frame or episode are cut to the chosen episodes, mapped and joined. Every other file
    goes to ``meta/sources/NAME/``, so that its source is clear.

    Args:
        sources: The sources.
        plan: The episodes of the output.
        files: For each source, its files by path.
        unnumbered: Files of the only source that name no episode or frame.
    """
    placed = Placed()
    unchanged = len(sources) == 1 and _is_whole(sources[0])
    folders = _folders(sources)
    moved: dict[str, list[str]] = {}
    unmapped: list[str] = []
    for path in sorted({path for own in files for path in own}):
        holders = [source for source, own in zip(sources, files, strict=True) if path in own]
        origins = {source.number: source.reader.root / path for source in holders}
        if unchanged:
            placed.copies[path] = origins[0]
        elif (
            path == layout.LEARNING_PATH
            and len(sources) == 1
            and (text := renumbered_learning(sources[0], plan.episodes))
        ):
            placed.texts[path] = text
        elif (table := _joined_table(path, holders, sources, plan, placed.warnings)) is not None:
            placed.tables[path] = table
        elif _keeps_place(path, list(origins.values()), len(sources)):
            placed.copies[path] = next(iter(origins.values()))
            unmapped += [] if path in unnumbered else [path]
        else:
            for source in holders:
                target = f"{layout.SOURCES_DIR}/{folders[source.number]}/{path}"
                placed.copies[target] = origins[source.number]
                if path not in (own := moved.setdefault(source.title, [])):
                    own.append(path)  # a dataset may be several sources
    for title, paths in moved.items():
        are = agree(len(paths), "is", "are")
        message = f"{title}: {named(paths)} {are} different between sources"
        hint = f"copied unchanged to {layout.SOURCES_DIR}/; {_NOT_RENUMBERED}"
        placed.warnings.append(Problem("file-of-one-source", message, hint=hint))
    if unmapped and not all(_is_whole(source) for source in sources):
        are = agree(len(unmapped), "is", "are")
        message = f"{named(unmapped)} {are} copied unchanged, although not all episodes are copied"
        hint = _NOT_RENUMBERED
        placed.warnings.append(Problem("file-not-mapped", message, hint=hint))
    return placed


def _is_whole(source: Source) -> bool:
    return list(source.episodes) == list(range(len(source.reader.lengths)))


def _keeps_place(path: str, origins: Sequence[Path], sources: int) -> bool:
    everywhere = len(origins) == sources or path.startswith(f"{layout.SOURCES_DIR}/")
    return everywhere and all(filecmp.cmp(origins[0], other, shallow=False) for other in origins[1:])


def _folders(sources: Sequence[Source]) -> Mapping[int, str]:
    """A folder for each dataset: its name, with a number where two datasets have one name."""
    names: dict[Path, str] = {}
    for source in sources:
        root = source.reader.root.resolve()
        if root not in names:
            name, number = source.title, 2
            while name in names.values():
                name, number = f"{source.title}-{number}", number + 1
            names[root] = name
    return {source.number: names[source.reader.root.resolve()] for source in sources}


def _joined_table(
    path: str,
    holders: Sequence[Source],
    sources: Sequence[Source],
    plan: MergePlan,
    warnings: list[Problem],
) -> pa.Table | None:
    """A table of frames or episodes for the whole output; None for other files."""
    tables: list[pa.Table] = []
    covered, chosen = 0, len(plan.episodes)
    for source in holders:
        own = read_side_table(source.reader.root / path)
        planned = [episode for episode in plan.episodes if episode.source == source.number]
        found = None if own is None else map_rows(own, source, planned)
        if found is None:
            return None
        tables.append(found[0])
        covered += found[1]
    names = {tuple(table.column_names) for table in tables}
    if len(names) == 1 and any(
        common_type([table.schema.field(name).type for table in tables]) is None
        for name in tables[0].column_names
    ):
        return None
    if covered < chosen:
        message = (
            f"{path} has rows for {covered} of {chosen} episodes, because it is incomplete in some source"
        )
        warnings.append(Problem("side-table-incomplete", message))
    for source, table in zip(holders, tables, strict=True):
        columns = metadata_of_columns(table.schema)
        warnings += left_out(columns, f"{source.title}: {path}", source.reader.root)
    metadata = [table.schema.metadata or {} for table in tables]
    same = metadata[0] if all(own == metadata[0] for own in metadata) else None
    if same is None:
        message = f"the parquet metadata of {path} differs between sources and is left out: {metadata}"
        warnings.append(Problem("metadata-differs", message))
    return joined_tables(tables, [table.num_rows for table in tables]).replace_schema_metadata(same)


def named(paths: Sequence[str]) -> str:
    """The first of several paths, and how many more there are."""
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return f"{', '.join(paths[:_NAMED])}{more}"
