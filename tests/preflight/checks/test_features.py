"""The features of environment and policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from lerobot_grasp_plugin.preflight import preflight
from tests.support.preflight_case import CAMERA, STATE, Case, sound
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

plant("features_map lacks the state", "feature-key")(
    lambda case: case.config["env"]["features_map"].pop(STATE)
)
planted("policy shape of the state", "feature-shape state-width stats-width",
        "policy/input_features/observation.state/shape", [18])  # fmt: skip
planted("policy action of four", "feature-shape", "policy/output_features/action/shape", [4])


@plant("env without the state", "feature-key")
def _(case: Case) -> None:
    del case.config["env"]["features"][STATE]
    del case.config["env"]["features_map"][STATE]


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)


def test_a_classifiers_own_camera_is_used(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.config["policy"]["input_features"].pop(CAMERA)
    assert "feature-unused" not in preflight(case.write()).codes
