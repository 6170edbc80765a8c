"""The labels that a ``dataset`` block gives to its datasets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.choices import Alignment, Done, Unlisted
from lerobot_grasp_plugin.core.labels import LabelValues, SuccessRule, default_done, label_episode
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.merging.recipe import LabelOptions
from lerobot_grasp_plugin.merging.sources import Source

LABEL_CHOICES: Mapping[str, tuple[Any, ...]] = {
    "alignment": get_args(Alignment),
    "done": get_args(Done),
    "unlisted": get_args(Unlisted),
    "index_base": (0, 1),
}
"""The allowed values of the label options of a ``dataset`` block."""


def label_options(block: Mapping[str, Any]) -> LabelOptions:
    """The label options of a ``dataset`` block; values reported as ``config-wrong-type`` are left out.

    The default alignment is ``next``, as in ``GraspDatasetConfig``.
    """
    given = {name: block[name] for name in LABEL_CHOICES if block.get(name) in LABEL_CHOICES[name]}
    for name in ("success_value", "failure_value"):
        if isinstance(block.get(name), (int, float)):
            given[name] = float(block[name])
    if isinstance(block.get("labels_from"), str):
        given["labels_from"] = block["labels_from"]
    if isinstance(block.get("labels_threshold"), (int, float)):
        given["labels_threshold"] = float(block["labels_threshold"])
    return LabelOptions(**{"alignment": "next", **given})


def labels_of(
    source: Source,
    rule: SuccessRule | None,
    options: LabelOptions,
    lengths: Iterable[int],
    columns: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """``next.reward`` and ``next.done`` as relabel would write them; unlisted episodes keep their labels.

    Args:
        source: The dataset, with the labels of the annotations.
        rule: Which recorded rows are success; None if unknown.
        options: How annotations become labels.
        lengths: Rows of each chosen episode.
        columns: The recorded columns, shape (rows, width).
    """
    done, reward = columns.get(layout.DONE), columns.get(layout.REWARD)
    values = LabelValues(options.success_value, options.failure_value)
    flags = columns.get(layout.SUCCESS)
    kept: NDArray[np.float64] | None = reward
    column = source.column
    if column is not None:
        renamed = next((new for new, own in source.original.items() if own == column.name), column.name)
        given = columns.get(renamed)
        success = None if given is None else column.rows(given[:, :1], source.column_rule)
        kept = None if success is None else np.where(success, values.success, values.failure)
    elif rule is not None and rule.basis == "next.success" and flags is not None:
        kept = np.where(flags != 0, values.success, values.failure)
    elif rule is not None and reward is not None:
        kept = rule.rewritten(reward, values).astype(np.float64)
    rewards: list[NDArray[np.float64]] = []
    dones: list[NDArray[np.float64]] = []
    start = 0
    for episode, length in zip(source.episodes, lengths, strict=True):
        rows = slice(start, start + length)
        start += length
        ranges = (source.labels or {}).get(episode)
        if ranges is None:
            rewards.append(np.zeros((length, 1)) if kept is None else kept[rows])
            dones.append(np.zeros((length, 1)) if done is None else done[rows])
            continue
        existing = None if done is None else done[rows, 0].astype(bool)
        made = label_episode(
            ranges,
            length,
            alignment=options.alignment,
            done=default_done(options.done, existing is not None),
            success_value=options.success_value,
            failure_value=options.failure_value,
            existing_done=existing,
        )
        rewards.append(made.reward.astype(np.float64)[:, None])
        dones.append(made.done.astype(np.float64)[:, None])
    return {layout.REWARD: np.concatenate(rewards), layout.DONE: np.concatenate(dones)} if rewards else {}
