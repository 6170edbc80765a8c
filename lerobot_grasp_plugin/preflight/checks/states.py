"""Checks width and unit of the state, and of joint actions."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import several
from lerobot_grasp_plugin.preflight.config_view import shape_of
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import (
    DELTAS,
    SO_ARMS,
    SO_JOINTS,
    SO_MOTORS,
    STATE,
    Facts,
    state_parts,
)
from lerobot_grasp_plugin.preflight.ranges import is_normalised

_DEGREES = "env.robot.use_degrees"
_MOST_RADIANS = 2 * math.pi
_MOST_PERCENT = 100.0 + 1.0
_FEWEST_ROWS = 5


def check_states(facts: Facts) -> Iterator[Problem]:
    """Compares the state of the dataset, the policy and the environment."""
    for key, feature in facts.states.items():
        shape = shape_of(feature)
        for dataset in facts.datasets:
            if (
                shape is not None
                and key in dataset.columns
                and dataset.columns[key].shape[1] != math.prod(shape)
            ):
                message = f"{dataset.columns[key].shape[1]} values per row, but the policy expects {shape[0]}"
                change = (
                    "velocities, currents and end-effector pose add 6 each: record and train with the "
                    "same parts; "
                )
                change += "merge and relabel add velocities and pose with --state full"
                yield Problem("state-width", message, dataset.column_place(key), change)
    shape, given = shape_of(facts.states.get(STATE)), environment_width(facts)
    if shape is not None and given is not None and given != shape[0]:
        message = (
            f"the environment's state has {given} values (6 joints, and 6 each for velocities, currents and "
        )
        message += f"end-effector pose), but the policy expects {shape[0]}"
        change = "set add_joint_velocity_to_observation, add_current_to_observation and "
        change += "add_ee_pose_to_observation as in the recording"
        yield Problem("state-width", message, "env.processor.observation", change)
    if facts.config.text("env.robot.type") not in SO_ARMS:
        return
    if facts.end_effector and not facts.config.flag(_DEGREES, True):
        message = "is false, but inverse kinematics expects degrees"
        yield Problem("angle-unit", message, _DEGREES, "set it to true, and record in degrees")
    for dataset in facts.datasets:
        yield from _order(facts, dataset)
        yield from _unit(facts, dataset)


def environment_width(facts: Facts) -> int | None:
    """Width of the environment's state; None if the robot is unknown."""
    if facts.config.text("env.robot.type") not in SO_ARMS:
        return None
    return SO_MOTORS * len(state_parts(facts))


def _order(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    """Checks the order of dimensions: they are matched by position, never by name."""
    for key in (STATE, "action"):
        wanted = DELTAS if key == "action" and facts.end_effector else [f"{joint}.pos" for joint in SO_JOINTS]
        names = dataset.names(key)[: len(wanted)]
        if names != list(wanted) and sorted(names) == sorted(wanted):
            message = f"its dimensions are {', '.join(names)}, but the robot's are {', '.join(wanted)}"
            change = "reorder them, or record again"
            yield Problem("feature-order", message, dataset.column_place(key), change)


def _unit(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    """Finds radians where the robot uses degrees or percent, and degrees where it uses percent."""
    degrees = facts.config.flag(_DEGREES, True)
    unit = "degrees" if degrees else "values from -100 to 100"
    change = "convert the dataset, or record it again with this robot config"
    columns = [STATE] if facts.end_effector or facts.teleop_gives == "deltas" else [STATE, "action"]
    for key in columns:
        values = dataset.columns.get(key)
        if values is None or values.shape[1] < SO_MOTORS:
            continue
        if key == "action" and is_normalised(values):
            continue
        place = dataset.column_place(key)
        furthest = [
            float(np.abs(rows[:, : SO_MOTORS - 1]).max(initial=0.0)) for rows in dataset.per_episode(key)
        ]
        small = [
            (int(episode), furthest[number])
            for number, episode in enumerate(dataset.episodes)
            if 0 < furthest[number] <= _MOST_RADIANS and dataset.lengths[number] >= _FEWEST_ROWS
        ]
        if small:
            message = f"no joint exceeds {max(value for _, value in small):.3g} in "
            message += (
                f"{several([episode for episode, _ in small], 'episode')}: the values look like radians, "
            )
            message += f"the robot uses {unit}"
            yield Problem("angle-unit", message, place, change)
        elif not degrees and max(furthest, default=0.0) > _MOST_PERCENT:
            message = (
                f"joints go up to {max(furthest):.4g}: the values look like degrees, but the robot "
                f"uses {unit}"
            )
            yield Problem("angle-unit", message, place, "set use_degrees to true, or record it again")
