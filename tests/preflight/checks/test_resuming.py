"""What a run that is resumed needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.preflight_case import Case, dump
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("resumed from nowhere", "resume-missing", "resume", True)


@plant("resumed without the buffers", "resume-missing")
def _(case: Case) -> None:
    checkpoint = case.folder / "run/checkpoints/last/pretrained_model"
    checkpoint.mkdir(parents=True)
    dump(checkpoint / "train_config.json", {})
    case.config |= {"resume": True, "output_dir": str(case.folder / "run")}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
