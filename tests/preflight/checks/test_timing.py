"""Frame rates, timestamps, and datasets that LeRobot cannot read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin.preflight import preflight
from tests.support.preflight_case import LENGTHS, Case, sound
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("env at another fps", "fps", "env/fps", 30)
planted("camera slower than the env", "camera-fps", "env/robot/cameras/wrist/fps", 5)


@plant("timestamps that jitter", "timestamps")
def _(case: Case) -> None:
    frames = np.concatenate([np.arange(length) for length in LENGTHS])
    case.columns["frame_index"] = frames
    case.columns["timestamp"] = (frames / 10 + np.where(frames == 5, 0.03, 0)).astype(np.float32)
    for name, dtype in (("frame_index", "int64"), ("timestamp", "float32")):
        case.info["features"][name] = {"dtype": dtype, "shape": [1], "names": None}


planted("no such video backend", "video-backend", "dataset/video_backend", "ffmpeg")


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)


def test_a_dataset_of_an_older_format_is_named_unless_it_is_built_anew(
    tmp_path: Path, shared_data: Callable[[str], Path]
) -> None:
    case = sound(tmp_path)
    root = shared_data("cr5_banana_v21")
    case.config["dataset"] |= {"root": str(root), "repo_id": "lab/banana"}
    path = case.write()
    assert {"dataset-format", "timestamps"} <= preflight(path).codes
    assert not {"dataset-format", "timestamps"} & preflight(path, plugin_learner=True).codes
