"""What makes LeRobot's learner crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.preflight_case import Case
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("no dataset", "no-dataset", "dataset", None)
planted("reset set", "reset-crash no-reset", "env/processor/reset", {"control_time_s": 15.0}, "note")
plant("env type left out", "env-type")(lambda case: case.config["env"].pop("type"))
planted("env of another type", "env-type", "env/type", "aloha")
planted("explicit output_dir", "output-dir-shared", "output_dir", "outputs/not-there-yet", "warning")
planted("leader without events", "teleop-events action-convention control-mode calibration-missing",
        "env/teleop", {"type": "so101_leader", "port": "/dev/ttyACM1", "id": "leader"})  # fmt: skip
plant("push_to_hub by default", "push-to-hub")(lambda case: case.config["policy"].pop("push_to_hub"))


@plant("reset set, without the plugin", "reset-crash no-reset image-range image-size")
def _(case: Case) -> None:
    case.set("env/processor/reset", {"control_time_s": 15.0})
    case.learning = case.provenance = None


@plant("output_dir exists", "output-dir-exists")
def _(case: Case) -> None:
    case.set("output_dir", str(case.folder))


planted("policy of another type", "policy-type", "policy/type", "act")
planted("a stream", "dataset-streaming", "dataset/streaming", True)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
