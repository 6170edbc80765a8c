"""Files of this machine: the URDF and the calibration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.preflight_case import IK, Case, dump
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("no URDF", "no-urdf", f"{IK}/urdf_path", "/path/so101.urdf", "warning")
planted("URDF not named", "no-urdf", f"{IK}/urdf_path", None)
planted("another calibration id", "calibration-missing", "env/robot/id", "somebody", "warning")


@plant("calibration without a joint", "calibration-unreadable")
def _(case: Case) -> None:
    path = case.folder / "calibration/follower.json"

    def without(case: Case) -> None:
        motors = json.loads(path.read_text())
        del motors["elbow_flex"]
        dump(path, motors)

    case.after.append(without)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
