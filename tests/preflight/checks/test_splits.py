"""Episodes that are both in training and in validation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.preflight_case import Case
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant = FAULTS.plant


@plant("one episode in both parts", "split-by-frame")
def _(case: Case) -> None:
    case.learning["splits"]["parts"]["val"] = [1, 2]


@plant("parts of frames", "split-by-frame")
def _(case: Case) -> None:
    case.learning["splits"]["parts"] = {"train": list(range(30)), "val": list(range(30, 45))}


@plant("classifier validated on episodes it was trained on", "split-by-frame")
def _(case: Case) -> None:
    case.classifier_learning["splits"] = {"seed": 0, "parts": {"train": [0, 1, 3], "val": [3]}}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
