"""Compares how actions and states were recorded or derived with the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from lerobot_grasp_plugin.core.action_space import POSE_NAMES
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.lerobot_seams.recorded_environment import STATE_PARTS
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import SO_ARMS, SO_MOTORS, STATE, STEPS, Facts, state_parts
from lerobot_grasp_plugin.preflight.ranges import is_normalised
from lerobot_grasp_plugin.preflight.resets import recorded_environments

FRAME: Final = "env.processor.inverse_kinematics.target_frame_name"
_SPACES: Final = {True: "ee_delta", False: "joints"}
_SAME: Final = 1e-6
_MOVED: Final = 1.0
"""Of 100: a gripper that moved less between two frames counts as still."""

_MOSTLY: Final = 0.8
"""Share of movements in a command's direction; the rest is lag."""


def check_recipe(facts: Facts) -> Iterator[Problem]:
    """Checks by the notes of the recording environment and the derivation, and by the recording itself."""
    for dataset in facts.datasets:
        for name, space, recipe in _actions(dataset):
            yield from _action_space(facts, dataset, name, space)
            if space == "ee_delta" and facts.end_effector:
                yield from _steps(facts, name, recipe)
        yield from _state(facts, dataset)
        yield from _gripper_direction(facts, dataset)


def _actions(dataset: DatasetFacts) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Name of the derivation or recording, its action space, and other known facts of its actions."""
    is_derived = False
    for source in dataset.provenance.sources:
        recipe = source.derived
        if recipe is not None and recipe.get("actions") == "ee_delta":
            is_derived = True
            yield source.repo_id or dataset.repo_id, "ee_delta", recipe
    for noted in recorded_environments(dataset):
        space = noted.get("action_space")
        if isinstance(space, str) and not (is_derived and space == "joints"):
            yield dataset.repo_id, space, noted


def _action_space(facts: Facts, dataset: DatasetFacts, name: str, space: str) -> Iterator[Problem]:
    own, names = _SPACES[facts.end_effector], dataset.names("action")
    if space != own and not any(word in part for part in names for word in ("delta", ".pos")):
        message = f"{name} has actions of {space}, but this environment expects {own}"
        change = "add env.processor.inverse_kinematics for ee_delta, remove it for joints"
        yield Problem("action-convention", message, dataset.column_place("action"), change)


def _steps(facts: Facts, name: str, recipe: Mapping[str, Any]) -> Iterator[Problem]:
    theirs, sizes = recipe.get("end_effector_step_sizes"), facts.config.mapping(STEPS)
    if isinstance(theirs, Mapping) and not _are_same(theirs, sizes):
        message = (
            f"is {dict(sizes)}, but the actions of {name} were made with {dict(theirs)}: the same action "
        )
        message += "would be a different movement"
        change = "set the dataset's step sizes, or derive the dataset with the config's"
        yield Problem("step-sizes", message, STEPS, change)
    frame, own = recipe.get("target_frame_name"), facts.config.text(FRAME)
    if isinstance(frame, str) and own is not None and frame != own:
        message = f"is {own}, but the actions of {name} are steps of {frame}"
        yield Problem("end-effector", message, FRAME, "use the same frame in both")


def _are_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    try:
        return all(abs(float(one[axis]) - float(other[axis])) < _SAME for axis in "xyz")
    except (KeyError, TypeError, ValueError):
        return False


def _state(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    """Compares the parts of the state: velocities, currents and pose have 6 values each."""
    own, values = state_parts(facts), dataset.columns.get(STATE)
    if values is None or STATE not in facts.states or facts.config.text("env.robot.type") not in SO_ARMS:
        return
    if values.shape[1] != SO_MOTORS * len(own):
        return  # check_states compares the widths
    for parts in _parts(dataset, values.shape[1]):
        flags = {
            option: part in parts for part, option in STATE_PARTS.items() if (part in parts) != (part in own)
        }
        if flags:
            message = f"the environment's state is {', '.join(own)}; the state of {dataset.repo_id} is "
            message += ", ".join(parts)
            change = ", ".join(f"{option} {str(has).lower()}" for option, has in flags.items())
            yield Problem("state-recipe", message, "env.processor.observation", f"set {change}")


def _parts(dataset: DatasetFacts, width: int) -> list[list[str]]:
    """The parts of a state, by its dimensions' names or else by the notes of the recording."""
    names = dataset.names(STATE)
    found = {
        "joint velocities": any(name.endswith(".vel") for name in names),
        "motor currents": any("current" in name for name in names),
        "end-effector pose": set(POSE_NAMES) <= set(names),
    }
    parts = ["joint positions", *(part for part in STATE_PARTS if found[part])]
    if len(names) == width == SO_MOTORS * len(parts):
        return [parts]
    noted = [environment.get("state") for environment in recorded_environments(dataset)]
    return [list(map(str, one)) for one in noted if isinstance(one, list) and len(one) * SO_MOTORS == width]


def _gripper_direction(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    """Whether command 0 raises the gripper's joint and 2 lowers it, as ``GripperVelocityToJoint`` does."""
    actions, states = dataset.columns.get("action"), dataset.columns.get(STATE)
    if not facts.end_effector or facts.config.text("env.robot.type") not in SO_ARMS:
        return
    if actions is None or states is None or actions.shape[1] != 4 or states.shape[1] < SO_MOTORS:
        return
    moves: dict[int, list[float]] = {0: [], 2: []}
    for command, rows in zip(dataset.per_episode("action"), dataset.per_episode(STATE), strict=True):
        moved = np.diff(rows[:, SO_MOTORS - 1])
        for value, found in moves.items():
            after = moved[np.round(command[:-1, 3]) == value]
            found += after[np.abs(after) > _MOVED].tolist()
    if not moves[0] or not moves[2]:
        return
    raised, lowered = float(np.median(moves[0])), float(np.median(moves[2]))
    wrong = min(np.mean(np.array(moves[0]) < 0), np.mean(np.array(moves[2]) > 0))
    if wrong > _MOSTLY:
        message = f"after command 0 the gripper's joint falls ({raised:+.3g} per frame) and after 2 it rises "
        message += f"({lowered:+.3g}); the environment raises it at 0 and lowers it at 2: 0 opens an SO101's "
        message += "gripper, whose 100 is open"
        change = "swap commands 0 and 2 in the dataset, or record with the teleoperator of this config"
        yield Problem("gripper-direction", message, dataset.column_place("action"), change)


def check_scale(facts: Facts) -> Iterator[Problem]:
    """Checks joint actions: SAC's policy outputs only values in [-1, 1]."""
    if facts.end_effector or facts.config.text("env.name") == "gym_hil" or facts.teleop_gives == "deltas":
        return
    for dataset in facts.datasets:
        values = dataset.columns.get("action")
        if values is None or values.shape[1] < SO_MOTORS - 1:
            continue
        place = dataset.column_place("action")
        if not is_normalised(values):
            message = (
                f"joint actions go up to {np.abs(values).max():.4g}, but SAC's policy outputs only values in "
            )
            message += "[-1, 1]: they cannot be learned"
            change = "record end-effector deltas (action_space: ee_delta), or derive them"
            yield Problem("action-unlearnable", message, place, change)
        elif facts.config.text("env.robot.type") in SO_ARMS:
            message = (
                "joint actions are in [-1, 1], but the environment sends an action to the joints unscaled: "
            )
            message += "in degrees that is almost no movement"
            change = "scale the policy's output to the joints, or record end-effector deltas"
            yield Problem("action-scale", message, place, change)
