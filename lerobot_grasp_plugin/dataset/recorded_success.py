"""Reads the recorded success of a dataset: ``next.reward``, ``next.success`` and the sidecar's values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.labels import LabelValues, SuccessEvidence, SuccessRule
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric, to_numpy
from lerobot_grasp_plugin.dataset.hub import locate
from lerobot_grasp_plugin.dataset.opening import open_located
from lerobot_grasp_plugin.dataset.provenance import stored_values
from lerobot_grasp_plugin.dataset.reader import DatasetReader, EpisodeBatch
from lerobot_grasp_plugin.findings.problem import GraspError


@dataclass(frozen=True)
class LabelColumns:
    """The columns of a dataset that mark success rows.

    Attributes:
        reward: Name of its ``next.reward``; None without one.
        flags: Name of its ``next.success``; None without one.
    """

    reward: str | None
    flags: str | None

    @classmethod
    def of(cls, reader: DatasetReader) -> LabelColumns:
        """The columns under LeRobot's names."""
        known = reader.info.features
        names = [
            name if name in known and is_numeric(known[name].dtype) else None
            for name in (layout.REWARD, layout.SUCCESS)
        ]
        return cls(*names)

    @property
    def names(self) -> list[str]:
        """The existing columns."""
        return [name for name in (self.reward, self.flags) if name is not None]

    def of_batch(self, batch: EpisodeBatch) -> tuple[NDArray[np.generic] | None, NDArray[np.generic] | None]:
        """Rewards and flags of a batch, shape (rows,); None for columns that are not one number per row."""
        return _single(batch, self.reward), _single(batch, self.flags)


@dataclass(frozen=True)
class RecordedSuccess:
    """The recorded success.

    Attributes:
        rule: Which rows count as success.
        rewarded: Success frames of each episode by ``next.reward``; empty if it does not distinguish rows.
        flagged: Success frames of each episode by ``next.success``; empty without it.
        stamped: Episodes whose ``next.success`` is true in the last frame and in no other.
    """

    rule: SuccessRule
    rewarded: Mapping[int, int]
    flagged: Mapping[int, int]
    stamped: frozenset[int] = frozenset()


def read_rule(reader: DatasetReader, episodes: Sequence[int] | None = None) -> SuccessRule:
    """Which rows of a dataset count as success.

    Args:
        reader: The dataset.
        episodes: Those to read if other files are missing; None for all.

    Raises:
        DatasetError: Rows of these episodes cannot be read.
    """
    columns = LabelColumns.of(reader)
    values = stored_values(reader.root) if columns.reward else None
    if values is not None:
        return SuccessRule.of_values(values)
    return read_recorded(reader, columns, episodes).rule


def rule_of_folder(root: Path) -> SuccessRule | None:
    """The rule of a dataset by its folder; None if its files cannot be read."""
    try:
        return read_rule(open_located(locate(None, root)))
    except GraspError:
        return None


def success_by_episode(
    reader: DatasetReader, episodes: Sequence[int]
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Success rows of each episode, shape (length,); nothing if the dataset does not mark them.

    Raises:
        DatasetError: Rows cannot be read.
    """
    columns = LabelColumns.of(reader)
    if not columns.names:
        return
    rule = read_rule(reader, episodes)
    for batch in reader.read(episodes, columns.names):
        success = rule.rows(*columns.of_batch(batch))
        if success is None:
            continue
        parts = np.split(success, np.cumsum(batch.lengths)[:-1])
        yield from zip(batch.episodes, parts, strict=True)


def read_recorded(
    reader: DatasetReader,
    columns: LabelColumns,
    episodes: Sequence[int] | None = None,
    values: LabelValues | None = None,
) -> RecordedSuccess:
    """Reads the label columns of a dataset.

    Args:
        reader: The dataset.
        columns: The columns that mark success.
        episodes: Those whose counts are wanted; None for all. Without ``values`` the rule rests on all
            episodes whose files are there, and on these alone where some are missing or still on the Hub.
        values: The rewards of success and failure, if a sidecar states them.

    Raises:
        DatasetError: Rows of these episodes cannot be read.
    """
    everything = [episode for episode in range(len(reader.lengths)) if episode not in reader.lost]
    chosen = everything if episodes is None else episodes
    is_here = reader.location.fetch is None
    if values is None and episodes is not None and is_here:
        try:
            return _survey(reader, columns, everything, None)
        except GraspError:  # damage elsewhere does not concern these episodes
            pass
    return _survey(reader, columns, chosen, values)


def _survey(
    reader: DatasetReader, columns: LabelColumns, episodes: Sequence[int], values: LabelValues | None
) -> RecordedSuccess:
    known = None if values is None else SuccessRule.of_values(values)
    evidence = SuccessEvidence()
    peaks: dict[int, tuple[float, int]] = {}  # an episode's largest reward, and how many rows have it
    rewarded: dict[int, int] = {}
    flagged: dict[int, int] = {}
    stamped: set[int] = set()
    for batch in reader.read(list(episodes), columns.names):
        reward, flags = columns.of_batch(batch)
        ends = np.cumsum(np.asarray(batch.lengths, dtype=np.int64))
        starts = ends - batch.lengths
        success = None if known is None else known.rows(reward, flags)
        evidence.add(reward, flags)
        if success is not None:
            rewarded |= zip(batch.episodes, _sums(success, starts), strict=True)
        elif reward is not None and not evidence.is_many:
            finite = np.where(np.isfinite(reward), reward, -np.inf).astype(np.float32)
            largest = np.maximum.reduceat(finite, starts)
            counts = _sums(finite == np.repeat(largest, batch.lengths), starts)
            pairs = zip(largest.tolist(), counts, strict=True)
            peaks |= zip(batch.episodes, pairs, strict=True)
        if flags is not None:
            true = flags.astype(bool)
            sums = _sums(true, starts)
            flagged |= zip(batch.episodes, sums, strict=True)
            at_end = true[ends - 1].tolist()
            stamped |= {
                episode
                for episode, last, count, length in zip(
                    batch.episodes, at_end, sums, batch.lengths, strict=True
                )
                if last and count == 1 < length
            }
    rule = known or evidence.rule()
    if rule.basis == "two values":
        rewarded = {
            episode: count if largest == rule.success_value else 0
            for episode, (largest, count) in peaks.items()
        }
    return RecordedSuccess(rule, rewarded, flagged, frozenset(stamped))


def _sums(rows: NDArray[np.bool_], starts: NDArray[np.int64]) -> list[int]:
    """True rows of each episode."""
    sums: list[int] = np.add.reduceat(rows.astype(np.int64), starts).tolist()
    return sums


def _single(batch: EpisodeBatch, name: str | None) -> NDArray[np.generic] | None:
    if name is None or name not in batch.table.column_names:
        return None
    try:
        values = to_numpy(batch.table[name])
    except ValueError:  # nulls and lists of unequal length, which whoever writes or verifies them names
        return None
    return values.reshape(-1) if values.size == batch.table.num_rows else None
