"""Turns rows of source episodes into rows of the output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.content_hash import ContentHashes, in_hash_order
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.core.stats import by_last_axis, episode_stats
from lerobot_grasp_plugin.core.timeline import is_readable, off_grid, readable_stamps
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import from_numpy, is_numeric, list_lengths, present, to_numpy
from lerobot_grasp_plugin.dataset.arrow_types import conform, decoded, innermost_type, is_text
from lerobot_grasp_plugin.dataset.image_columns import embedded_images
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.dataset.tables import index_numbers
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, column_of
from lerobot_grasp_plugin.merging.features import TargetFormat
from lerobot_grasp_plugin.merging.index_tables import mapped_numbers
from lerobot_grasp_plugin.merging.recipe import LabelOptions, Timestamps
from lerobot_grasp_plugin.merging.row_labels import RowLabels
from lerobot_grasp_plugin.merging.row_tasks import RowTasks
from lerobot_grasp_plugin.merging.sources import Source


@dataclass(frozen=True)
class RowBlock:
    """Output rows of neighbouring episodes.

    Attributes:
        table: The rows.
        numbers: feature -> its numbers (see ``by_last_axis``), of the features asked for.
        stats: feature -> statistic -> shape (episodes, dims), of the same features.
        success: Success frames per episode; None if the output has no reward.
        applied: The success ranges of each episode that was labelled, 0-based, half-open.
        hashes: Content hash of each episode.
        timestamps_fixed: Rows whose timestamp was set.
        max_deviation_s: Largest distance of a source timestamp from frame_index / fps.
        renumbered: Whether frame_index did not count 0, 1, 2, ... in the source.
    """

    table: pa.Table
    numbers: Mapping[str, NDArray[Any]]
    stats: Mapping[str, Mapping[str, NDArray[Any]]]
    success: Sequence[int] | None
    applied: Sequence[IntervalSet | None]
    hashes: Sequence[str]
    timestamps_fixed: int
    max_deviation_s: float
    renumbered: bool


class RowBuilder:
    """Builds output rows for one source.

    Args:
        source: Where the rows are from.
        target: The output's format.
        schema: Arrow schema of the output's data files.
        task_map: The source's task_index -> the output's.
        index_maps: The same for features whose numbers a table in meta/ names.
        options: How labels are made.
        timestamps: Whether to fix or keep timestamps that LeRobot cannot read.
        measured: Features whose statistics are computed.
        starts: ``from_timestamp`` of every output episode, seconds, of each camera.

    Attributes:
        source: Where the rows are from.
        labels: Their labels.
        off_grid: The first timestamps that LeRobot cannot read, if these are kept.
        narrowed: Column, by its output name -> how many of its values changed so far, because its type in
            info.json is narrower than in the tables.
    """

    def __init__(
        self,
        source: Source,
        target: TargetFormat,
        schema: pa.Schema,
        *,
        task_map: Mapping[int, int],
        index_maps: Mapping[str, Mapping[int, int]],
        options: LabelOptions,
        timestamps: Timestamps,
        measured: Sequence[str],
        starts: Sequence[NDArray[np.float64]] = (),
    ) -> None:
        self.source = source
        self._target = target
        self._schema = schema
        self._tasks = RowTasks(source, task_map)
        self._index_maps = index_maps
        self._timestamps = timestamps
        self._measured = measured
        self._starts = starts
        self.labels = RowLabels(source, options, is_labelled=bool(target.labels))
        self.off_grid: Problem | None = None
        self.narrowed: dict[str, int] = {}

    @property
    def columns(self) -> list[str]:
        """The columns to read, by their names in the source."""
        wanted = {layout.TIMESTAMP, layout.FRAME_INDEX, layout.TASK_INDEX}
        for name in (*self._schema.names, *self._target.labels):
            if name in self.source.original:
                wanted.add(self.source.original[name])
        wanted |= self.labels.columns
        return sorted(wanted - {layout.INDEX, layout.EPISODE_INDEX})

    def build(self, batch: EpisodeBatch, planned: Sequence[PlannedEpisode]) -> RowBlock:
        """Output rows of a batch.

        Raises:
            DatasetError: A column is missing or does not hold what info.json says.
        """
        frames = np.concatenate([np.arange(length, dtype=np.int64) for length in batch.lengths])
        renumbered = self._check_frames(batch, frames)
        columns: dict[str, pa.Array[Any] | pa.ChunkedArray[Any]] = {
            layout.INDEX: from_numpy(np.arange(planned[0].from_index, planned[-1].to_index)),
            layout.FRAME_INDEX: from_numpy(frames),
            layout.EPISODE_INDEX: from_numpy(
                np.repeat([episode.episode_index for episode in planned], batch.lengths)
            ),
            layout.TASK_INDEX: from_numpy(self._tasks.rows(batch)),
        }
        stamps, fixed, deviation = self._stamps(batch, frames, planned)
        columns[layout.TIMESTAMP] = from_numpy(stamps)
        if self.source.derivation is not None:
            columns |= self.source.derivation.columns(batch, self._schema)
        labels = self.labels.rows(batch)
        applied: Sequence[IntervalSet | None] = [None] * len(planned)
        if labels is not None:
            applied = [IntervalSet.from_mask(each.success) for each in labels]
            columns[layout.REWARD] = from_numpy(np.concatenate([each.reward for each in labels]))
            columns[layout.DONE] = from_numpy(np.concatenate([each.done for each in labels]))
            columns[layout.SUCCESS] = from_numpy(np.concatenate([each.success for each in labels]))
        table = pa.Table.from_arrays(
            [
                columns[field.name] if field.name in columns else self._taken(batch, field)
                for field in self._schema
            ],
            schema=self._schema,
        )
        numbers = {
            name: self._numbers(table, name, batch.path)
            for name in self._schema.names
            if is_numeric(self._target.features[name].dtype)
            and 0 not in self._target.features[name].shape
            and (name in self._measured or name not in columns or name == layout.REWARD)
        }
        features = self._target.features
        measured = {name: by_last_axis(numbers[name], features[name].shape) for name in self._measured}
        stats = {name: episode_stats(values, batch.lengths) for name, values in measured.items()}
        return RowBlock(
            table=table,
            numbers=measured,
            stats=stats,
            success=self.labels.success_counts(labels, numbers, batch.lengths),
            applied=applied,
            hashes=self._hashes(table, numbers, batch.lengths),
            timestamps_fixed=fixed,
            max_deviation_s=deviation,
            renumbered=renumbered,
        )

    # -- computed columns -------------------------------------------------------------------------

    def _check_frames(self, batch: EpisodeBatch, frames: NDArray[Any]) -> bool:
        if layout.FRAME_INDEX not in batch.table.column_names:
            return True
        where = column_of(batch.path, "frame_index")
        own = index_numbers(batch.table[layout.FRAME_INDEX], where)
        if np.array_equal(own, frames):
            return False
        inside = frames[1:] > 0
        if (np.diff(own)[inside] <= 0).any():
            row = int(np.flatnonzero(inside & (np.diff(own) <= 0))[0]) + 1
            message = f"frame_index goes from {own[row - 1]} to {own[row]} within an episode (row {row})"
            raise DatasetError(Problem("frame-order", message, where, "rows must be in time order"))
        return True

    def _stamps(
        self, batch: EpisodeBatch, frames: NDArray[Any], planned: Sequence[PlannedEpisode]
    ) -> tuple[NDArray[Any], int, float]:
        """Timestamps that LeRobot can read; if one of an episode is set, all of the episode are."""
        dtype, fps = np.dtype(self._target.features[layout.TIMESTAMP].dtype), self._target.fps
        outputs = np.repeat([episode.episode_index for episode in planned], batch.lengths)
        starts = [camera[outputs] for camera in self._starts]
        grid = readable_stamps(frames, fps, dtype, starts)
        if layout.TIMESTAMP not in batch.table.column_names:
            return grid, 0, 0.0
        own = _times(batch.table[layout.TIMESTAMP], dtype)
        if np.array_equal(own, grid):
            return grid, 0, 0.0
        deviation = off_grid(own, frames, fps)
        if self._timestamps == "keep":
            self._refuse_off_grid(batch, frames, own, deviation != 0)
            return own, 0, 0.0
        first = np.concatenate(([0], np.cumsum(batch.lengths)[:-1]))
        unread = np.logical_or.reduceat(~is_readable(own, frames, fps, starts), first)
        stamps = np.where(np.repeat(unread, batch.lengths), grid, own)
        worst = float(np.nan_to_num(np.abs(deviation), nan=0.0, posinf=0.0).max(initial=0.0))
        return stamps, int((stamps != own).sum()), worst

    def _refuse_off_grid(
        self, batch: EpisodeBatch, frames: NDArray[Any], own: NDArray[Any], off: NDArray[np.bool_]
    ) -> None:
        if self.off_grid is not None or not off.any():
            return
        row = int(np.flatnonzero(off)[0])
        number = int(np.searchsorted(np.cumsum(batch.lengths), row, side="right"))
        message = f"timestamp {own[row]:.6f} s is not {frames[row] / self._target.fps:.6f} s"
        if off.sum() > 1:
            message += f", and {int(off.sum()) - 1} more of the {len(off)} rows read with it are wrong"
        hint = "LeRobot cannot read such frames; --timestamps fix sets them to frame_index / fps"
        place = column_of(batch.path, "timestamp")
        place = self.source.place_of(place, batch.episodes[number], int(frames[row]))
        self.off_grid = Problem("timestamp-off-grid", message, place, hint)

    # -- copied columns ---------------------------------------------------------------------------

    def _taken(self, batch: EpisodeBatch, field: pa.Field[Any]) -> pa.ChunkedArray[Any] | pa.Array[Any]:
        own = self.source.original[field.name]
        if own not in batch.table.column_names:
            message = f"column {own!r} is missing, but info.json declares it"
            raise DatasetError(Problem("missing-column", message, batch.path))
        column = batch.table[own]
        if self._target.features[field.name].dtype == "image":
            return embedded_images(column, self.source.reader.root, column_of(batch.path, own))
        numbers = self._index_maps.get(field.name)
        if column.type == field.type and numbers is None:
            return column
        if pa.types.is_null(field.type):
            return self._without_values(column, batch, own)
        try:
            if self._target.features[field.name].dtype == "language":
                return conform(column, field.type)
            if column.num_chunks and isinstance(column.type, pa.ExtensionType):
                column = pa.chunked_array(
                    [cast("pa.ExtensionArray[Any]", chunk).storage for chunk in column.chunks]
                )
            single = not pa.types.is_nested(field.type) and pa.types.is_nested(column.type)
            if single:  # shape (1,) written as lists of one value
                column = pa.chunked_array([from_numpy(to_numpy(column).reshape(sum(batch.lengths)))])
            column = decoded(column)
            if is_text(innermost_type(column.type)) != is_text(innermost_type(field.type)):
                raise ValueError("text is not converted to numbers, nor numbers to text")
            wide, column = column, column.cast(field.type)
            self._note_narrowed(field.name, wide, column)
            if numbers is None:
                return column
            where = column_of(batch.path, own)
            return from_numpy(mapped_numbers(to_numpy(column).reshape(-1), numbers, where)).cast(field.type)
        except (pa.ArrowException, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            message = f"column {own!r} holds {column.type}, not {field.type} as info.json says: {reason}"
            raise DatasetError(Problem("bad-column", message, batch.path)) from None

    def _note_narrowed(self, name: str, wide: pa.ChunkedArray[Any], narrow: pa.ChunkedArray[Any]) -> None:
        """Counts the values of a column that a narrower type of floats, or bool, changed."""
        own, declared = innermost_type(wide.type), innermost_type(narrow.type)
        is_narrower = pa.types.is_boolean(declared) and not pa.types.is_boolean(own)
        if pa.types.is_floating(own) and pa.types.is_floating(declared):
            is_narrower = own.bit_width > declared.bit_width
        if not is_narrower:
            return
        with suppress(ValueError):  # missing values are reported elsewhere
            before, after = to_numpy(wide), to_numpy(narrow)
            changed = int(((before != after) & ~(np.isnan(before) & np.isnan(after))).sum())
            if changed:
                self.narrowed[name] = self.narrowed.get(name, 0) + changed

    def _without_values(self, column: pa.ChunkedArray[Any], batch: EpisodeBatch, own: str) -> pa.Array[Any]:
        """A column of width 0: every row is empty."""
        lengths = list_lengths(column)
        if present(column).any() and (lengths is None or lengths.any()):
            message = f"column {own!r} has values, but its shape in info.json contains 0"
            raise DatasetError(Problem("bad-column", message, batch.path))
        return pa.nulls(len(column))

    def _numbers(self, table: pa.Table, name: str, path: Path) -> NDArray[Any]:
        try:
            return to_numpy(table[name])
        except ValueError as error:
            raise DatasetError(Problem("bad-column", f"column {name!r}: {error}", path)) from None

    def _hashes(
        self,
        table: pa.Table,
        numbers: Mapping[str, NDArray[Any]],
        lengths: Sequence[int],
    ) -> list[str]:
        """The content hash of each episode."""
        hashes, original = ContentHashes(len(lengths)), self.source.original
        names = [name for name in table.column_names if name not in layout.NOT_HASHED]
        for name in in_hash_order(names, original):
            hashes.add(original[name], _pieces(table[name], numbers.get(name), lengths))
        return hashes.hexdigests()


def _times(column: pa.ChunkedArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A column of timestamps; NaN in every row if it does not hold numbers."""
    try:
        with np.errstate(over="ignore"):
            values: NDArray[Any] = to_numpy(column).reshape(len(column)).astype(dtype)
        return values
    except ValueError:
        return np.full(len(column), np.nan, dtype=dtype)


def _pieces(
    column: pa.ChunkedArray[Any], numbers: NDArray[Any] | None, lengths: Sequence[int]
) -> Iterator[bytes | memoryview]:
    start = 0
    values = np.ascontiguousarray(numbers) if numbers is not None else None
    for length in lengths:
        if values is not None:
            yield memoryview(values[start : start + length]).cast("B")
        else:
            sink = pa.BufferOutputStream()
            table = pa.table({"column": column.slice(start, length)}).combine_chunks()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            yield memoryview(sink.getvalue())
        start += length
