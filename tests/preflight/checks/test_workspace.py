"""Bounds, steps and resets of the gripper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.preflight_case import IK, LENGTHS, Case, dump
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("bounds swapped", "workspace-swapped",
        f"{IK}/end_effector_bounds", {"min": [0.24, -0.08, 0.03], "max": [0.16, 0.2, 0.1]})  # fmt: skip


def with_height(case: Case, low: float, high: float) -> None:
    rows = len(case.columns["action"])
    case.columns["observation.ee"] = np.linspace(low, high, rows, dtype=np.float32)
    case.info["features"]["observation.ee"] = {"dtype": "float32", "shape": [1], "names": ["ee.z"]}


plant("recorded higher than the bounds", "workspace", "warning")(lambda case: with_height(case, 0.05, 0.2))
plant("recorded at 0.07, trained at 0.03", "workspace", "warning")(lambda case: with_height(case, 0.07, 0.09))
planted("bounds in centimetres", "workspace", f"{IK}/end_effector_bounds",
        {"min": [16, -8, 3], "max": [24, 20, 10]})  # fmt: skip
planted("steps in centimetres", "workspace", f"{IK}/end_effector_step_sizes", {"x": 2, "y": 2, "z": 2})
planted("reset of five joints", "reset-pose reset-crash", "env/processor/reset",
        {"fixed_reset_joint_positions": [0.0, -20.0, 20.0, 0.0, 0.0]})  # fmt: skip
planted("reset in radians", "reset-pose reset-crash", "env/processor/reset",
        {"fixed_reset_joint_positions": [0.0, -0.35, 0.35, 1.05, 0.0, 5.0]})  # fmt: skip


def with_follower_hil(case: Case, **point: object) -> None:
    """The arm of this package, whose gripper goes to a point before each episode."""
    case.config["env"]["robot"] |= {"type": "so101_follower_hil", "random_ee_reset": point}


@plant("point of the reset outside of the bounds", "reset-point")
def _(case: Case) -> None:
    with_follower_hil(case, base=[0.2, 0.0, 0.04], half_box=[0.02, 0.02, 0.02])


@plant("point of the reset of two numbers", "reset-point")
def _(case: Case) -> None:
    with_follower_hil(case, base=[0.2, 0.0])


@plant("point of the reset far from the recording's", "reset-point", "warning")
def _(case: Case) -> None:
    with_follower_hil(case, base=[0.2, 0.1, 0.06], half_box=[0.02, 0.02, 0.02])
    with_resets(case, [0.2, 0.0, 0.05], [0.2, 0.0, 0.05])


def with_resets(case: Case, commanded: list[float], achieved: list[float]) -> None:
    hooks = {"random_ee_reset": {"commanded": commanded, "achieved": achieved}}
    record = {"format": 1, "episodes": {str(episode): {"hooks": hooks} for episode in range(len(LENGTHS))}}
    case.after.append(lambda case: dump(case.root / "meta/grasp_recording.json", record))


@plant("reset at 0.07, trained from 0.03", "reset-height", "note")
def _(case: Case) -> None:
    with_resets(case, [0.2, 0.0, 0.07], [0.2, 0.0, 0.07])


@plant("reset outside of the bounds", "workspace", "warning")
def _(case: Case) -> None:
    with_resets(case, [0.2, 0.0, 0.015], [0.2, 0.0, 0.015])


@plant("sent 3 cm up, came 2.1", "reset-missed", "warning")
def _(case: Case) -> None:
    with_resets(case, [0.2, 0.0, 0.06], [0.2, 0.0, 0.051])


@plant("reset of a source that missed", "reset-missed", "warning")
def _(case: Case) -> None:
    source = case.folder / "source"
    (source / "meta").mkdir(parents=True)
    hooks = {"random_ee_reset": {"commanded": [0.2, 0.0, 0.06], "achieved": [0.2, 0.0, 0.051]}}
    dump(source / "meta/grasp_recording.json", {"format": 1, "episodes": {"0": {"hooks": hooks}}})
    case.provenance["sources"][1]["root"] = str(source)
    case.provenance["episodes"][3]["source_episode"] = 0


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
