"""Labels unlisted episodes from a column: ``labels_from`` of a call or of a source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.labels import LabelValues, SuccessRule
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.dataset.provenance import stored_values
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.dataset.recorded_success import LabelColumns, read_recorded
from lerobot_grasp_plugin.findings.problem import NOWHERE, Place, Problem, UsageError

_NUMBERING = frozenset({*layout.INDEX_COLUMNS, layout.TIMESTAMP})


class OptionNames(NamedTuple):
    """The names of the options that choose a column and its threshold."""

    column: str = "labels_from"
    threshold: str = "labels_threshold"


_OPTIONS = OptionNames()


@dataclass(frozen=True)
class LabelColumn:
    """A column of a source that marks the success rows.

    Attributes:
        name: Its name in the source.
        threshold: Values above it are success; None if booleans or the values themselves decide.
    """

    name: str
    threshold: float | None = None

    def rows(self, values: NDArray[Any], rule: SuccessRule | None) -> NDArray[np.bool_]:
        """Success rows, bool of shape (rows,); ``rule`` is the result of ``column_rule``."""
        if self.threshold is not None:
            return np.asarray(values > self.threshold)
        found = None if rule is None else rule.rows(values, values)
        return np.zeros(len(values), dtype=np.bool_) if found is None else found


def find_column(
    reader: DatasetReader,
    title: str,
    name: str | None,
    threshold: float | None,
    options: OptionNames = _OPTIONS,
) -> LabelColumn | None:
    """The column that a call names for a source; None if it names none.

    Args:
        reader: The source.
        title: Its name in messages.
        name: The column, as the call names it.
        threshold: The threshold, as the call gives it.
        options: The names of these two options.

    Raises:
        UsageError: The source has no such column, or the column cannot hold labels.
    """
    if name is None:
        return None
    known = reader.info.features
    if name not in known:
        usable = [other for other, feature in known.items() if _is_usable(other, feature)]
        message = f"{options.column}: {title} has no column {name!r}"
        hint = f"columns with one value per row: {',  '.join(usable) or 'none'}"
        raise UsageError(Problem("unknown-feature", message, reader.root, hint))
    if not _is_usable(name, known[name]):
        feature = known[name]
        message = f"{options.column}: {name!r} of {title} is {feature.dtype} of shape {list(feature.shape)}"
        if name in _NUMBERING:
            message = f"{options.column}: {name!r} of {title} is an index, not a label"
        usable = [other for other, feature in known.items() if _is_usable(other, feature)]
        hint = "a label is one boolean or one number per row: true or false, two values such as 1 and 0 (the "
        hint += "larger is success), or any with --" + options.threshold + "; columns that can be labels: "
        hint += ", ".join(usable) or "none"
        raise UsageError(Problem("bad-label-column", message, reader.root, hint))
    return LabelColumn(name, threshold)


def column_rule(
    reader: DatasetReader, column: LabelColumn, episodes: Sequence[int], options: OptionNames = _OPTIONS
) -> SuccessRule | None:
    """Which values of a column mean success, by the rule for rewards; None if a threshold decides.

    Raises:
        UsageError: The column has three values or more, and no threshold.
        DatasetError: It cannot be read.
    """
    if column.threshold is not None:
        return None
    if reader.info.features[column.name].dtype == "bool":
        return SuccessRule("next.success")
    values: LabelValues | None = stored_values(reader.root) if column.name == layout.REWARD else None
    rule = read_recorded(reader, LabelColumns(column.name, None), episodes, values).rule
    if rule.basis == "many values":
        message = (
            f"{options.column}: column {column.name!r} has three values or more, which needs a threshold"
        )
        hint = f"give --{options.threshold}: values above it are success"
        raise UsageError(Problem("no-labels-threshold", message, reader.root, hint))
    return rule


def check_threshold(name: str | None, threshold: float | None, place: Place = NOWHERE) -> Problem | None:
    """The errors of ``labels_threshold``."""
    if threshold is None or (name is not None and math.isfinite(threshold)):
        return None
    message = f"labels_threshold must be a finite number, given together with labels_from, not {threshold:g}"
    return Problem("bad-labels-threshold", message, place, "give the column with --labels_from")


def _is_usable(name: str, feature: Feature) -> bool:
    return is_numeric(feature.dtype) and math.prod(feature.shape) == 1 and name not in _NUMBERING
