"""Reads the joints of a recording and checks their names, order and unit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.action_space import gripper_commands
from lerobot_grasp_plugin.core.kinematics import Floats
from lerobot_grasp_plugin.findings.problem import DataError, Problem, UsageError
from lerobot_grasp_plugin.merging.derivation.arms import Kinematics
from lerobot_grasp_plugin.merging.derivation.recorded import is_full
from lerobot_grasp_plugin.merging.derived import ACTION, STATE, Arm, column_values
from lerobot_grasp_plugin.merging.recipe import KinematicsOptions
from lerobot_grasp_plugin.merging.sources import Source

_HINT = "set --kinematics.joint_unit to degrees, or to range for -100 to 100"


@dataclass
class RecordedJoints:
    """Joint values of the chosen episodes of a source, in the units of the recording.

    Attributes:
        starts: Measured positions in the first row of each episode, (joints,).
        goals: Goals of each episode, (rows, joints).
        commands: Gripper commands of each episode, float32 (rows,).
    """

    starts: list[NDArray[Any]] = field(default_factory=list)
    goals: list[NDArray[Any]] = field(default_factory=list)
    commands: list[NDArray[np.float32]] = field(default_factory=list)

    def angles(self, arm: Arm) -> tuple[Floats, list[Floats]]:
        """Angles at the start, (episodes, chain), and goals of each episode, (rows, chain); radians."""
        return arm.angles(np.stack(self.starts)), [arm.angles(goals) for goals in self.goals]


def joint_names(source: Source, feature: str, options: KinematicsOptions) -> list[str]:
    """The recorded joints of a feature; those that the call names if its dimensions have no names."""
    own = [name for name in source.features[feature].dimensions if not (feature == STATE and is_full(source))]
    return [name.removesuffix(".pos") for name in own] if own else list(options.joint_names)


def check_names(
    source: Source, features: Sequence[str], options: KinematicsOptions, kinematics: Kinematics | None
) -> None:
    """Refuses joints that are not those of the URDF.

    Args:
        source: The source.
        features: The features to read joints from.
        options: The call's.
        kinematics: The parsed options; None if they cannot be parsed.

    Raises:
        UsageError: With everything that is wrong with them.
    """
    problems = [
        problem for feature in features for problem in _name_problems(source, feature, options, kinematics)
    ]
    if problems:
        raise UsageError(problems)


def _name_problems(
    source: Source, feature: str, options: KinematicsOptions, kinematics: Kinematics | None
) -> Iterator[Problem]:
    where, column = source.reader.root, f"{feature} of {source.title}"
    if feature not in source.features:
        message = f"dataset {source.title} has no feature {feature!r} to read the joints from"
        yield Problem("no-joints", message, where, f"features: {', '.join(source.features)}")
        return
    own = source.features[feature]
    width = own.shape[0] if len(own.shape) == 1 else 0
    if not own.dtype.startswith("float") or width < 2:
        message = f"{column} is {own.dtype} of shape {list(own.shape)}"
        yield Problem("bad-joints", message, where, "joint positions must be one list of floats per row")
        return
    if feature == STATE and is_full(source):
        return
    names = joint_names(source, feature, options)
    chain = () if kinematics is None else kinematics.chain.joints
    if not names:
        hint = f"name the joints in order: --kinematics.joint_names '[{', '.join([*chain, 'gripper'])}]'"
        yield Problem("no-joint-names", f"the dimensions of {column} have no names", where, hint)
    elif width != len(names):
        yield Problem("bad-joints", f"{column} has {width} values per row but {len(names)} names", where)
    elif kinematics is None:
        return
    elif missing := [joint for joint in chain if joint not in names]:
        message = f"{column} has no joint {', '.join(map(repr, missing))}"
        hint = f"it has {', '.join(names)}; the URDF has {', '.join(chain)} up to the end effector"
        yield Problem("unknown-joints", message, where, hint)
    elif names != [*chain, names[-1]] or names[-1] in chain:
        message = f"the order of {column} is {', '.join(names)}"
        hint = f"LeRobot expects the order {', '.join(chain)}, then the gripper"
        yield Problem("joint-order", message, where, hint)
    elif unknown := kinematics.uncalibrated(chain):
        message = f"the calibration has no motor {', '.join(map(repr, unknown))}"
        yield Problem("bad-calibration", message, options.calibration or "--kinematics.calibration")


def read_joints(source: Source, features: Sequence[str], options: KinematicsOptions) -> RecordedJoints:
    """Reads the joints of the chosen episodes.

    Args:
        source: The source.
        features: ``action``, ``observation.state``, or both; the result is complete only with both.
        options: The call's.

    Raises:
        DataError: Values contradict the stated unit.
        DatasetError: They cannot be read.
    """
    joints = RecordedJoints()
    columns = {name: source.original[name] for name in features}
    bounds: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {}
    for batch in source.reader.read(list(source.episodes), list(columns.values())):
        rows = {name: column_values(batch, own) for name, own in columns.items()}
        if ACTION in rows and STATE in rows:
            rows[STATE] = rows[STATE][:, : rows[ACTION].shape[1]]
            ends = np.cumsum(batch.lengths)[:-1]
            for goals, measured in zip(
                np.split(rows[ACTION], ends), np.split(rows[STATE], ends), strict=True
            ):
                joints.commands.append(gripper_commands(goals[:, -1].tolist(), measured[:, -1].tolist()))
                joints.starts.append(measured[0])
                joints.goals.append(goals)
        for name, values in rows.items():
            largest, lowest = bounds.get(name, (values[0], values[0]))
            bounds[name] = np.maximum(largest, values.max(axis=0)), np.minimum(lowest, values.min(axis=0))
    found = [
        problem
        for name, (largest, lowest) in bounds.items()
        for problem in _value_problems(source, name, options.joint_unit, largest, lowest)
    ]
    if found:
        raise DataError(found)
    return joints


def _value_problems(
    source: Source, feature: str, unit: str, largest: NDArray[Any], lowest: NDArray[Any]
) -> Iterator[Problem]:
    """Contradictions between each joint's lowest and highest value and the unit; the gripper is last."""
    where, column = source.reader.root, f"{feature} of {source.title}"
    furthest = float(np.maximum(np.abs(largest), np.abs(lowest))[:-1].max(initial=0.0))
    if not (np.isfinite(largest).all() and np.isfinite(lowest).all()):
        yield Problem("bad-joints", f"{column} has values that are not finite", where)
        return
    if 0 < furthest <= 2 * math.pi:
        message = f"no joint of {column} exceeds {furthest:.3g}: the values look like radians"
        yield Problem("joint-unit", message, where, _HINT)
    elif unit == "range" and furthest > 101:
        message = f"{column} has values up to {furthest:.4g}, outside -100 to 100"
        yield Problem("joint-unit", message, where, _HINT)
    elif furthest > 360:
        message = f"{column} has values up to {furthest:.4g}, which is not an angle in degrees"
        yield Problem("joint-unit", message, where, _HINT)
    low, high = float(lowest[-1]), float(largest[-1])
    if low < -10 or high > 110 or 0 < high <= 2:
        message = f"the gripper of {column} goes from {low:.4g} to {high:.4g}, outside 0 to 100"
        yield Problem("joint-unit", message, where, "LeRobot's driver gives 0 to 100")
