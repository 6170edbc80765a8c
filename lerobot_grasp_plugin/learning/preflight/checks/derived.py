"""How actions and states were computed from joints, against what the environment does with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lerobot_grasp_plugin.core.action_space import POSE_NAMES
from lerobot_grasp_plugin.dataset.provenance import Provenance
from lerobot_grasp_plugin.learning.preflight.checks.states import environment_width
from lerobot_grasp_plugin.learning.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.learning.preflight.facts import STATE, STEPS, Facts
from lerobot_grasp_plugin.learning.preflight.findings import Finding, error

FRAME = "env.processor.inverse_kinematics.target_frame_name"
OBSERVATION = "env.processor.observation"
_SAME = 1e-9


def check_derived(facts: Facts) -> Iterator[Finding]:
    """Step sizes, end effector and recipe of the state, where the dataset says them."""
    for dataset in facts.datasets:
        for name, recipe in _recipes(dataset).items():
            if recipe.get("actions") == "ee_delta" and facts.end_effector:
                yield from _steps(facts, name, recipe)
        yield from _state(facts, dataset)


def _recipes(dataset: DatasetFacts) -> dict[str, Mapping[str, Any]]:
    """Source -> how its columns were derived."""
    provenance = Provenance.of(dataset.provenance)
    found = {}
    for source in provenance.sources:
        recipe = source.get("derived")
        if isinstance(recipe, Mapping):
            found[str(source.get("repo_id", dataset.repo_id))] = recipe
    return found


def _steps(facts: Facts, name: str, recipe: Mapping[str, Any]) -> Iterator[Finding]:
    own, sizes = recipe.get("end_effector_step_sizes"), facts.config.mapping(STEPS)
    if isinstance(own, Mapping) and not _are_same(own, sizes):
        message = f"{dict(sizes)}, and the actions of {name} were derived with {dict(own)}"
        change = "write the step sizes of the dataset, or derive it with those of the config"
        yield error("step-sizes", STEPS, message, change)
    frame, theirs = recipe.get("target_frame_name"), facts.config.text(FRAME)
    if isinstance(frame, str) and theirs is not None and frame != theirs:
        message = f"{theirs}, and the actions of {name} are steps of {frame}"
        yield error("end-effector", FRAME, message, "name the same frame in both")


def _are_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    try:
        return all(abs(float(one[axis]) - float(other[axis])) < _SAME for axis in "xyz")
    except (KeyError, TypeError, ValueError):
        return False


def _state(facts: Facts, dataset: DatasetFacts) -> Iterator[Finding]:
    """A state of the same width may be made of something else: velocities, currents and pose are 6 each."""
    names = dataset.names(STATE)
    if not names or environment_width(facts) != len(names):
        return  # check_states compares the widths
    for flag, has in (
        ("add_joint_velocity_to_observation", any(name.endswith(".vel") for name in names)),
        ("add_ee_pose_to_observation", set(POSE_NAMES) <= set(names)),
    ):
        if facts.config.flag(f"{OBSERVATION}.{flag}", False) != has:
            message = f"{str(not has).lower()}, and the state of {dataset.repo_id} is {', '.join(names)}"
            yield error("state-recipe", f"{OBSERVATION}.{flag}", message, f"set it to {str(has).lower()}")
