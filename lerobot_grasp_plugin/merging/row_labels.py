"""Labels of the output's rows: from annotations, from a column, or as recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.labels import (
    EpisodeLabels,
    LabelValues,
    SuccessRule,
    is_success_value,
    label_episode,
)
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.merging.recipe import LabelOptions
from lerobot_grasp_plugin.merging.source_labels import column_alignment, decided_done, label_columns
from lerobot_grasp_plugin.merging.sources import Source

_EXAMPLES = 4
"""Number of unknown values that a warning names."""


class RowLabels:
    """Labels of the rows of one source.

    Args:
        source: Where the rows are from.
        options: How labels are made.
        is_labelled: Whether labels are written; otherwise they are only counted.

    Attributes:
        done: How next.done is made.
        rule: Which rows of the output are success; None if unknown.
        other_rewards: Rewards copied so far that are neither the success nor the failure value.
        other_values: Some of them.
    """

    def __init__(self, source: Source, options: LabelOptions, *, is_labelled: bool) -> None:
        self.source = source
        self._options = options
        self._is_labelled = is_labelled
        self.done = decided_done(source, options)
        self.rule: SuccessRule | None = None
        self._values = LabelValues(options.success_value, options.failure_value)
        self._recorded_columns = label_columns(source)
        self._column_alignment = column_alignment(source, options)
        if is_labelled:
            self.rule = SuccessRule.of_values(self._values)
        elif source.recorded is not None:
            self.rule = source.recorded.rule
        self.other_rewards = 0
        self.other_values: set[float] = set()

    @property
    def is_uncounted(self) -> bool:
        """Whether the output has rewards and it is unknown which are success."""
        return self.rule is not None and self.rule.basis == "many values"

    @property
    def columns(self) -> set[str]:
        """The columns to read for them, by their names in the source."""
        if not self._is_labelled:
            return set()
        column = self.source.column
        return {*self._recorded_columns.names, *([] if column is None else [column.name])}

    def rows(self, batch: EpisodeBatch) -> list[EpisodeLabels] | None:
        """The label columns of each episode of a batch; None where no labels are written.

        Raises:
            DatasetError: A column that is needed is missing or damaged.
        """
        if not self._is_labelled:
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
                alignment = self._column_alignment
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
        """Success rows by a column, or the recorded rewards with this call's values for success."""
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
            message = f"column {own!r} is missing, but info.json declares it"
            raise DatasetError(Problem("missing-column", message, batch.path))
        return values

    def _existing(self, batch: EpisodeBatch, own: str | None) -> NDArray[Any] | None:
        if own is None or own not in batch.table.column_names:
            return None
        try:
            return to_numpy(batch.table[own]).reshape(-1)
        except ValueError as error:
            raise DatasetError(Problem("bad-column", f"{own}: {error}", batch.path)) from None

    def success_counts(
        self,
        labels: Sequence[EpisodeLabels] | None,
        numbers: Mapping[str, NDArray[Any]],
        lengths: Sequence[int],
    ) -> list[int] | None:
        """Success frames of each episode; None if it is unknown which rows are success.

        Args:
            labels: The result of ``rows``.
            numbers: Columns of the output.
            lengths: Rows of each episode.
        """
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
