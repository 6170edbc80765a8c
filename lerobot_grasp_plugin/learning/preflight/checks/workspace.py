"""Where the end effector may be, against where it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.learning.preflight.config_view import numbers_of
from lerobot_grasp_plugin.learning.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.learning.preflight.facts import Facts
from lerobot_grasp_plugin.learning.preflight.findings import Finding, error, warning

BOUNDS = "env.processor.inverse_kinematics.end_effector_bounds"
RESET = "env.processor.reset.fixed_reset_joint_positions"
_SLACK_M = 0.01
_FAR_DEGREES = 15.0


def check_workspace(facts: Facts) -> Iterator[Finding]:
    """Compares bounds and reset with positions, where the dataset has them."""
    low, high = (numbers_of(facts.config.get(f"{BOUNDS}.{name}")) for name in ("min", "max"))
    if low is not None and high is not None and len(low) == len(high) == 3:
        for axis, smallest, largest in zip("xyz", low, high, strict=True):
            if smallest >= largest:
                message = f"{axis}: min {smallest:g} is not below max {largest:g}"
                yield error("workspace-swapped", BOUNDS, message, "swap them")
            else:
                for dataset in facts.datasets:
                    yield from _axis(dataset, axis, smallest, largest)
    reset = numbers_of(facts.config.get(RESET))
    for dataset in facts.datasets if reset is not None else ():
        state = dataset.columns.get("observation.state")
        if reset is not None and state is not None and state.shape[1] >= len(reset):
            starts = np.median(state[dataset.starts, : len(reset)], axis=0)
            distance = np.abs(starts - np.array(reset))
            if distance.max(initial=0.0) > _FAR_DEGREES:
                message = f"joint {int(distance.argmax())} is reset to {reset[int(distance.argmax())]:g}, "
                message += f"episodes of {dataset.repo_id} start at {starts[int(distance.argmax())]:.4g}"
                yield warning("reset-pose", RESET, message, "reset to where the recording started")


def _axis(dataset: DatasetFacts, axis: str, smallest: float, largest: float) -> Iterator[Finding]:
    """Positions of the end effector in metres: dimensions called ``ee.z``, ``ee_z`` or ``z``."""
    for key, values in dataset.columns.items():
        names = dataset.names(key)
        if key == "action" or not key.startswith(("observation.", "complementary_info.")):
            continue
        for dimension, name in enumerate(names):
            if name not in (axis, f"ee.{axis}", f"ee_{axis}") or dimension >= values.shape[1]:
                continue
            column = values[:, dimension]
            if column.min() < smallest - _SLACK_M or column.max() > largest + _SLACK_M:
                message = f"{axis} from {smallest:g} to {largest:g} m, the recording went from "
                message += f"{column.min():.3f} to {column.max():.3f} m"
                change = "widen the bounds to the recording"
                yield warning("workspace", BOUNDS, message, change)
            elif axis == "z" and abs(column[dataset.starts].mean() - smallest) > 3 * _SLACK_M:
                message = f"z may go down to {smallest:g} m, episodes started at "
                message += f"{column[dataset.starts].mean():.3f} m and never went below {column.min():.3f} m"
                if column.min() - smallest > 3 * _SLACK_M:
                    change = "raise the lower bound to the recording's height"
                    yield warning("workspace", BOUNDS, message, change)
