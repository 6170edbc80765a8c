"""Width and unit of the state."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.learning.preflight.config_view import shape_of
from lerobot_grasp_plugin.learning.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.learning.preflight.facts import Facts
from lerobot_grasp_plugin.learning.preflight.findings import Finding, error

STATE = "observation.state"
_SO_ARMS = ("so100_follower", "so101_follower")
_SO_MOTORS = 6
_MOST_RADIANS = 2 * math.pi


def check_states(facts: Facts) -> Iterator[Finding]:
    """What the dataset has, the policy expects and the environment will give."""
    for key, feature in facts.states.items():
        shape = shape_of(feature)
        for dataset in facts.datasets:
            if (
                shape is not None
                and key in dataset.columns
                and dataset.columns[key].shape[1] != math.prod(shape)
            ):
                message = f"{dataset.columns[key].shape[1]} values per row, the policy expects {shape[0]}"
                change = "joint velocities and currents add 6 each: record and train with the same ones"
                yield error("state-width", dataset.column_place(key), message, change)
    shape, given = shape_of(facts.states.get(STATE)), _environment_width(facts)
    if shape is not None and given is not None and given != shape[0]:
        message = f"the environment gives {given} values (6 joints, and 6 each for velocities and currents)"
        message += f", the policy expects {shape[0]}"
        change = "set add_joint_velocity_to_observation and add_current_to_observation as in the recording"
        yield error("state-width", "env.processor.observation", message, change)
    for dataset in facts.datasets:
        yield from _unit(facts, dataset)


def _environment_width(facts: Facts) -> int | None:
    if facts.config.text("env.robot.type") not in _SO_ARMS:
        return None
    flags = ("add_joint_velocity_to_observation", "add_current_to_observation")
    extra = sum(facts.config.flag(f"env.processor.observation.{name}", False) for name in flags)
    return _SO_MOTORS * (1 + extra)


def _unit(facts: Facts, dataset: DatasetFacts) -> Iterator[Finding]:
    """Radians where the robot gives degrees (or percent of its range): joints that never pass 2 pi."""
    if facts.config.text("env.robot.type") not in _SO_ARMS:
        return
    columns = [STATE] if facts.end_effector or facts.teleop_gives == "deltas" else [STATE, "action"]
    for key in columns:
        values = dataset.columns.get(key)
        if values is None or values.shape[1] < _SO_MOTORS:
            continue
        joints = values[:, : _SO_MOTORS - 1]
        if joints.any() and float(np.abs(joints).max()) <= _MOST_RADIANS:
            degrees = facts.config.flag("env.robot.use_degrees", True)
            unit = "degrees" if degrees else "values from -100 to 100"
            message = f"no joint goes past {np.abs(joints).max():.3g}: these look like radians, the robot "
            message += f"gives {unit}"
            change = "convert the dataset, or record it again with this robot config"
            yield error("angle-unit", dataset.column_place(key), message, change)
