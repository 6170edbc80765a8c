"""Width, units and order of the state."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.support.preflight_case import JOINTS, LENGTHS, STATE, Case, with_degrees, with_leader
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("velocities in the env alone", "state-width",
        "env/processor/observation", {"add_joint_velocity_to_observation": True, "add_current_to_observation": True})  # fmt: skip # noqa: E501


@plant("a state of 18", "state-width")
def _(case: Case) -> None:
    case.columns[STATE] = np.tile(case.columns[STATE], 3)
    case.info["features"][STATE] = {"dtype": "float32", "shape": [18], "names": None}


@plant("radians", "angle-unit")
def _(case: Case) -> None:
    case.columns[STATE][:, :5] *= math.pi / 180


@plant("an episode in radians among others", "angle-unit")
def _(case: Case) -> None:
    case.columns[STATE][12:22, :5] *= math.pi / 180


@plant("degrees for a robot that gives percent", "angle-unit action-scale")
def _(case: Case) -> None:
    case.columns[STATE][:, 1] = 120.0 + np.arange(sum(LENGTHS))
    case.set("env/robot/use_degrees", False)
    with_leader(case)
    case.columns["action"][:, 1] -= 1


planted("kinematics of a robot that gives percent", "angle-unit", "env/robot/use_degrees", False)


@plant("joints of a leader in radians", "angle-unit action-unlearnable")
def _(case: Case) -> None:
    with_degrees(case)
    case.columns["action"][:, :5] *= math.pi / 180


planted("a pose in the env alone", "state-width",
        "env/processor/observation", {"add_ee_pose_to_observation": True})  # fmt: skip
plant("joints in another order", "feature-order")(
    lambda case: case.info["features"][STATE].update(names=[f"{joint}.pos" for joint in reversed(JOINTS)])
)
plant("deltas in another order", "feature-order")(
    lambda case: case.info["features"]["action"].update(names=["gripper", "delta_x", "delta_y", "delta_z"])
)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
