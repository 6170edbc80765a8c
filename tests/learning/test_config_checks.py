"""Checks by LeRobot's own parser and by torch, and by the arm's kinematics."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from lerobot_grasp_plugin.learning.config_checks import MACHINE, PARSING
from lerobot_grasp_plugin.preflight import preflight
from lerobot_grasp_plugin.preflight.dataset_facts import LEARNER
from tests.support.preflight_case import IK, SO101, dump, sound
from tests.support.project import CONFIGS


def test_a_device_that_is_not_here_is_named(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.config["policy"] |= {"device": "xpu", "storage_device": "xpu"}
    report = preflight(case.write(), parsing=PARSING, machine=MACHINE)
    assert [(finding.code, finding.severity) for finding in report.findings] == [
        ("device-missing", "error"),
        ("device-missing", "warning"),
    ]


def test_a_pose_from_which_the_first_step_jumps_is_named(tmp_path: Path) -> None:
    pytest.importorskip("placo")
    pytest.importorskip("so101_nexus")
    case = sound(tmp_path)
    case.set(f"{IK}/urdf_path", SO101)
    case.set("env/processor/reset", {"fixed_reset_joint_positions": [0.0, 0.0, 0.0, 0.0, 0.0, 5.0]})
    report = preflight(case.write(), parsing=PARSING, machine=MACHINE)
    (finding,) = (finding for finding in report.findings if finding.code == "reset-outside")
    assert "outside end_effector_bounds" in finding.message


@pytest.mark.parametrize("name", ["grasp_only_hilserl_train_config", "sim/hilserl"])
def test_the_shipped_resets_leave_the_gripper_within_its_bounds(name: str, tmp_path: Path) -> None:
    pytest.importorskip("placo")
    pytest.importorskip("so101_nexus")
    raw = json.loads((CONFIGS / f"{name}.json").read_text())
    raw["env"]["processor"]["inverse_kinematics"]["urdf_path"] = SO101
    dump(tmp_path / "config.json", raw)
    assert "reset-outside" not in preflight(tmp_path / "config.json", parsing=PARSING, machine=MACHINE).codes


def test_options_of_the_plugins_learner_are_its_own(tmp_path: Path) -> None:
    pytest.importorskip("grpc")
    from lerobot_grasp_plugin.learning.rl.configs import GraspTrainRLConfig, TrainRLServerPipelineConfig

    own, lerobots = (
        {entry.name for entry in fields(kind)} for kind in (GraspTrainRLConfig, TrainRLServerPipelineConfig)
    )
    assert own - lerobots == LEARNER
    case = sound(tmp_path)
    case.set("bc_steps", 100)
    assert not preflight(case.write(), parsing=PARSING, machine=MACHINE).count("error")
