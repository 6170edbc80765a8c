"""Finds the success rows among those that LeRobot loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.labels import LabelValues, SuccessEvidence, SuccessRule
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.recorded_success import rule_of_folder


def success_rows(table: Any, root: Path, values: LabelValues | None) -> NDArray[np.bool_] | None:
    """Which rows are success, by the rule of all commands.

    Args:
        table: LeRobot's ``hf_dataset``.
        root: Folder of the dataset, whose sidecar and rows say what success is.
        values: The rewards of success and failure, where labels were laid over the dataset's own.

    Returns:
        Bool, shape (rows,); None where nothing says which rows are success.
    """
    reward, flags = _column(table, layout.REWARD), _column(table, layout.SUCCESS)
    if reward is None and flags is None:
        return None
    rule = SuccessRule.of_values(values) if values is not None else rule_of_folder(root)
    if rule is None:  # a partial download, of which these rows are all there is
        evidence = SuccessEvidence()
        evidence.add(reward, flags)
        rule = evidence.rule()
    return rule.rows(reward, flags)


def _column(table: Any, name: str) -> NDArray[Any] | None:
    if name not in table.column_names:
        return None
    values = np.asarray(table.with_format("numpy")[name])
    return values.reshape(-1) if values.size == len(table) and values.dtype != object else None
