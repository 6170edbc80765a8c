"""How actions and states were recorded or derived."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin.core.action_space import full_state_names
from tests.support.preflight_case import JOINTS, STATE, Case, dump, with_degrees, with_leader
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant = FAULTS.plant


@plant("pose recorded, currents in the environment", "state-recipe")
def _(case: Case) -> None:
    case.columns[STATE] = np.tile(case.columns[STATE], 3)
    bounds = case.config["env"]["processor"]["inverse_kinematics"]["end_effector_bounds"]
    rows = len(case.columns[STATE])
    case.columns[STATE][:, 12:15] = np.random.default_rng(1).uniform(bounds["min"], bounds["max"], (rows, 3))
    names = full_state_names(JOINTS)
    case.info["features"][STATE] = {"dtype": "float32", "shape": [18], "names": names}
    case.set("policy/input_features/observation.state/shape", [18])
    case.set("env/features/observation.state/shape", [18])
    flags = {"add_joint_velocity_to_observation": True, "add_current_to_observation": True}
    case.set("env/processor/observation", flags)
    for bound in case.config["policy"]["dataset_stats"][STATE]:
        case.config["policy"]["dataset_stats"][STATE][bound] *= 3


def derived(case: Case, **recipe: object) -> None:
    """The dataset's actions were derived from joints, with the config's steps where nothing else is given."""
    names = ("end_effector_step_sizes", "target_frame_name")
    kinematics = case.config["env"]["processor"]["inverse_kinematics"]
    own = {"actions": "ee_delta", **{name: kinematics[name] for name in names}}
    assert case.provenance is not None
    case.provenance["sources"][0]["derived"] = {**own, **recipe}


@plant("derived with other steps", "step-sizes")
def _(case: Case) -> None:
    derived(case, end_effector_step_sizes={"x": 0.5, "y": 0.02, "z": 0.02})


@plant("derived for another frame", "end-effector")
def _(case: Case) -> None:
    derived(case, target_frame_name="tcp_frame_link")


plant("joint actions in degrees", "action-unlearnable")(with_degrees)
plant("joint actions in [-1, 1]", "action-scale", "note")(with_leader)


def noted(case: Case, **environment: object) -> None:
    record = {"format": 1, "episodes": {}, "environment": environment}
    case.after.append(lambda case: dump(case.root / "meta/grasp_recording.json", record))


@plant("recorded with other step sizes", "step-sizes")
def _(case: Case) -> None:
    noted(case, action_space="ee_delta", end_effector_step_sizes={"x": 0.02, "y": 0.025, "z": 0.02})


@plant("recorded in joints", "action-convention")
def _(case: Case) -> None:
    case.info["features"]["action"]["names"] = None
    noted(case, action_space="joints")


@plant("recorded for another frame", "end-effector")
def _(case: Case) -> None:
    noted(case, action_space="ee_delta", target_frame_name="tcp_frame_link")


@plant("derived from joints, but for the step sizes", "step-sizes")
def _(case: Case) -> None:
    derived(case, end_effector_step_sizes={"x": 0.01, "y": 0.02, "z": 0.02})
    noted(case, action_space="joints", state=["joint positions"])


@plant("currents in the place of velocities", "state-recipe")
def _(case: Case) -> None:
    case.columns[STATE] = np.tile(case.columns[STATE], 2)
    case.info["features"][STATE] = {"dtype": "float32", "shape": [12], "names": None}
    case.config["policy"]["input_features"][STATE]["shape"] = [12]
    case.config["env"]["features"][STATE]["shape"] = [12]
    wide = case.config["policy"]["dataset_stats"][STATE]
    wide |= {name: values * 2 for name, values in wide.items()}
    case.set("env/processor/observation", {"add_joint_velocity_to_observation": True})
    noted(case, action_space="ee_delta", state=["joint positions", "motor currents"])


@plant("a gripper that closes at 0", "gripper-direction")
def _(case: Case) -> None:
    command = case.columns["action"][:, 3]
    case.columns[STATE][:, 5] = 50 + np.cumsum(np.concatenate([[0.0], 2.0 * (command[:-1] - 1)]))


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
