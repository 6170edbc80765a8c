"""All checks on one config: sound ones pass, and none ends in a traceback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin.learning.config_checks import MACHINE, PARSING
from lerobot_grasp_plugin.preflight import preflight
from tests.support.preflight_case import (
    CAMERA,
    IK,
    IMAGES,
    PENALTY,
    STATS,
    Case,
    dump,
    sound,
    with_leader,
    with_reward_model,
)
from tests.support.project import CONFIGS


@pytest.mark.parametrize("change", [lambda case: None, with_leader, with_reward_model])
def test_a_sound_config_passes(change: Callable[[Case], None], tmp_path: Path) -> None:
    case = sound(tmp_path)
    change(case)
    path = case.write()
    for plugin_learner in (False, True):
        findings = preflight(path, plugin_learner=plugin_learner).findings
        expected = {"action-scale"} if change is with_leader else set()
        assert {finding.code for finding in findings} == expected


def test_the_shipped_classifier_training_fits_the_demo(
    demo: Callable[[], tuple[Path, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(demo()[0] / "grasp_demo"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    report = preflight(
        Path(__file__).parents[2] / "configs/reward_classifier_train_config.json",
        parsing=PARSING,
        machine=MACHINE,
    )
    assert {finding.code for finding in report.findings if finding.severity != "note"} <= {"device-missing"}
    assert report.looked_at


def test_everything_wrong_is_reported_at_once(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.set("env/fps", 30)
    case.set("policy/online_buffer_capacity", "many")
    case.columns["action"][:, 3] -= 1
    case.drop(PENALTY)
    report = preflight(case.write())
    assert report.codes == {"fps", "config-wrong-type", "gripper-range", "missing-discrete-penalty"}


def test_it_is_quick(tmp_path: Path) -> None:
    path = sound(tmp_path).write()
    program = "import sys; from lerobot_grasp_plugin.preflight import preflight as check\n"
    program += "assert not check(sys.argv[1]).findings\n"
    program += "assert not {'torch', 'lerobot', 'pandas'} & set(sys.modules), 'slow imports'"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


def test_the_plugins_learner_mends_what_lerobots_crashes_on(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.set("env/processor/reset", {"terminate_on_success": True, "control_time_s": 15.0})
    case.learning = case.provenance = None
    path = case.write()
    assert preflight(path).codes == {"reset-crash", "no-reset", "image-range", "image-size"}
    assert preflight(path, plugin_learner=True).codes == {"no-reset"}


@pytest.mark.parametrize("wrong", [7, "text", [1], None, True, {"a": []}, -1.5])
@pytest.mark.parametrize("block", ["dataset", "policy", "env", "env/processor", "env/features", "env/robot",
                                   "env/robot/cameras", STATS, IMAGES, IK, "policy/input_features",
                                   "policy/output_features", "env/features_map", "env/processor/gripper",
                                   "env/processor/reward_classifier", f"{STATS}/action"])  # fmt: skip
def test_no_block_of_another_kind_ends_in_a_traceback(block: str, wrong: object, tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.set(block, wrong)
    preflight(case.write())


@pytest.mark.parametrize("wrong", ["x" * 5000, "~nobody/x", "\0", "", "a/b/c", []],
                         ids=["long", "nobody", "null", "empty", "nested", "list"])  # fmt: skip
@pytest.mark.parametrize("setting", ["output_dir", "dataset/annotations", "dataset/root", "dataset/repo_id",
                                     "policy/vision_encoder_name", "env/robot/id", f"{IK}/urdf_path",
                                     "env/robot/calibration_dir", f"{STATS}/{CAMERA}/mean",
                                     f"{STATS}/action/min",
                                     "env/processor/reward_classifier/pretrained_path"])  # fmt: skip
def test_no_odd_value_ends_in_a_traceback(setting: str, wrong: object, tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.set(setting, wrong)
    path = case.write()
    preflight(path)
    case.config["resume"] = True
    dump(path, case.config)
    preflight(path)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("sim/hilserl", "feature-unused"),  # the camera of the reward classifier, which a flag names
        ("sim/hilserl_state", ""),
        ("sim/classifier", ""),
        (
            "grasp_only_hilserl_train_config",
            "classifier-missing calibration-missing no-urdf encoder-missing reset-crash",
        ),
    ],
)
def test_of_the_shipped_configs_only_what_is_to_be_filled_in_is_named(
    name: str, left: str, monkeypatch: pytest.MonkeyPatch, lerobot_home: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    findings = preflight(CONFIGS / f"{name}.json").findings
    assert {finding.code for finding in findings} == {"dataset-unreadable", *left.split()}
