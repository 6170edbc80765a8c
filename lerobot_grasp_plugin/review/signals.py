"""The curves of an episode's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.gripper import gripper_dimension
from lerobot_grasp_plugin.core.labels import SuccessRule
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.dataset.recorded_success import LabelColumns

STATE, ACTION = "observation.state", "action"


def signals(reader: DatasetReader, episode: int, rule: SuccessRule) -> dict[str, Any]:
    """Curves of one episode.

    Args:
        reader: The dataset.
        episode: By ``episode_index``.
        rule: Which of its rows are success. It gives the curve ``recorded success`` (0 or 1); without it,
            ``recorded reward`` is drawn instead.

    Returns:
        ``curves``: name, group (``gripper``, ``state``, ``action`` or ``reward``) and one value per frame.
    """
    features = reader.info.features
    labels = LabelColumns.of(reader)
    recorded = reward = None
    wanted = [*(name for name in (STATE, ACTION) if name in features), *labels.names]
    values: dict[str, NDArray[Any]] = {}
    for batch in reader.read([episode], wanted):
        for name in wanted:
            if name in batch.table.column_names and name not in labels.names:
                values[name] = to_numpy(batch.table[name])
        reward, flags = labels.of_batch(batch)
        recorded = rule.rows(reward, flags)
    curves: list[dict[str, Any]] = []
    for column, group in ((STATE, "state"), (ACTION, "action")):
        if column not in values:
            continue
        gripper = gripper_dimension(features[column].names)
        names = _names(features[column].names, values[column].shape[1])
        for place, name in enumerate(names):
            is_gripper = place == gripper
            curve = values[column][:, place]
            kind = "gripper" if is_gripper else group
            curves.append(
                {"name": f"{group} {name}", "column": group, "group": kind, "values": _rounded(curve)}
            )
    if recorded is not None:
        curves.append(_label_curve("recorded success", recorded.astype(np.float32)))
    elif reward is not None:
        curves.append(_label_curve("recorded reward", reward))
    order = {"gripper": 0, "state": 1, "action": 2, "reward": 3}
    curves.sort(key=lambda curve: order[curve["group"]])
    return {"curves": curves}


def _label_curve(name: str, values: NDArray[Any]) -> dict[str, Any]:
    return {"name": name, "column": "reward", "group": "reward", "values": _rounded(values)}


def _names(names: Any, width: int) -> list[str]:
    if isinstance(names, Mapping) and len(names) == 1:
        names = next(iter(names.values()))
    if isinstance(names, Sequence) and not isinstance(names, str) and len(names) == width:
        return [str(name) for name in names]
    return [str(place) for place in range(width)]


def _rounded(values: NDArray[Any]) -> list[float | None]:
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]
