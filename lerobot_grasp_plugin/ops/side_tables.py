"""Tables next to the rows: a row for each frame by ``index``, or for each episode by ``episode_index``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import from_numpy
from lerobot_grasp_plugin.dataset.arrow_types import own_metadata
from lerobot_grasp_plugin.dataset.tables import TableFile, whole_numbers
from lerobot_grasp_plugin.errors import GraspError
from lerobot_grasp_plugin.ops.sources import Source


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


def mapped(table: pa.Table, source: Source, planned: Sequence[PlannedEpisode]) -> pa.Table | None:
    """The rows of the chosen episodes, with the numbers that frames and episodes have in the output.

    Args:
        table: As ``read_side_table`` gives it.
        source: Whose table it is.
        planned: The output episodes that come from this source, in output order.

    Returns:
        The rows in output order. None where the numbers are not those of the source's frames or episodes.
    """
    lengths = np.asarray(source.reader.lengths, dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    numbers: dict[str, NDArray[Any]] = {}
    try:
        for name in (layout.INDEX, layout.EPISODE_INDEX):
            if name in table.column_names:
                numbers[name] = whole_numbers(table[name], name)
    except GraspError:
        return None
    if layout.INDEX in numbers:
        index = numbers[layout.INDEX]
        if ((index < 0) | (index >= starts[-1])).any():
            return None
        episodes = np.searchsorted(starts, index, side="right") - 1
        if layout.EPISODE_INDEX in numbers and not np.array_equal(numbers[layout.EPISODE_INDEX], episodes):
            return None
    else:
        episodes = numbers[layout.EPISODE_INDEX]
        if ((episodes < 0) | (episodes >= len(lengths))).any():
            return None
    order = np.argsort(episodes, kind="stable")
    bounds = np.searchsorted(episodes[order], np.arange(len(lengths) + 1))
    pieces = [order[bounds[each.source_episode] : bounds[each.source_episode + 1]] for each in planned]
    rows = np.concatenate(pieces) if pieces else np.empty(0, np.int64)
    counts = [len(piece) for piece in pieces]
    result = table.take(from_numpy(rows.astype(np.int64)))
    if layout.INDEX in numbers:
        shifts = [each.from_index - int(starts[each.source_episode]) for each in planned]
        moved = numbers[layout.INDEX][rows] + np.repeat(np.asarray(shifts, np.int64), counts)
        result = _replaced(result, layout.INDEX, moved)
    if layout.EPISODE_INDEX in numbers:
        own = np.repeat(np.asarray([each.episode_index for each in planned], np.int64), counts)
        result = _replaced(result, layout.EPISODE_INDEX, own)
    return result


def _replaced(table: pa.Table, name: str, values: NDArray[np.int64]) -> pa.Table:
    position = table.column_names.index(name)
    field = table.schema.field(position)
    column = from_numpy(values)
    if pa.types.is_integer(field.type) and field.type != column.type:
        column = column.cast(field.type)
    return table.set_column(position, pa.field(name, column.type), column)


def episodes_covered(table: pa.Table, source: Source) -> int:
    """How many episodes of the source have at least one row."""
    if layout.EPISODE_INDEX in table.column_names:
        return len(np.unique(whole_numbers(table[layout.EPISODE_INDEX], layout.EPISODE_INDEX)))
    starts = np.cumsum(np.asarray(source.reader.lengths, dtype=np.int64))
    index = whole_numbers(table[layout.INDEX], layout.INDEX)
    return len(np.unique(np.searchsorted(starts, index, side="right")))
