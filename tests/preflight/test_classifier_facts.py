"""What preflight reads from the checkpoint of a reward classifier."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.preflight_case import Case
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted(
    "classifier is not there",
    "classifier-missing",
    "env/processor/reward_classifier/pretrained_path",
    "/no/such",
)


@plant("classifier checkpoint without config", "classifier-unreadable")
def _(case: Case) -> None:
    case.after.append(lambda case: (case.folder / "classifier/config.json").unlink())


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
