"""Checks the columns that the learner reads, and their values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import Facts

PENALTY = "complementary_info.discrete_penalty"
GRIPPER_PENALTY = "env.processor.gripper.gripper_penalty"


def check_columns(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``ReplayBuffer._lerobotdataset_to_transitions``."""
    for dataset in facts.datasets:
        has = {*dataset.features, *dataset.columns}
        listed = ", ".join(sorted(has - {*layout.INDEX_COLUMNS, layout.TIMESTAMP}))
        if "action" not in has:
            change = f"record it with actions; it has {listed}"
            yield Problem(
                "missing-column", "the dataset has no actions", dataset.column_place("action"), change
            )
        if layout.REWARD not in has:
            change = "label it: lerobot-grasp-relabel, or dataset.annotations for lerobot-grasp-learner"
            yield Problem(
                "missing-column", "the dataset has no rewards", dataset.column_place(layout.REWARD), change
            )
        if layout.DONE not in has:
            message = "LeRobot treats the last frame of each episode as the end, success or not"
            change = "write next.done with lerobot-grasp-relabel --done first_success"
            yield Problem(
                "missing-column", message, dataset.column_place(layout.DONE), change, severity="warning"
            )
        for key in facts.inputs:
            if key not in has:
                message = f"policy.input_features needs {key}, but the dataset has {listed}"
                change = "rename it when merging (sources: rename), or remove it from policy.input_features"
                yield Problem("missing-column", message, dataset.column_place(key), change)
        if facts.discrete is not None and PENALTY not in has:
            message = f"num_discrete_actions is {facts.discrete}, but LeRobot mixes online and offline"
            message += " batches only if both have the penalty: it crashes with a size mismatch"
            change = "record with gym_manipulator and use_gripper, or add the column with zeros"
            yield Problem("missing-discrete-penalty", message, dataset.column_place(PENALTY), change)
        yield from _single(dataset)
        yield from _penalties(facts, dataset)
        for name, values in dataset.columns.items():
            bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
            if len(bad):
                message = f"{len(bad)} rows are not finite, the first is row {bad[0]}"
                change = "leave the episode out, or record it again"
                yield Problem("not-finite", message, dataset.column_place(name), change, severity="error")


def _single(dataset: DatasetFacts) -> Iterator[Problem]:
    for name in (layout.REWARD, layout.DONE, PENALTY):
        width = dataset.columns[name].shape[1] if name in dataset.columns else 1
        if width != 1:
            message = f"{width} values per row, but LeRobot expects one"
            yield Problem(
                "label-shape",
                message,
                dataset.column_place(name),
                "write it with shape (1,)",
                severity="error",
            )


def _penalties(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    """Checks the penalty that is added to the reward for discrete gripper commands."""
    own = facts.config.number(GRIPPER_PENALTY)
    if own is not None and own > 0:
        message = f"is {own:g}, which rewards every opening and closing of the gripper"
        yield Problem("discrete-penalty", message, GRIPPER_PENALTY, f"write {-own:g}")
    values = dataset.columns.get(PENALTY)
    if values is None or own is None or not facts.use_gripper:
        return
    given = np.unique(values)
    odd = given[(np.abs(given) > 1e-6) & (np.abs(given - own) > 1e-6)]
    if len(odd):
        shown = ", ".join(f"{value:.4g}" for value in odd[:4])
        message = f"is {own:g}, but the dataset has penalties of {shown}"
        yield Problem(
            "discrete-penalty",
            message,
            GRIPPER_PENALTY,
            "set the value of the recording",
            severity="warning",
        )
