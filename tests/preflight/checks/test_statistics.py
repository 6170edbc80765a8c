"""Statistics of the config against the data."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.support.preflight_case import CAMERA, STATE, STATS, Case, continuous
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("0-255: statistics in the config", "image-range",
        f"{STATS}/{CAMERA}", {"mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]})  # fmt: skip
planted("statistics in radians", "stats-narrow",
        f"{STATS}/{STATE}", {"min": [-math.pi] * 5 + [0], "max": [math.pi] * 5 + [100]})  # fmt: skip
planted("statistics swapped", "stats-swapped", f"{STATS}/{STATE}", {"min": [180.0] * 6, "max": [-180.0] * 6})
planted("statistics of no width", "stats-zero-width",
        f"{STATS}/{STATE}", {"min": [-180.0] * 5 + [0], "max": [180.0] * 5 + [0]})  # fmt: skip
planted(
    "statistics of two dimensions",
    "stats-width",
    f"{STATS}/{STATE}",
    {"min": [-180.0] * 2, "max": [180.0] * 2},
)
plant("no statistics of the state", "stats-missing")(
    lambda case: case.config["policy"]["dataset_stats"].pop(STATE)
)
plant("no statistics", "stats-missing")(lambda case: case.config["policy"].pop("dataset_stats"))
planted("actions scaled by statistics", "stats-narrow action-stats",
        f"{STATS}/action", {"min": [-0.03] * 3, "max": [0.03] * 3})  # fmt: skip


@plant("statistics of another robot", "stats-wide", "warning")
def _(case: Case) -> None:
    stats = {"min": [-2048.0] * 5 + [0.0], "max": [2048.0] * 5 + [100.0]}
    case.set(f"{STATS}/{STATE}", stats)


@plant("statistics in degrees of deltas", "stats-wide action-stats", "warning")
def _(case: Case) -> None:
    case.set(f"{STATS}/action", {"min": [-180.0] * 3, "max": [180.0] * 3})


@plant("gripper in [0, 2], statistics in [-1, 1]", "stats-narrow")
def _(case: Case) -> None:
    continuous(case, {"min": [-1.0] * 4, "max": [1.0] * 4})


planted("modes without their statistics", "stats-missing", "policy/normalization_mapping",
        {"VISUAL": "MEAN_STD", "STATE": "QUANTILES", "ACTION": "MIN_MAX"})  # fmt: skip
plant("mean of the images alone", "stats-missing")(
    lambda case: case.config["policy"]["dataset_stats"][CAMERA].pop("std")
)
plant("no statistics of the images", "stats-missing", "warning")(
    lambda case: case.config["policy"]["dataset_stats"].pop(CAMERA)
)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
