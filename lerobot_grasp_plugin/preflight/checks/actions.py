"""Checks width, convention and values of actions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import several
from lerobot_grasp_plugin.preflight.config_view import numbers_of
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import SO_ARMS, SO_MOTORS, STATE, STEPS, TWO_SPACES, Facts
from lerobot_grasp_plugin.preflight.ranges import is_normalised

GRIPPER_AND_DELTAS = 4
GRIPPER_COMMANDS = 3
"""LeRobot's discrete gripper, ``GripperVelocityToJoint``: 0 raises the joint's value to its highest, 1 leaves
it, 2 lowers it. On an SO101, whose 100 is open, 0 opens and 2 closes.
"""
COMMANDS = "0 open, 1 stay, 2 close on an SO101, whose 100 is open"
_UNIT = 1.0 + 1e-3
_STILL = 1e-6
_FEWEST_ROWS = 5


def check_actions(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``gym_manipulator.make_processors`` and ``SACAlgorithm``."""
    yield from _environment(facts)
    for dataset in facts.datasets:
        if "action" in dataset.columns:
            yield from _width_and_convention(facts, dataset)
            yield from _gripper(facts, dataset)
            yield from _movement(facts, dataset)


def _environment(facts: Facts) -> Iterator[Problem]:
    config = facts.config
    if facts.end_effector:
        if not facts.use_gripper:
            message = (
                "with inverse kinematics, LeRobot reads a gripper command from every action (a KeyError)"
            )
            yield Problem("gripper-disabled", message, "env.processor.gripper.use_gripper", "set it to true")
        elif facts.action_width is not None and facts.action_width != 4:
            message = (
                f"an action has {facts.action_width} values, but the environment expects dx, dy, dz, gripper"
            )
            change = "continuous shape [3] with num_discrete_actions 3, or [4] without"
            yield Problem("action-width", message, "env.features.action.shape", change)
        if (
            config.has("env.processor.max_gripper_pos")
            and config.get("env.processor.max_gripper_pos") is None
        ):
            message = "is null, but the gripper command is multiplied by it"
            yield Problem("max-gripper-pos", message, "env.processor.max_gripper_pos", "100.0 for an SO101")
    if facts.use_gripper and facts.discrete not in (None, GRIPPER_COMMANDS):
        message = f"is {facts.discrete}, but the gripper has three commands: {COMMANDS}"
        yield Problem("discrete-actions", message, "policy.num_discrete_actions", "set it to 3")
    if facts.use_gripper and facts.end_effector and not config.flag("env.teleop.use_gripper", True):
        message = (
            "is false, but the environment expects a gripper command, which the teleoperator never sends"
        )
        yield Problem("gripper-disabled", message, "env.teleop.use_gripper", "set it to true")
    gives, kind = facts.teleop_gives, config.text("env.teleop.type")
    if gives == "deltas" and not facts.end_effector and facts.config.text("env.name") != "gym_hil":
        message = f"{kind} sends end-effector deltas, which without it go to the joints unchanged"
        change = "add inverse_kinematics with urdf_path, target_frame_name, bounds and step sizes"
        yield Problem("action-convention", message, "env.processor.inverse_kinematics", change)
    if gives == "joints" and facts.end_effector:
        message = f"{kind} sends joint positions, but the environment expects end-effector deltas"
        yield Problem("action-convention", message, "env.teleop.type", _to_deltas(kind))
    mode = config.text("env.processor.control_mode")
    steps = gives == "deltas" and kind not in TWO_SPACES
    if (mode == "leader" and steps) or (mode in ("gamepad", "keyboard") and gives == "joints"):
        message = f"is {mode!r}, but the teleoperator is {kind}"
        yield Problem(
            "control-mode", message, "env.processor.control_mode", "name the teleoperator that is used"
        )


def _to_deltas(kind: str | None) -> str:
    """The hint how to get end-effector deltas from a teleoperator that sends joints."""
    if kind in TWO_SPACES:
        return "set env.teleop.action_space to ee_delta"
    return "use a gamepad, or no inverse_kinematics"


def _width_and_convention(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    place = dataset.column_place("action")
    values, names = dataset.columns["action"], dataset.names("action")
    width = values.shape[1]
    if facts.action_width is not None and width != facts.action_width:
        message = f"{width} values per row ({', '.join(names) or 'unnamed'}), but the policy has "
        message += f"{facts.continuous_width} continuous"
        message += f" and a discrete one of {facts.discrete}" if facts.discrete is not None else ""
        yield Problem(
            "action-width", message, place, "record with the teleoperator and gripper of this config"
        )
    joints = any(name.endswith(".pos") for name in names)
    deltas = any("delta" in name for name in names)
    if facts.end_effector:
        yield from _deltas(facts, dataset, joints, deltas)
    elif facts.teleop_gives != "deltas" and deltas:
        message = (
            f"{', '.join(names)} are end-effector deltas, but the environment sends actions to the joints"
        )
        yield Problem("action-convention", message, place, "add env.processor.inverse_kinematics")
    elif facts.teleop_gives == "joints" and width <= GRIPPER_AND_DELTAS:
        message = f"{width} values per row, but {facts.config.text('env.teleop.type')} sends all joints; "
        message += "the values look like end-effector deltas"
        yield Problem("action-convention", message, place, "record with the teleoperator of this config")


def _deltas(facts: Facts, dataset: DatasetFacts, joints: bool, deltas: bool) -> Iterator[Problem]:
    """Checks actions for an environment that expects end-effector deltas in [-1, 1]."""
    place, names = dataset.column_place("action"), dataset.names("action")
    furthest = float(np.abs(dataset.columns["action"][:, :3]).max(initial=0.0))
    message = f"values up to {furthest:.4g} ({', '.join(names) or 'unnamed'}), but the environment expects "
    message += "end-effector deltas in [-1, 1]"
    steps = numbers_of(list(facts.config.mapping(STEPS).values()))
    if joints or (not deltas and furthest > _UNIT):
        message += "; the values look like joint positions"
        change = "derive them with --actions ee_delta of lerobot-grasp-merge, or record in deltas"
        yield Problem("action-convention", message, place, change)
    elif furthest > _UNIT:
        change = "divide them by their largest value; end_effector_step_sizes gives the metres of a step"
        yield Problem("action-range", message, place, change)
    elif steps and _STILL < furthest <= 2 * max(steps) < 0.5:
        message += " and multiplies them by end_effector_step_sizes; the values look like metres"
        change = "divide them by the step sizes they were recorded with"
        yield Problem("action-range", message, place, change, severity="warning")


def _gripper(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    values = dataset.columns["action"]
    place = dataset.column_place("action")
    if not (facts.end_effector or facts.discrete):
        yield from _gripper_joint(facts, dataset)
        return
    if not facts.use_gripper or values.shape[1] != GRIPPER_AND_DELTAS:
        return
    gripper = values[:, 3]
    last = (facts.discrete or GRIPPER_COMMANDS) - 1
    low, high = float(gripper.min(initial=0)), float(gripper.max(initial=0))
    if low < -0.5 or high >= last + 0.5:
        message = f"the gripper command goes from {low:.4g} to {high:.4g}, but LeRobot's from 0 to {last}"
        change = f"{COMMANDS}: record with the teleoperator of this config"
        yield Problem("gripper-range", message, place, change)
    elif facts.discrete is not None:
        between = int((np.abs(gripper - np.round(gripper)) > 1e-3).sum())
        if between:
            message = f"{between} gripper commands are not integers and will be rounded"
            yield Problem("gripper-range", message, place, f"record {COMMANDS}", severity="warning")


def _gripper_joint(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    """Checks a gripper that is one of the joints: both arms use 0 to 100."""
    values, state = dataset.columns["action"], dataset.columns.get(STATE)
    if facts.config.text("env.robot.type") not in SO_ARMS or values.shape[1] != SO_MOTORS or state is None:
        return
    if state.shape[1] < SO_MOTORS:
        return
    if is_normalised(values):
        return
    low, high = float(values[:, -1].min(initial=0.0)), float(values[:, -1].max(initial=0.0))
    reached = float(state[:, SO_MOTORS - 1].max(initial=0.0))
    if low < -0.5 or (high <= GRIPPER_COMMANDS - 1 and reached > 10 * GRIPPER_COMMANDS):
        message = f"the gripper's action goes from {low:.4g} to {high:.4g}, its state up to {reached:.4g}: "
        message += "a command, but the environment expects a position from 0 to 100"
        change = "record with the teleoperator of this config"
        yield Problem("gripper-range", message, dataset.column_place("action"), change)


def _movement(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    place, names = dataset.column_place("action"), dataset.names("action")
    width = dataset.columns["action"].shape[1]
    moving = width - 1 if width == 4 and facts.use_gripper else width
    per_episode = [
        (int(episode), rows[:, :moving])
        for episode, rows in zip(dataset.episodes, dataset.per_episode("action"), strict=True)
    ]
    still = [episode for episode, rows in per_episode if not (np.abs(rows) > _STILL).any()]
    frozen = [
        episode
        for episode, rows in per_episode
        if episode not in still and len(rows) >= _FEWEST_ROWS and not (np.ptp(rows, axis=0) > _STILL).any()
    ]
    if still:
        message = f"the arm's actions are all zero in {several(still, 'episode')}"
        change = "leave these episodes out; a recording without kinematics (URDF) gives such actions"
        yield Problem("zero-action", message, place, change, severity="error")
    if frozen:
        message = f"the arm's action never changes in {several(frozen, 'episode')}"
        change = "leave these episodes out, and check the teleoperator"
        yield Problem("constant-action", message, place, change)
    if len(still) + len(frozen) == len(dataset.episodes):
        return
    spans = np.ptp(dataset.columns["action"], axis=0)
    for dimension in np.flatnonzero(spans <= _STILL).tolist():
        name = names[dimension] if dimension < len(names) else f"dimension {dimension}"
        value = dataset.columns["action"][0, dimension]
        message = f"{name} is {value:g} in every row"
        change = "check the teleoperator; a dimension that never moves cannot be learned"
        yield Problem("constant-action", message, place, change)
