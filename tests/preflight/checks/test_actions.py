"""Actions: their space, their width, their range, and the commands of the gripper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin.preflight import preflight
from tests.support.preflight_case import IK, JOINTS, STATE, Case, continuous, sound, with_degrees, with_leader
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted


@plant("joint actions for an end effector", "action-convention action-width stats-narrow")
def _(case: Case) -> None:
    case.columns["action"] = case.columns[STATE].copy()
    names = [f"{joint}.pos" for joint in JOINTS]
    case.info["features"]["action"] = {"dtype": "float32", "shape": [6], "names": names}


@plant("gripper in [-1, 1]", "gripper-range")
def _(case: Case) -> None:
    case.columns["action"][:, 3] -= 1


@plant("gripper in percent", "gripper-range")
def _(case: Case) -> None:
    case.columns["action"][:, 3] *= 50


@plant("gripper between its commands", "gripper-range", "warning")
def _(case: Case) -> None:
    case.columns["action"][::2, 3] = 0.5


@plant("an episode of zero actions", "zero-action")
def _(case: Case) -> None:
    case.columns["action"][12:22, :3] = 0


@plant("all actions zero", "zero-action")
def _(case: Case) -> None:
    case.columns["action"][:, :3] = 0


@plant("a dimension that never moves", "constant-action", "warning")
def _(case: Case) -> None:
    case.columns["action"][:, 1] = 0


@plant("actions without the gripper", "action-width")
def _(case: Case) -> None:
    case.columns["action"] = case.columns["action"][:, :3]
    case.info["features"]["action"] = {
        "dtype": "float32",
        "shape": [3],
        "names": ["delta_x", "delta_y", "delta_z"],
    }


planted("five gripper commands", "discrete-actions", "policy/num_discrete_actions", 5)
planted("gripper switched off", "gripper-disabled", "env/processor/gripper/use_gripper", False)
planted("no max_gripper_pos", "max-gripper-pos", "env/processor/max_gripper_pos", None)
planted("no discrete gripper", "action-width", "policy/num_discrete_actions", None)
planted("control mode of a leader", "control-mode", "env/processor/control_mode", "leader", "warning")
plant("deltas without kinematics", "action-convention")(lambda case: case.set(IK, None))
planted("teleoperator without its gripper", "gripper-disabled", "env/teleop/use_gripper", False)


@plant("deltas in percent", "action-range stats-narrow")
def _(case: Case) -> None:
    case.columns["action"][:, :3] *= 100


@plant("deltas in metres", "action-range", "warning")
def _(case: Case) -> None:
    case.columns["action"][:, :3] *= 0.02


@plant("joints without names", "action-convention stats-narrow")
def _(case: Case) -> None:
    case.columns["action"][:, :3] *= 90
    case.info["features"]["action"]["names"] = None


@plant("an episode of next to nothing", "zero-action")
def _(case: Case) -> None:
    case.columns["action"][22:36, :3] *= 1e-9


@plant("an episode of one action", "constant-action", "warning")
def _(case: Case) -> None:
    case.columns["action"][12:22, :3] = (0.5, -0.25, 0.125)


@plant("gripper in [-1, 1], as a continuous dimension", "gripper-range")
def _(case: Case) -> None:
    case.columns["action"][:, 3] -= 1
    continuous(case, {"min": [-1.0] * 4, "max": [1.0] * 4})


@plant("deltas for a leader", "action-convention action-width")
def _(case: Case) -> None:
    deltas, feature = case.columns["action"].copy(), dict(case.info["features"]["action"])
    with_leader(case)
    case.columns["action"], case.info["features"]["action"] = deltas, feature


@plant("gripper of a leader in [0, 2]", "gripper-range action-unlearnable")
def _(case: Case) -> None:
    with_degrees(case)
    case.columns["action"][:, 5] = np.arange(len(case.columns["action"])) % 3


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)


def test_a_leader_in_deltas_is_a_leader(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.set("env/processor/control_mode", "leader")
    case.config["env"]["teleop"] = {"type": "so101_script", "action_space": "ee_delta"}
    assert not preflight(case.write()).findings
