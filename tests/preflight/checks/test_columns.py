"""Columns that the learner reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.support.preflight_case import CAMERA, PENALTY, STATE, Case
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

plant("no rewards", "missing-column")(lambda case: case.drop("next.reward"))
plant("no dones", "missing-column", "warning")(lambda case: case.drop("next.done"))
plant("no actions", "missing-column")(lambda case: case.drop("action"))
plant("no state", "missing-column")(lambda case: case.drop(STATE))
plant("no penalty", "missing-discrete-penalty")(lambda case: case.drop(PENALTY))


@plant("camera under another name in the dataset", "missing-column")
def _(case: Case) -> None:
    case.info["features"]["observation.images.front"] = case.info["features"].pop(CAMERA)
    folder = Path(f"videos/{CAMERA}")
    case.after.append(lambda case: (case.root / folder).rename(case.root / "videos/observation.images.front"))
    case.after.append(lambda case: rename_camera(case))


def rename_camera(case: Case) -> None:
    path = case.root / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.ParquetFile(path).read()
    new = [name.replace(CAMERA, "observation.images.front") for name in table.column_names]
    pq.write_table(table.rename_columns(new), path)


@plant("a state that is not a number", "not-finite")
def _(case: Case) -> None:
    case.columns[STATE][3, 2] = np.nan


@plant("rewards of two dimensions", "label-shape")
def _(case: Case) -> None:
    rewards = case.columns["next.reward"]
    case.columns["next.reward"] = np.stack([rewards, rewards], axis=1)
    case.info["features"]["next.reward"]["shape"] = [2]


@plant("penalties of another recording", "discrete-penalty", "warning")
def _(case: Case) -> None:
    case.columns[PENALTY][::3] = -0.5


planted("a penalty that rewards", "discrete-penalty", "env/processor/gripper/gripper_penalty", 0.02)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
