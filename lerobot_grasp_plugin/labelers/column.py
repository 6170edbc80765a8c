"""Labeler ``column``: proposes the success recorded in a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.labelers.labeler import Episode, LabelerConfig, Proposal

if TYPE_CHECKING:
    from lerobot_grasp_plugin.core.labels import SuccessRule
    from lerobot_grasp_plugin.merging.label_column import LabelColumn
    from lerobot_grasp_plugin.merging.sources import Source


@LabelerConfig.register_subclass("column")
@dataclass
class ColumnLabelerConfig(LabelerConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Proposes the success recorded in a column."""

    # column with one boolean or number per row (default: next.success, else next.reward)
    column: str | None = None
    # values above this are success (default: true, or the larger of two values)
    threshold: float | None = None

    def make(self, source: Source) -> ColumnLabeler:
        """The labeler.

        Raises:
            UsageError: The dataset has no such column, or the column cannot hold labels.
            DatasetError: It cannot be read.
        """
        from lerobot_grasp_plugin.merging.label_column import OptionNames, column_rule, find_column

        known, options = source.reader.info.features, OptionNames("labeler.column", "labeler.threshold")
        name = self.column or next((each for each in (layout.SUCCESS, layout.REWARD) if each in known), None)
        column = find_column(source.reader, source.title, name, self.threshold, options)
        if column is None:
            message = f"dataset {source.title} has neither {layout.SUCCESS} nor {layout.REWARD}"
            hint = "give another column with --labeler.column"
            raise UsageError(Problem("unknown-feature", message, source.reader.root, hint))
        return ColumnLabeler(column, column_rule(source.reader, column, source.episodes, options))


class ColumnLabeler:
    """Reads a column by the rule for labels.

    Args:
        column: The column.
        rule: Which of its values mean success; None with a threshold.
    """

    def __init__(self, column: LabelColumn, rule: SuccessRule | None) -> None:
        self._column, self._rule = column, rule

    def propose(self, episode: Episode) -> Proposal:
        name, threshold = self._column.name, self._column.threshold
        values = episode.values(name)
        if values is None:
            return Proposal(None, f"the episode's table has no column {name}")
        success = IntervalSet.from_mask(self._column.rows(values.reshape(-1), self._rule))
        said = f"as recorded in {name}" if threshold is None else f"{name} above {threshold:g}"
        return Proposal(success, said)
