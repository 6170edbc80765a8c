"""What an episode's table says: curves to draw, and what the gripper suggests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.gripper import Suggestion, gripper_dimension, suggest_release, suggest_success
from lerobot_grasp_plugin.core.labels import SuccessRule
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.dataset.recorded_success import LabelColumns

STATE, ACTION = "observation.state", "action"


def signals(reader: DatasetReader, episode: int, rule: SuccessRule) -> dict[str, Any]:
    """Curves of one episode, and the suggestion.

    Args:
        reader: The dataset.
        episode: By ``episode_index``.
        rule: Which of its rows are success. The curve ``recorded success`` (0 or 1) is drawn by it; where
            it says nothing, ``recorded reward`` is drawn instead.

    Returns:
        ``curves``: name, group (``gripper``, ``state``, ``action`` or ``reward``) and one value per frame;
        ``suggestion``: 0-based half-open intervals and the reason why there are none.
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
    grips: dict[str, NDArray[Any]] = {}
    for column, group in ((STATE, "state"), (ACTION, "action")):
        if column not in values:
            continue
        gripper = gripper_dimension(features[column].names)
        names = _names(features[column].names, values[column].shape[1])
        for place, name in enumerate(names):
            is_gripper = place == gripper
            curve = values[column][:, place]
            if is_gripper:
                grips[column] = curve
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
    suggestion = _suggestion(grips, reader.info.fps)
    return {
        "curves": curves,
        "suggestion": {
            "ranges": [[item.start, item.stop] for item in suggestion.intervals],
            "reason": suggestion.reason,
        },
    }


def _label_curve(name: str, values: NDArray[Any]) -> dict[str, Any]:
    return {"name": name, "column": "reward", "group": "reward", "values": _rounded(values)}


def _suggestion(grips: Mapping[str, NDArray[Any]], fps: float) -> Suggestion:
    position = grips.get(STATE, grips.get(ACTION))
    if position is None:
        return Suggestion(reason="no state or action is called gripper")
    if not np.isfinite(position).all():
        return Suggestion(reason="the gripper's signal has gaps")
    command = grips.get(ACTION) if STATE in grips else None
    if len(np.unique(position)) == 2:
        return suggest_release(position, fps=fps)
    return suggest_success(position, command=command, fps=fps)


def _names(names: Any, width: int) -> list[str]:
    if isinstance(names, Mapping) and len(names) == 1:
        names = next(iter(names.values()))
    if isinstance(names, Sequence) and not isinstance(names, str) and len(names) == width:
        return [str(name) for name in names]
    return [str(place) for place in range(width)]


def _rounded(values: NDArray[Any]) -> list[float | None]:
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]
