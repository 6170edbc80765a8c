"""Rows of source episodes, turned into rows of the output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.content_hash import ContentHashes, in_hash_order
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.labels import (
    EpisodeLabels,
    LabelValues,
    SuccessRule,
    is_success_value,
    label_episode,
)
from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.core.stats import episode_stats
from lerobot_grasp_plugin.core.timeline import is_readable, off_grid, readable_stamps
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import (
    from_bytes,
    from_numpy,
    is_numeric,
    list_lengths,
    present,
    to_numpy,
)
from lerobot_grasp_plugin.dataset.arrow_types import conform
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.dataset.tables import whole_numbers
from lerobot_grasp_plugin.errors import DatasetError, Problem
from lerobot_grasp_plugin.ops.features import TargetFormat
from lerobot_grasp_plugin.ops.index_tables import mapped_numbers
from lerobot_grasp_plugin.ops.recipe import LabelOptions, Timestamps
from lerobot_grasp_plugin.ops.source_labels import decided_done, label_columns
from lerobot_grasp_plugin.ops.sources import Source

_EXAMPLES = 4
"""How many strange values a warning names."""


@dataclass(frozen=True)
class RowBlock:
    """Output rows of neighbouring episodes.

    Attributes:
        table: The rows.
        numbers: feature -> its rows, shape (rows, dims), of the features asked for.
        stats: feature -> statistic -> shape (episodes, dims), of the same features.
        success: Success frames per episode; None where the output has no reward.
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
        target: What they are to look like.
        schema: Arrow schema of the output's data files.
        task_map: The source's task_index -> the output's.
        index_maps: The same for features whose numbers a table in meta/ names.
        options: How labels are made.
        timestamps: What to do with timestamps LeRobot cannot read.
        measured: Features whose statistics are computed.
        starts: ``from_timestamp`` of every output episode, seconds, of each camera.

    Attributes:
        source: Where the rows are from.
        done: How next.done is made.
        rule: Which rows of the output are success; None where nothing says it.
        off_grid: The first timestamps that LeRobot cannot read, where these are to be kept.
        other_rewards: Rewards taken over so far that are neither the success nor the failure value.
        other_values: Some of them.
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
        self._task_map = task_map
        self._index_maps = index_maps
        self._options = options
        self._timestamps = timestamps
        self._measured = measured
        self._starts = starts
        self.done = decided_done(source, options)
        self.rule: SuccessRule | None = None
        self._values = LabelValues(options.success_value, options.failure_value)
        self._recorded_columns = label_columns(source)
        if target.labels:
            self.rule = SuccessRule.of_values(self._values)
        elif source.recorded is not None:
            self.rule = source.recorded.rule
        self.off_grid: Problem | None = None
        self.other_rewards = 0
        self.other_values: set[float] = set()

    @property
    def is_uncounted(self) -> bool:
        """Whether the output has rewards of which nothing says which ones are success."""
        return self.rule is not None and self.rule.basis == "many values"

    @property
    def columns(self) -> list[str]:
        """The columns to read, by their names in the source."""
        wanted = {layout.TIMESTAMP, layout.FRAME_INDEX, layout.TASK_INDEX}
        for name in (*self._schema.names, *self._target.labels):
            if name in self.source.original:
                wanted.add(self.source.original[name])
        if self._target.labels:
            wanted.update(self._recorded_columns.names)
            if self.source.column is not None:
                wanted.add(self.source.column.name)
        return sorted(wanted - {layout.INDEX, layout.EPISODE_INDEX})

    def build(self, batch: EpisodeBatch, planned: Sequence[PlannedEpisode]) -> RowBlock:
        """Output rows of a batch.

        Raises:
            DatasetError: A column is missing or does not hold what info.json says.
        """
        frames = np.concatenate([np.arange(length, dtype=np.int64) for length in batch.lengths])
        renumbered = self._check_frames(batch, frames)
        columns: dict[str, pa.Array | pa.ChunkedArray] = {
            layout.INDEX: from_numpy(np.arange(planned[0].from_index, planned[-1].to_index)),
            layout.FRAME_INDEX: from_numpy(frames),
            layout.EPISODE_INDEX: from_numpy(
                np.repeat([episode.episode_index for episode in planned], batch.lengths)
            ),
            layout.TASK_INDEX: from_numpy(self._tasks(batch)),
        }
        stamps, fixed, deviation = self._stamps(batch, frames, planned)
        columns[layout.TIMESTAMP] = from_numpy(stamps)
        if self.source.derivation is not None:
            columns |= self.source.derivation.columns(batch, self._schema)
        labels = self._labels(batch)
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
        stats = {name: episode_stats(numbers[name], batch.lengths) for name in self._measured}
        return RowBlock(
            table=table,
            numbers={name: numbers[name] for name in self._measured},
            stats=stats,
            success=self._success_counts(labels, numbers, batch.lengths),
            applied=applied,
            hashes=self._hashes(table, numbers, batch.lengths),
            timestamps_fixed=fixed,
            max_deviation_s=deviation,
            renumbered=renumbered,
        )

    # -- columns that are made --------------------------------------------------------------------

    def _check_frames(self, batch: EpisodeBatch, frames: NDArray[Any]) -> bool:
        if layout.FRAME_INDEX not in batch.table.column_names:
            return True
        where = f"{batch.path}: column 'frame_index'"
        own = whole_numbers(batch.table[layout.FRAME_INDEX], where)
        if np.array_equal(own, frames):
            return False
        inside = frames[1:] > 0
        if (np.diff(own)[inside] <= 0).any():
            row = int(np.flatnonzero(inside & (np.diff(own) <= 0))[0]) + 1
            message = f"frame_index goes from {own[row - 1]} to {own[row]} within an episode (row {row})"
            raise DatasetError(Problem("frame-order", message, where, "rows must stand in time order"))
        return True

    def _tasks(self, batch: EpisodeBatch) -> NDArray[Any]:
        rows = sum(batch.lengths)
        has_column = layout.TASK_INDEX in batch.table.column_names
        is_free = not has_column or not self.source.reader.tasks or self.source.config.task is not None
        if is_free and len(set(self._task_map.values())) == 1:
            return np.full(rows, next(iter(self._task_map.values())), dtype=np.int64)
        if not has_column:
            message = "column 'task_index' is missing, and the dataset has several tasks"
            raise DatasetError(Problem("missing-column", message, str(batch.path)))
        own = whole_numbers(batch.table[layout.TASK_INDEX], f"{batch.path}: column 'task_index'")
        known, inverse = np.unique(own, return_inverse=True)
        strange = [task for task in known.tolist() if task not in self._task_map]
        if strange:
            message = f"task_index {strange} stands in no tasks table"
            raise DatasetError(Problem("unknown-task", message, str(batch.path)))
        mapped = np.array([self._task_map[task] for task in known.tolist()], dtype=np.int64)
        return mapped[inverse]

    def _stamps(
        self, batch: EpisodeBatch, frames: NDArray[Any], planned: Sequence[PlannedEpisode]
    ) -> tuple[NDArray[Any], int, float]:
        """Timestamps LeRobot can read; where one of an episode is set, all of the episode are."""
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
            message += f", and {int(off.sum()) - 1} more of the {len(off)} rows read with it are off"
        hint = "LeRobot cannot read such frames; --timestamps fix sets them to frame_index / fps"
        where = f"{batch.path}: column 'timestamp'"
        episode, frame = batch.episodes[number], int(frames[row])
        self.off_grid = Problem("timestamp-off-grid", message, where, hint, episode=episode, frame=frame)

    def _labels(self, batch: EpisodeBatch) -> list[EpisodeLabels] | None:
        if not self._target.labels:
            return None
        success = self.source.labels or {}
        dones = self._existing(batch, self.source.original.get(layout.DONE))
        self._existing(batch, self._recorded_columns.reward)  # damage is named even where all is annotated
        recorded = rewards = None
        if any(episode not in success for episode in batch.episodes):
            recorded, rewards = self._recorded(batch)
        options = self._options
        labels, start = [], 0
        for episode, length in zip(batch.episodes, batch.lengths, strict=True):
            rows = slice(start, start + length)
            start += length
            asserted = success.get(episode)
            kept = None
            alignment = options.alignment
            if asserted is None:
                alignment = "frame"  # what was recorded is about rows
                if rewards is not None:
                    kept = rewards[rows]
                    self._note_others(kept)
                    asserted = IntervalSet.from_mask(is_success_value(kept, options.success_value))
                else:
                    assert recorded is not None
                    asserted = IntervalSet.from_mask(recorded[rows])
            made = label_episode(
                asserted,
                length,
                alignment=alignment,
                done=self.done,
                success_value=options.success_value,
                failure_value=options.failure_value,
                existing_done=dones[rows].astype(bool) if dones is not None else None,
            )
            labels.append(made if kept is None else EpisodeLabels(kept, made.done, made.success))
        return labels

    def _recorded(self, batch: EpisodeBatch) -> tuple[NDArray[np.bool_] | None, NDArray[np.float32] | None]:
        """Success rows by a column, or else the recorded rewards with this call's values for success."""
        column, columns = self.source.column, self._recorded_columns
        if column is not None:
            return column.rows(self._required(batch, column.name), self.source.column_rule), None
        rule = self.source.recorded.rule if self.source.recorded is not None else SuccessRule("nothing")
        if rule.basis == "next.success" or columns.reward is None:
            return self._required(batch, columns.flags or layout.SUCCESS).astype(np.bool_), None
        return None, rule.rewritten(self._required(batch, columns.reward), self._values)

    def _required(self, batch: EpisodeBatch, own: str) -> NDArray[Any]:
        values = self._existing(batch, own)
        if values is None:
            message = f"column {own!r} is missing, though info.json declares it"
            raise DatasetError(Problem("missing-column", message, str(batch.path)))
        return values

    def _existing(self, batch: EpisodeBatch, own: str | None) -> NDArray[Any] | None:
        if own is None or own not in batch.table.column_names:
            return None
        try:
            return to_numpy(batch.table[own]).reshape(-1)
        except ValueError as error:
            raise DatasetError(Problem("bad-column", f"{own}: {error}", str(batch.path))) from None

    # -- columns that are taken over --------------------------------------------------------------

    def _taken(self, batch: EpisodeBatch, field: pa.Field) -> pa.ChunkedArray | pa.Array:
        own = self.source.original[field.name]
        if own not in batch.table.column_names:
            message = f"column {own!r} is missing, though info.json declares it"
            raise DatasetError(Problem("missing-column", message, str(batch.path)))
        column = batch.table[own]
        if self._target.features[field.name].dtype == "image":
            return embedded_images(column, self.source.reader.root, f"{batch.path}: column {own!r}")
        numbers = self._index_maps.get(field.name)
        if column.type == field.type and numbers is None:
            return column
        if pa.types.is_null(field.type):
            return self._without_values(column, batch, own)
        try:
            if self._target.features[field.name].dtype == "language":
                return conform(column, field.type)
            if column.num_chunks and isinstance(column.type, pa.ExtensionType):
                column = pa.chunked_array([chunk.storage for chunk in column.chunks])
            single = not pa.types.is_nested(field.type) and pa.types.is_nested(column.type)
            if single:  # shape (1,) written as lists of one value
                column = from_numpy(to_numpy(column).reshape(sum(batch.lengths)))
            if _holds_text(column.type) != _holds_text(field.type):
                raise ValueError("text is not turned into numbers, nor numbers into text")
            column = column.cast(field.type)
            if numbers is None:
                return column
            where = f"{batch.path}: column {own!r}"
            return from_numpy(mapped_numbers(to_numpy(column).reshape(-1), numbers, where)).cast(field.type)
        except (pa.ArrowException, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            message = f"column {own!r} holds {column.type}, not {field.type} as info.json says: {reason}"
            raise DatasetError(Problem("bad-column", message, str(batch.path))) from None

    def _without_values(self, column: pa.ChunkedArray, batch: EpisodeBatch, own: str) -> pa.Array:
        """A column of no width: nothing is in any row."""
        lengths = list_lengths(column)
        if present(column).any() and (lengths is None or lengths.any()):
            message = f"column {own!r} has values, and info.json declares none for it (a shape with 0)"
            raise DatasetError(Problem("bad-column", message, str(batch.path)))
        return pa.nulls(len(column))

    def _numbers(self, table: pa.Table, name: str, path: Path) -> NDArray[Any]:
        try:
            return to_numpy(table[name])
        except ValueError as error:
            raise DatasetError(Problem("bad-column", f"column {name!r}: {error}", str(path))) from None

    def _success_counts(
        self,
        labels: Sequence[EpisodeLabels] | None,
        numbers: Mapping[str, NDArray[Any]],
        lengths: Sequence[int],
    ) -> list[int] | None:
        if labels is not None:
            return [int(each.success.sum()) for each in labels]
        reward, flags = numbers.get(layout.REWARD), numbers.get(layout.SUCCESS)
        reward = None if reward is None else reward.reshape(-1).astype(np.float32, copy=False)
        flags = None if flags is None else flags.reshape(-1)
        if reward is not None:
            self._note_others(reward)
        success = None if self.rule is None else self.rule.rows(reward, flags)
        if success is None:
            return None
        hits = success.astype(np.int64)
        return np.add.reduceat(hits, np.concatenate(([0], np.cumsum(lengths)[:-1]))).tolist()  # type: ignore[no-any-return]

    def _note_others(self, rewards: NDArray[np.float32]) -> None:
        if self.rule is None or self.rule.success_value is None or self.rule.failure_value is None:
            return
        values = np.array([self.rule.success_value, self.rule.failure_value], dtype=np.float32)
        others = rewards[~np.isin(rewards, values)]
        self.other_rewards += len(others)
        if len(self.other_values) < _EXAMPLES:
            self.other_values.update(np.unique(others)[:_EXAMPLES].tolist())

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


def _times(column: pa.ChunkedArray, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A column of timestamps; NaN in every row of a column that holds no numbers."""
    try:
        with np.errstate(over="ignore"):
            values: NDArray[Any] = to_numpy(column).reshape(len(column)).astype(dtype)
        return values
    except ValueError:
        return np.full(len(column), np.nan, dtype=dtype)


def _pieces(
    column: pa.ChunkedArray, numbers: NDArray[Any] | None, lengths: Sequence[int]
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


def embedded_images(column: pa.ChunkedArray, root: Path, where: str) -> pa.ChunkedArray | pa.Array:
    """A picture column as LeRobot stores it: structs of ``bytes`` and ``path``, the bytes inside.

    Raises:
        DatasetError: The column holds no pictures, or a picture file is missing.
    """
    target = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        data = column.combine_chunks().cast(pa.binary())
        data = data if isinstance(data, pa.Array) else pa.concat_arrays(data.chunks)
        return pa.StructArray.from_arrays([data, pa.nulls(len(data), pa.string())], fields=list(target))
    names = (
        {kind.field(number).name for number in range(kind.num_fields)} if pa.types.is_struct(kind) else set()
    )
    if names != {"bytes", "path"}:
        message = f"holds {kind}, not pictures (structs of bytes and path)"
        raise DatasetError(Problem("bad-column", message, where))
    array = column.combine_chunks()
    array = array if isinstance(array, pa.Array) else pa.concat_arrays(array.chunks)
    data, paths = array.field("bytes").cast(pa.binary()), array.field("path").cast(pa.string())
    if not data.null_count:
        return pa.StructArray.from_arrays([data, paths], fields=list(target))
    pictures = []
    for value, path in zip(data.to_pylist(), paths.to_pylist(), strict=True):
        pictures.append(value if value is not None else _picture_file(root, path, where))
    return pa.StructArray.from_arrays([from_bytes(pictures), paths], fields=list(target))


def _picture_file(root: Path, path: str | None, where: str) -> bytes:
    file = (root / (path or "")).resolve()
    if not path or not file.is_relative_to(root.resolve()) or not file.is_file():
        message = f"a picture is not in the table, and its file {path!r} is not in the dataset"
        raise DatasetError(Problem("missing-file", message, where))
    return file.read_bytes()


def _holds_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def half_open(ranges: IntervalSet) -> list[list[int]]:
    """Ranges as pairs of 0-based numbers, the second one exclusive."""
    return [[interval.start, _stop(interval)] for interval in ranges]


def _stop(interval: FrameInterval) -> int:
    assert interval.stop is not None
    return interval.stop
