"""Side tables with a row for each frame by ``index``, or for each episode by ``episode_index``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.core.timeline import moved_stamps
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import from_numpy, to_numpy
from lerobot_grasp_plugin.dataset.arrow_types import own_metadata
from lerobot_grasp_plugin.dataset.tables import TableFile, index_numbers
from lerobot_grasp_plugin.findings.problem import GraspError, column_of
from lerobot_grasp_plugin.merging.sources import Source


def read_side_table(path: Path) -> pa.Table | None:
    """A table whose rows belong to frames or episodes; None for every other file."""
    if path.suffix != ".parquet":
        return None
    try:
        file = TableFile(path)
        if not {layout.INDEX, layout.EPISODE_INDEX} & set(file.columns):
            return None
        metadata = own_metadata(file.file.schema_arrow)
        return file.read(0, file.rows, file.columns).replace_schema_metadata(metadata)
    except GraspError:
        return None


def map_rows(
    table: pa.Table, source: Source, planned: Sequence[PlannedEpisode]
) -> tuple[pa.Table, int] | None:
    """The rows of the chosen episodes, with the numbers that frames and episodes have in the output.

    Args:
        table: The result of ``read_side_table``.
        source: Whose table it is.
        planned: The output episodes that come from this source, in output order.

    Returns:
        The rows in output order, and how many of the episodes have rows. None where the numbers are not those
        of the source's frames or episodes.
    """
    numbers: dict[str, NDArray[Any]] = {}
    try:
        for name in (layout.INDEX, layout.EPISODE_INDEX, *([layout.FRAME_INDEX] if source.parts else [])):
            if name in table.column_names:
                numbers[name] = index_numbers(table[name])
    except GraspError:
        return None
    total = len(source.own_lengths)
    starts = first_indices(source)
    if layout.INDEX in numbers:
        episodes = episodes_of(numbers[layout.INDEX], starts, source)
        if episodes is None:
            return None
        own = numbers.get(layout.EPISODE_INDEX, episodes)
        if not np.array_equal(own[episodes >= 0], episodes[episodes >= 0]):
            return None
    else:
        episodes = numbers[layout.EPISODE_INDEX]
        if ((episodes < 0) | (episodes >= total)).any():
            return None
    order = np.argsort(episodes, kind="stable")
    bounds = np.searchsorted(episodes[order], np.arange(total + 1))
    pieces = [
        _of_part(order[bounds[each.source_episode] : bounds[each.source_episode + 1]], each, numbers, starts)
        for each in planned
    ]
    rows = np.concatenate(pieces) if pieces else np.empty(0, np.int64)
    counts = [len(piece) for piece in pieces]
    result = table.take(from_numpy(rows.astype(np.int64)))
    if layout.INDEX in numbers:
        shifts = [each.from_index - starts[each.source_episode] - each.source_span[0] for each in planned]
        moved = numbers[layout.INDEX][rows] + np.repeat(np.asarray(shifts, np.int64), counts)
        result = _replaced(result, layout.INDEX, moved)
    if layout.EPISODE_INDEX in numbers:
        outputs = np.repeat(np.asarray([each.episode_index for each in planned], np.int64), counts)
        result = _replaced(result, layout.EPISODE_INDEX, outputs)
    if layout.FRAME_INDEX in numbers:
        firsts = np.repeat(np.asarray([each.source_span[0] for each in planned], np.int64), counts)
        result = _from_part(
            result, numbers[layout.FRAME_INDEX][rows] - firsts, firsts, source.reader.info.fps
        )
    return result, sum(count > 0 for count in counts)


def _of_part(
    rows: NDArray[Any],
    episode: PlannedEpisode,
    numbers: Mapping[str, NDArray[Any]],
    starts: Mapping[int, int],
) -> NDArray[Any]:
    """The rows of an episode that are in a part of it; all rows for tables of episodes."""
    if episode.part is None:
        return rows
    if layout.INDEX in numbers:
        frames = numbers[layout.INDEX][rows] - starts[episode.source_episode]
    elif layout.FRAME_INDEX in numbers:
        frames = numbers[layout.FRAME_INDEX][rows]
    else:
        return rows
    start, stop = episode.source_span
    chosen: NDArray[Any] = rows[(frames >= start) & (frames < stop)]
    return chosen


def _from_part(table: pa.Table, frames: NDArray[np.int64], firsts: NDArray[np.int64], fps: float) -> pa.Table:
    """Rows with frame numbers and times that count from the first frames of the parts they are in."""
    table = _replaced(table, layout.FRAME_INDEX, frames)
    position = table.schema.get_field_index(layout.TIMESTAMP)
    with suppress(ValueError):  # a column without numbers holds no times
        if position >= 0:
            stamps = to_numpy(table[position]).reshape(-1)
            moved = from_numpy(moved_stamps(stamps, frames, firsts, fps))
            table = table.set_column(position, table.schema.field(position), moved)
    return table


def first_indices(source: Source) -> dict[int, int]:
    """``index`` of the first row of each episode of a source; of the chosen ones where episodes are lost."""
    reader = source.reader
    if not reader.lost:
        ends = np.cumsum(np.asarray(source.own_lengths, dtype=np.int64)).tolist()
        return dict(enumerate([0, *ends[:-1]]))
    starts: dict[int, int] = {}
    for batch in reader.read(source.episodes, [layout.INDEX]):
        if layout.INDEX not in batch.table.column_names:
            return {}
        index = index_numbers(batch.table[layout.INDEX], column_of(batch.path, "index"))
        firsts = index[np.cumsum([0, *batch.lengths[:-1]])].tolist()
        for number, first in zip(batch.episodes, firsts, strict=True):
            before = source.parts[number].start if number in source.parts else 0
            starts[source.own_episode(number)] = first - before
    return starts


def episodes_of(
    index: NDArray[np.int64], starts: Mapping[int, int], source: Source
) -> NDArray[np.int64] | None:
    """The episode of each ``index``, -1 for rows of lost episodes; None where an index is of no episode."""
    if not starts:
        return None
    order = sorted(starts, key=lambda episode: starts[episode])
    if order != sorted(order):
        return None
    known = np.asarray(order, np.int64)
    firsts = np.asarray([starts[episode] for episode in order], np.int64)
    lengths = np.asarray(source.own_lengths, dtype=np.int64)[known]
    at = np.searchsorted(firsts, index, side="right") - 1
    inside = (at >= 0) & (index < (firsts + lengths)[at])
    before = np.where(at >= 0, known[at], -1)
    after = np.append(known, len(source.own_lengths))[at + 1]
    if (~inside & (after - before < 2)).any():  # no episode is missing there
        return None
    return np.where(inside, before, -1)


def _replaced(table: pa.Table, name: str, values: NDArray[np.int64]) -> pa.Table:
    position = table.column_names.index(name)
    field = table.schema.field(position)
    column = from_numpy(values)
    if pa.types.is_integer(field.type) and field.type != column.type:
        column = column.cast(field.type)
    return table.set_column(position, pa.field(name, column.type), column)
