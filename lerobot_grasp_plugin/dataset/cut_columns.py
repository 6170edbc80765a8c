"""Converts columns with frame numbers or times of an episode to those of a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.timeline import moved_stamps

_PREFIXES: Final = ("", "sparse_", "dense_")
_NAMES: Final = "subtask_names"
_FIRST, _LAST = "subtask_start_frames", "subtask_end_frames"
_TIMES: Final = ("subtask_start_times", "subtask_end_times")
_SARM: Final = {prefix: [prefix + name for name in (_NAMES, *_TIMES, _FIRST, _LAST)] for prefix in _PREFIXES}
"""Columns of ``meta/episodes`` of LeRobot's SARM: lists of subtasks, ends included."""

_STAMP: Final = "timestamp"


def uncut_columns(names: Iterable[str]) -> list[str]:
    """Columns of the list of episodes that ``cut_side_columns`` leaves as they are."""
    known = {name for group in _SARM.values() for name in group}
    return [name for name in names if name not in known]


def cut_side_columns(table: pa.Table, spans: Sequence[tuple[int, int] | None], fps: float) -> pa.Table:
    """Columns of the list of episodes, for parts of episodes.

    Subtasks of SARM that have no frame in the part are left out; the others begin and end within it. A part
    without any has none, like an episode without annotation.

    Args:
        table: A row for each episode or part, with the values of the whole episode.
        spans: Of each row, the first frame and the one after the last, 0-based; None for a whole episode.
        fps: Frames per second.
    """
    for prefix, group in _SARM.items():
        names = [name for name in group if name in table.column_names]
        if not {prefix + _FIRST, prefix + _LAST} <= set(names):
            continue
        rows = [
            row if span is None else _cut_subtasks(row, prefix, span, fps)
            for row, span in zip(table.select(names).to_pylist(), spans, strict=True)
        ]
        for name in names:
            position = table.column_names.index(name)
            field = table.schema.field(position)
            table = table.set_column(position, field, pa.array([row[name] for row in rows], field.type))
    return table


def _cut_subtasks(
    row: Mapping[str, Any], prefix: str, span: tuple[int, int], fps: float
) -> Mapping[str, list[Any] | None]:
    """The subtasks of one part, from those of its episode."""
    start, stop = span
    firsts, lasts = row[prefix + _FIRST] or (), row[prefix + _LAST] or ()
    kept = [
        number
        for number, (first, last) in enumerate(zip(firsts, lasts, strict=False))
        if first < stop and last >= start
    ]
    cut: dict[str, list[Any] | None] = {}
    for name, values in row.items():
        own = [values[number] for number in kept if number < len(values)] if values is not None else []
        kind = name.removeprefix(prefix)
        if kind in (_FIRST, _LAST):
            own = [min(max(value, start), stop - 1) - start for value in own]
        elif kind in _TIMES:
            own = [min(max(value - start / fps, 0.0), (stop - 1 - start) / fps) for value in own]
        cut[name] = own or None
    return cut


def cut_language(
    column: pa.ChunkedArray[Any], starts: NDArray[np.int64], lengths: NDArray[np.int64], fps: float
) -> pa.ChunkedArray[Any]:
    """Rows of a language column, with the times of the parts they are in.

    Entries that begin after the part are left out. Entries that began before it stay, at a time below 0,
    because they may still hold in the first frame. Rows without times do not change.

    Args:
        column: Of each row, a list of structs.
        starts: Of each row, the first frame of its part, 0-based, shape (rows,).
        lengths: Of each row, the frames of its part, shape (rows,).
        fps: Frames per second.
    """
    array = column.combine_chunks()
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    value = getattr(array.type, "value_type", None)
    if value is None or not pa.types.is_struct(value) or value.get_field_index(_STAMP) < 0:
        return column
    rows = pc.list_parent_indices(array).to_numpy(zero_copy_only=False).astype(np.int64)
    values = pc.list_flatten(array)
    stamps = pc.struct_field(values, _STAMP)
    times = stamps.to_numpy(zero_copy_only=False)
    frames = np.rint(times.astype(np.float64) * fps).astype(np.int64) - starts[rows]
    moved = moved_stamps(times, frames, starts[rows], fps)
    kept = frames < lengths[rows]
    children = [
        pa.array(moved, stamps.type, from_pandas=True)
        if field.name == _STAMP
        else pc.struct_field(values, field.name)
        for field in value
    ]
    structs = pa.StructArray.from_arrays(children, fields=list(value)).filter(pa.array(kept))
    ends = np.cumsum(np.bincount(rows[kept], minlength=len(array)))
    offsets = pa.array(
        np.concatenate([[0], ends]), pa.int64() if pa.types.is_large_list(array.type) else pa.int32()
    )
    kind: Any = pa.LargeListArray if pa.types.is_large_list(array.type) else pa.ListArray  # with its offsets
    return pa.chunked_array([kind.from_arrays(offsets, structs, mask=array.is_null())])
