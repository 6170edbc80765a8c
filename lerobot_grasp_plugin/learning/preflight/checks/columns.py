"""Columns the learner reads, and values no learner can use."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.learning.preflight.facts import Facts
from lerobot_grasp_plugin.learning.preflight.findings import Finding, error, warning

PENALTY = "complementary_info.discrete_penalty"


def check_columns(facts: Facts) -> Iterator[Finding]:
    """Source of the rules: ``ReplayBuffer._lerobotdataset_to_transitions``."""
    for dataset in facts.datasets:
        has = {*dataset.features, *dataset.columns}
        listed = ", ".join(sorted(has - {*layout.INDEX_COLUMNS, layout.TIMESTAMP}))
        if "action" not in has:
            change = f"record it with actions; it has {listed}"
            yield error("missing-column", dataset.column_place("action"), "there are no actions", change)
        if layout.REWARD not in has:
            change = "label it: lerobot-grasp-relabel, or dataset.annotations for lerobot-grasp-learner"
            yield error("missing-column", dataset.column_place(layout.REWARD), "there are no rewards", change)
        if layout.DONE not in has:
            message = "LeRobot takes the last frame of each episode for the end, success or not"
            change = "write next.done with lerobot-grasp-relabel --done first_success"
            yield warning("missing-column", dataset.column_place(layout.DONE), message, change)
        for key in facts.inputs:
            if key not in has:
                message = f"policy.input_features wants {key}, the dataset has {listed}"
                change = "rename it while merging (sources: rename), or take it out of policy.input_features"
                yield error("missing-column", dataset.column_place(key), message, change)
        if facts.discrete is not None and PENALTY not in has:
            message = f"num_discrete_actions is {facts.discrete}, and LeRobot 0.6.1 mixes online and offline"
            message += " batches only where both have the penalty: it crashes with a size mismatch"
            change = "record with gym_manipulator and use_gripper, or add the column with zeros"
            yield error("discrete-penalty", dataset.column_place(PENALTY), message, change)
        for name, values in dataset.columns.items():
            bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
            if len(bad):
                message = f"{len(bad)} rows are not finite numbers, the first is row {bad[0]}"
                change = "leave the episode out, or record it again"
                yield error("not-finite", dataset.column_place(name), message, change)
