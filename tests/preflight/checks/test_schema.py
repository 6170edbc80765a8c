"""Fields of the config of another type."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.support.preflight_case import CAMERA, IMAGES
from tests.support.preflight_faults import Faults

FAULTS = Faults()
planted = FAULTS.planted

planted("capacity without end", "config-wrong-type", "policy/online_buffer_capacity", math.inf)
planted("batch that is no number", "config-wrong-type", "batch_size", math.nan)
planted("capacity is a word", "config-wrong-type", "policy/online_buffer_capacity", "many")
planted("done by another name", "config-wrong-type", "dataset/done", "success")
planted("crop of three numbers", "config-wrong-type image-crop classifier-crop", f"{IMAGES}/crop_params_dict", {CAMERA: [0, 80, 480]})  # fmt: skip # noqa: E501


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)
