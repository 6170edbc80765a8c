"""The training of a reward classifier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.preflight_case import CAMERA, Case, with_reward_model
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant = FAULTS.plant


def plant_in_training(name: str, codes: str, severity: str = "error") -> Callable[..., None]:
    def add(spoil: Callable[[Case], object]) -> None:
        plant(f"training a classifier: {name}", codes, severity)(
            lambda case: (with_reward_model(case), spoil(case))
        )

    return add


for _name, _codes, _path, _value, _severity in (
    ("of another type", "model-type", "type", "sarm", "error"),
    ("three classes", "class-count", "num_classes", 3, "error"),
    ("two cameras announced", "camera-count", "num_cameras", 2, "error"),
    (
        "normalised images",
        "classifier-normaliser",
        "normalization_mapping",
        {"VISUAL": "MEAN_STD"},
        "warning",
    ),
    ("normalised by default", "classifier-normaliser", "normalization_mapping", None, "warning"),
    ("no cameras", "feature-key", "input_features", {}, "warning"),
    ("push_to_hub without a name", "push-to-hub", "push_to_hub", True, "error"),
    ("another size", "image-size", f"input_features/{CAMERA}/shape", [3, 96, 96], "error"),
):
    plant_in_training(_name, _codes, _severity)(
        lambda case, path=_path, value=_value: case.set(f"reward_model/{path}", value)
    )


plant_in_training("no rewards", "missing-column")(lambda case: case.drop("next.reward"))
plant_in_training("nothing named", "no-dataset")(lambda case: case.set("dataset", None))
plant_in_training("output_dir exists", "output-dir-exists")(
    lambda case: case.set("output_dir", str(case.folder))
)
plant_in_training("all failure", "one-class")(lambda case: case.columns["next.reward"].fill(0))
plant_in_training("all success", "one-class")(lambda case: case.columns["next.reward"].fill(1))
plant_in_training("rewards of 10", "rewards-not-labels one-class")(
    lambda case: case.columns.update({"next.reward": case.columns["next.reward"] * 10})
)
plant_in_training("an episode that is not there", "dataset-unreadable")(
    lambda case: case.set("dataset/episodes", [0, 9])
)
plant_in_training("labels of the next frame", "alignment", "warning")(
    lambda case: case.provenance["labels"].update(alignment="next")
)
plant_in_training("whole images", "image-size", "note")(lambda case: setattr(case, "learning", None))


@plant_in_training("whole numbers for labels", "reward-dtype")
def _(case: Case) -> None:
    case.columns["next.reward"] = case.columns["next.reward"].astype(np.int64)
    case.info["features"]["next.reward"]["dtype"] = "int64"


@plant_in_training("a camera that is not there", "missing-column")
def _(case: Case) -> None:
    features = case.config["reward_model"]["input_features"]
    features["observation.images.top"] = features.pop(CAMERA)


@plant_in_training("annotations of another dataset", "annotations-unusable")
def _(case: Case) -> None:
    (case.folder / "labels.txt").write_text("0: 3-\n77: 3-\n")
    case.set("annotations", str(case.folder / "labels.txt"))


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
