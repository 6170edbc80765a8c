"""One planted disagreement at a time: each is named, and nothing else is."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin.commands.preflight import main
from lerobot_grasp_plugin.core.action_space import full_state_names
from lerobot_grasp_plugin.dataset.provenance import Provenance, ProvenanceEpisode, ProvenanceSource
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.learning.config_checks import MACHINE, PARSING
from lerobot_grasp_plugin.preflight import preflight
from lerobot_grasp_plugin.preflight.checks.labels import check_labels
from lerobot_grasp_plugin.preflight.config_view import ConfigView
from lerobot_grasp_plugin.preflight.dataset_facts import LEARNER, DatasetFacts
from lerobot_grasp_plugin.preflight.facts import Facts
from tests.support.preflight_case import (
    CAMERA,
    CROP,
    JOINTS,
    LENGTHS,
    PENALTY,
    STATE,
    Case,
    dump,
    sound,
    with_leader,
    with_reward_model,
)  # isort: skip

PLANTED: dict[str, tuple[Callable[[Case], object], str, str]] = {}
"""name -> how to spoil the case, the codes that must come (all of them), the severity of the first."""

IMAGES = "env/processor/image_preprocessing"
IK = "env/processor/inverse_kinematics"
STATS = "policy/dataset_stats"
SO101 = "package://so101_nexus/assets/SO101/so101_new_calib.urdf"


def plant(name: str, codes: str, severity: str = "error") -> Callable[[Callable[[Case], object]], None]:
    def add(spoil: Callable[[Case], object]) -> None:
        assert name not in PLANTED
        PLANTED[name] = (spoil, codes, severity)

    return add


def planted(name: str, codes: str, path: str, value: object, severity: str = "error") -> None:
    plant(name, codes, severity)(lambda case: case.set(path, value))


# -- upstream crashes
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


# -- fields of the wrong kind
planted("capacity without end", "config-wrong-type", "policy/online_buffer_capacity", math.inf)
planted("batch that is no number", "config-wrong-type", "batch_size", math.nan)
planted("capacity is a word", "config-wrong-type", "policy/online_buffer_capacity", "many")
planted("done by another name", "config-wrong-type", "dataset/done", "success")
planted("crop of three numbers", "config-wrong-type image-crop classifier-crop", f"{IMAGES}/crop_params_dict", {CAMERA: [0, 80, 480]})  # fmt: skip # noqa: E501

# -- columns
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
    import pyarrow.parquet as pq

    path = case.root / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.ParquetFile(path).read()
    new = [name.replace(CAMERA, "observation.images.front") for name in table.column_names]
    pq.write_table(table.rename_columns(new), path)


@plant("a state that is not a number", "not-finite")
def _(case: Case) -> None:
    case.columns[STATE][3, 2] = np.nan


# -- features
plant("features_map lacks the state", "feature-key")(
    lambda case: case.config["env"]["features_map"].pop(STATE)
)
planted("policy shape of the state", "feature-shape state-width stats-width",
        "policy/input_features/observation.state/shape", [18])  # fmt: skip
planted("policy action of four", "feature-shape", "policy/output_features/action/shape", [4])


@plant("env without the state", "feature-key")
def _(case: Case) -> None:
    del case.config["env"]["features"][STATE]
    del case.config["env"]["features_map"][STATE]


# -- images
planted("env resizes to another size", "image-size classifier-image-size", f"{IMAGES}/resize_size", [96, 96])
planted("env squeezes what was cropped", "image-crop classifier-crop", f"{IMAGES}/crop_params_dict", {})
planted(
    "env crops elsewhere",
    "image-crop classifier-crop",
    f"{IMAGES}/crop_params_dict",
    {CAMERA: [0, 0, 480, 480]},
)
planted("crop of another camera", "crop-unknown-camera",
        f"{IMAGES}/crop_params_dict", {CAMERA: CROP, "observation.images.top": CROP})  # fmt: skip
planted("crop past the image", "crop-outside image-crop classifier-crop",
        f"{IMAGES}/crop_params_dict", {CAMERA: [0, 200, 480, 480]})  # fmt: skip
planted("camera of another name", "missing-camera classifier-camera",
        "env/robot/cameras", {"front": {"type": "opencv", "index_or_path": 0, "width": 640, "height": 480, "fps": 30}})  # fmt: skip # noqa: E501
planted("camera of another size", "camera-size", "env/robot/cameras/wrist/width", 800, "warning")


@plant("no stored preprocessing", "image-size")
def _(case: Case) -> None:
    case.learning = None


@plant("0-255: no sidecar at all", "image-range image-size")
def _(case: Case) -> None:
    case.learning = case.provenance = None


@plant("0-255: stored range", "image-range")
def _(case: Case) -> None:
    case.learning["image_preprocessing"]["range"] = [0, 255]


@plant("0-255: statistics of the dataset", "image-range")
def _(case: Case) -> None:
    case.stats[CAMERA]["max"] = [[[255.0]]] * 3


planted("0-255: statistics in the config", "image-range",
        f"{STATS}/{CAMERA}", {"mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]})  # fmt: skip

# -- the classifier
planted(
    "classifier is not there",
    "classifier-missing",
    "env/processor/reward_classifier/pretrained_path",
    "/no/such",
)


@plant("classifier of another camera", "classifier-camera")
def _(case: Case) -> None:
    features = case.classifier["input_features"]
    features["observation.images.top"] = features.pop(CAMERA)


@plant("classifier on full images", "classifier-image-size")
def _(case: Case) -> None:
    case.classifier["input_features"][CAMERA]["shape"] = [3, 480, 640]


@plant("classifier on squeezed images", "classifier-crop")
def _(case: Case) -> None:
    case.classifier_learning["image_preprocessing"]["crop_params_dict"] = {}


@plant("classifier trained on another dataset's crop", "classifier-crop")
def _(case: Case) -> None:
    case.classifier_learning = None

    def train_config(case: Case) -> None:
        other = case.folder / "other/meta"
        other.mkdir(parents=True)
        stored = {"crop_params_dict": {}, "resize_size": [128, 128], "range": [0.0, 1.0]}
        dump(other / "grasp_learning.json", {"format": 1, "image_preprocessing": stored})
        dump(case.folder / "classifier/train_config.json", {"dataset": {"root": str(other.parent)}})

    case.after.append(train_config)


@plant("classifier with a normaliser", "classifier-normaliser", "warning")
def _(case: Case) -> None:
    case.classifier_stats = {f"{CAMERA}.mean": np.full(3, 0.5, np.float32)}


@plant("classifier on 0-255", "image-range classifier-normaliser")
def _(case: Case) -> None:
    case.classifier_stats = {f"{CAMERA}.mean": np.full(3, 120, np.float32)}


@plant("classifier with a wrong count of cameras", "classifier-camera")
def _(case: Case) -> None:
    case.classifier["num_cameras"] = 2


@plant("classifier checkpoint without config", "classifier-unreadable")
def _(case: Case) -> None:
    case.after.append(lambda case: (case.folder / "classifier/config.json").unlink())


# -- actions
@plant("joint actions for an end effector", "action-convention action-width stats-narrow")
def _(case: Case) -> None:
    case.columns["action"] = case.columns[STATE].copy()
    names = [f"{joint}.pos" for joint in JOINTS]
    case.info["features"]["action"] = {"dtype": "float32", "shape": [6], "names": names}


@plant("gripper in [-1, 1]", "gripper-range")
def _(case: Case) -> None:
    case.columns["action"][:, 3] -= 1


@plant("gripper in percent", "gripper-range")
def _(case: Case) -> None:
    case.columns["action"][:, 3] *= 50


@plant("gripper between its commands", "gripper-range", "warning")
def _(case: Case) -> None:
    case.columns["action"][::2, 3] = 0.5


@plant("an episode of zero actions", "zero-action")
def _(case: Case) -> None:
    case.columns["action"][12:22, :3] = 0


@plant("all actions zero", "zero-action")
def _(case: Case) -> None:
    case.columns["action"][:, :3] = 0


@plant("a dimension that never moves", "constant-action", "warning")
def _(case: Case) -> None:
    case.columns["action"][:, 1] = 0


@plant("actions without the gripper", "action-width")
def _(case: Case) -> None:
    case.columns["action"] = case.columns["action"][:, :3]
    case.info["features"]["action"] = {
        "dtype": "float32",
        "shape": [3],
        "names": ["delta_x", "delta_y", "delta_z"],
    }


planted("five gripper commands", "discrete-actions", "policy/num_discrete_actions", 5)
planted("gripper switched off", "gripper-disabled", "env/processor/gripper/use_gripper", False)
planted("no max_gripper_pos", "max-gripper-pos", "env/processor/max_gripper_pos", None)
planted("no discrete gripper", "action-width", "policy/num_discrete_actions", None)
planted("control mode of a leader", "control-mode", "env/processor/control_mode", "leader", "warning")
plant("deltas without kinematics", "action-convention")(lambda case: case.set(IK, None))

# -- states and statistics
planted("velocities in the env alone", "state-width",
        "env/processor/observation", {"add_joint_velocity_to_observation": True, "add_current_to_observation": True})  # fmt: skip # noqa: E501


@plant("a state of 18", "state-width")
def _(case: Case) -> None:
    case.columns[STATE] = np.tile(case.columns[STATE], 3)
    case.info["features"][STATE] = {"dtype": "float32", "shape": [18], "names": None}


@plant("pose recorded, currents in the environment", "state-recipe")
def _(case: Case) -> None:
    case.columns[STATE] = np.tile(case.columns[STATE], 3)
    bounds = case.config["env"]["processor"]["inverse_kinematics"]["end_effector_bounds"]
    rows = len(case.columns[STATE])
    case.columns[STATE][:, 12:15] = np.random.default_rng(1).uniform(bounds["min"], bounds["max"], (rows, 3))
    names = full_state_names(JOINTS)
    case.info["features"][STATE] = {"dtype": "float32", "shape": [18], "names": names}
    case.set("policy/input_features/observation.state/shape", [18])
    case.set("env/features/observation.state/shape", [18])
    flags = {"add_joint_velocity_to_observation": True, "add_current_to_observation": True}
    case.set("env/processor/observation", flags)
    for bound in case.config["policy"]["dataset_stats"][STATE]:
        case.config["policy"]["dataset_stats"][STATE][bound] *= 3


def derived(case: Case, **recipe: object) -> None:
    """The dataset's actions were derived from joints, with the config's steps where nothing else is given."""
    names = ("end_effector_step_sizes", "target_frame_name")
    kinematics = case.config["env"]["processor"]["inverse_kinematics"]
    own = {"actions": "ee_delta", **{name: kinematics[name] for name in names}}
    assert case.provenance is not None
    case.provenance["sources"][0]["derived"] = {**own, **recipe}


@plant("derived with other steps", "step-sizes")
def _(case: Case) -> None:
    derived(case, end_effector_step_sizes={"x": 0.5, "y": 0.02, "z": 0.02})


@plant("derived for another frame", "end-effector")
def _(case: Case) -> None:
    derived(case, target_frame_name="tcp_frame_link")


@plant("radians", "angle-unit")
def _(case: Case) -> None:
    case.columns[STATE][:, :5] *= math.pi / 180


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


# -- labels
@plant("rewards of 0.5", "unknown-rewards")
def _(case: Case) -> None:
    case.columns["next.reward"][5] = 0.5


@plant("no success", "one-class")
def _(case: Case) -> None:
    case.columns["next.reward"][:] = 0


@plant("success goes on, done does not come", "success-not-done", "warning")
def _(case: Case) -> None:
    case.columns["next.reward"][6:12] = 1


@plant("the last rows are not done", "done-not-at-end success-not-done")
def _(case: Case) -> None:
    case.columns["next.done"][:] = False


@plant("done without success", "done-inside", "warning")
def _(case: Case) -> None:
    case.columns["next.done"][4] = True


@plant("env goes on after success", "done-at-success reset-crash no-reset", "warning")
def _(case: Case) -> None:
    case.set("env/processor/reset", {"terminate_on_success": False})
    case.columns["next.reward"][4] = 1
    case.columns["next.done"][4] = True


@plant("labels of the frame, not of the next", "alignment", "warning")
def _(case: Case) -> None:
    case.provenance["labels"]["alignment"] = "frame"


planted("another success_reward", "success-reward", "env/processor/reward_classifier/success_reward", 10.0)
planted("threshold in percent", "success-threshold", "env/processor/reward_classifier/success_threshold", 70)

# -- timing, buffers, splits, workspace, machine
planted("env at another fps", "fps", "env/fps", 30)
planted("camera slower than the env", "camera-fps", "env/robot/cameras/wrist/fps", 5)
planted("offline buffer too small", "offline-capacity", "policy/offline_buffer_capacity", 40)
planted("online buffer never starts", "online-capacity", "policy/online_buffer_capacity", 3)
planted("online_ratio of 50", "online-ratio", "online_ratio", 50)
planted("online_ratio of 1", "online-ratio", "online_ratio", 1.0, "warning")


@plant("one episode in both parts", "split-by-frame")
def _(case: Case) -> None:
    case.learning["splits"]["parts"]["val"] = [1, 2]


@plant("parts of frames", "split-by-frame")
def _(case: Case) -> None:
    case.learning["splits"]["parts"] = {"train": list(range(30)), "val": list(range(30, 45))}


planted("bounds swapped", "workspace-swapped",
        f"{IK}/end_effector_bounds", {"min": [0.24, -0.08, 0.03], "max": [0.16, 0.2, 0.1]})  # fmt: skip


def with_height(case: Case, low: float, high: float) -> None:
    rows = len(case.columns["action"])
    case.columns["observation.ee"] = np.linspace(low, high, rows, dtype=np.float32)
    case.info["features"]["observation.ee"] = {"dtype": "float32", "shape": [1], "names": ["ee.z"]}


plant("recorded higher than the bounds", "workspace", "warning")(lambda case: with_height(case, 0.05, 0.2))
plant("recorded at 0.07, trained at 0.03", "workspace", "warning")(lambda case: with_height(case, 0.07, 0.09))
planted("no URDF", "no-urdf", f"{IK}/urdf_path", "/path/so101.urdf", "warning")
planted("URDF not named", "no-urdf", f"{IK}/urdf_path", None)
planted("another calibration id", "calibration-missing", "env/robot/id", "somebody", "warning")
planted("dataset that is not there", "dataset-unreadable", "dataset/root", "/no/such/dataset")


@plant("a video that is missing", "dataset-unreadable")
def _(case: Case) -> None:
    case.after.append(lambda case: shutil.rmtree(case.root / "videos"))


# -- what LeRobot cannot read
@plant("timestamps that jitter", "timestamps")
def _(case: Case) -> None:
    frames = np.concatenate([np.arange(length) for length in LENGTHS])
    case.columns["frame_index"] = frames
    case.columns["timestamp"] = (frames / 10 + np.where(frames == 5, 0.03, 0)).astype(np.float32)
    for name, dtype in (("frame_index", "int64"), ("timestamp", "float32")):
        case.info["features"][name] = {"dtype": dtype, "shape": [1], "names": None}


# -- the same troubles, planted in another way
@plant("0-255: mean of the dataset's statistics", "image-range")
def _(case: Case) -> None:
    case.stats[CAMERA] = {"mean": [[[124.0]]] * 3}


planted("teleoperator without its gripper", "gripper-disabled", "env/teleop/use_gripper", False)


@plant("classifier that LeRobot alone trained on squeezed images", "classifier-crop")
def _(case: Case) -> None:
    case.classifier_learning = None
    other = case.folder / "other"

    def train_config(case: Case) -> None:
        (other / "meta").mkdir(parents=True)
        dump(other / "meta/info.json", {"features": {CAMERA: case.info["features"][CAMERA]}})
        dump(case.folder / "classifier/train_config.json", {"dataset": {"root": str(other)}})

    case.after.append(train_config)


@plant("classifier of normalised images, by its config", "classifier-normaliser", "warning")
def _(case: Case) -> None:
    case.classifier["normalization_mapping"] = {"VISUAL": "MEAN_STD"}


@plant("classifier on 0-255, by its record", "image-range")
def _(case: Case) -> None:
    case.classifier_learning["image_preprocessing"]["range"] = [0.0, 255.0]


@plant("classifier validated on episodes it was trained on", "split-by-frame")
def _(case: Case) -> None:
    case.classifier_learning["splits"] = {"seed": 0, "parts": {"train": [0, 1, 3], "val": [3]}}


@plant("an episode in radians among others", "angle-unit")
def _(case: Case) -> None:
    case.columns[STATE][12:22, :5] *= math.pi / 180


@plant("degrees for a robot that gives percent", "angle-unit action-scale")
def _(case: Case) -> None:
    case.columns[STATE][:, 1] = 120.0 + np.arange(sum(LENGTHS))
    case.set("env/robot/use_degrees", False)
    with_leader(case)
    case.columns["action"][:, 1] -= 1


planted("kinematics of a robot that gives percent", "angle-unit", "env/robot/use_degrees", False)


@plant("statistics of another robot", "stats-wide", "warning")
def _(case: Case) -> None:
    stats = {"min": [-2048.0] * 5 + [0.0], "max": [2048.0] * 5 + [100.0]}
    case.set(f"{STATS}/{STATE}", stats)


@plant("statistics in degrees of deltas", "stats-wide action-stats", "warning")
def _(case: Case) -> None:
    case.set(f"{STATS}/action", {"min": [-180.0] * 3, "max": [180.0] * 3})


@plant("deltas in percent", "action-range stats-narrow")
def _(case: Case) -> None:
    case.columns["action"][:, :3] *= 100


@plant("deltas in metres", "action-range", "warning")
def _(case: Case) -> None:
    case.columns["action"][:, :3] *= 0.02


@plant("joints without names", "action-convention stats-narrow")
def _(case: Case) -> None:
    case.columns["action"][:, :3] *= 90
    case.info["features"]["action"]["names"] = None


@plant("an episode of next to nothing", "zero-action")
def _(case: Case) -> None:
    case.columns["action"][22:36, :3] *= 1e-9


@plant("an episode of one action", "constant-action", "warning")
def _(case: Case) -> None:
    case.columns["action"][12:22, :3] = (0.5, -0.25, 0.125)


@plant("gripper in [-1, 1], as a continuous dimension", "gripper-range")
def _(case: Case) -> None:
    case.columns["action"][:, 3] -= 1
    continuous(case, {"min": [-1.0] * 4, "max": [1.0] * 4})


@plant("gripper in [0, 2], statistics in [-1, 1]", "stats-narrow")
def _(case: Case) -> None:
    continuous(case, {"min": [-1.0] * 4, "max": [1.0] * 4})


def continuous(case: Case, stats: dict[str, list[float]]) -> None:
    case.set("policy/num_discrete_actions", None)
    case.set("policy/output_features/action/shape", [4])
    case.set("env/features/action/shape", [4])
    case.set(f"{STATS}/action", stats)


@plant("deltas for a leader", "action-convention action-width")
def _(case: Case) -> None:
    deltas, feature = case.columns["action"].copy(), dict(case.info["features"]["action"])
    with_leader(case)
    case.columns["action"], case.info["features"]["action"] = deltas, feature


def with_degrees(case: Case) -> None:
    with_leader(case)
    case.columns["action"] = (case.columns[STATE] * 0.9).astype(np.float32)
    case.config["policy"]["dataset_stats"]["action"] = dict(case.config["policy"]["dataset_stats"][STATE])


plant("joint actions in degrees", "action-unlearnable")(with_degrees)
plant("joint actions in [-1, 1]", "action-scale", "note")(with_leader)


@plant("gripper of a leader in [0, 2]", "gripper-range action-unlearnable")
def _(case: Case) -> None:
    with_degrees(case)
    case.columns["action"][:, 5] = np.arange(len(case.columns["action"])) % 3


@plant("joints of a leader in radians", "angle-unit action-unlearnable")
def _(case: Case) -> None:
    with_degrees(case)
    case.columns["action"][:, :5] *= math.pi / 180


@plant("every frame a success", "one-class success-not-done")
def _(case: Case) -> None:
    case.columns["next.reward"][:] = 1


@plant("rewards of two dimensions", "label-shape")
def _(case: Case) -> None:
    rewards = case.columns["next.reward"]
    case.columns["next.reward"] = np.stack([rewards, rewards], axis=1)
    case.info["features"]["next.reward"]["shape"] = [2]


@plant("penalties of another recording", "discrete-penalty", "warning")
def _(case: Case) -> None:
    case.columns[PENALTY][::3] = -0.5


planted("a penalty that rewards", "discrete-penalty", "env/processor/gripper/gripper_penalty", 0.02)
planted("bounds in centimetres", "workspace", f"{IK}/end_effector_bounds",
        {"min": [16, -8, 3], "max": [24, 20, 10]})  # fmt: skip
planted("steps in centimetres", "workspace", f"{IK}/end_effector_step_sizes", {"x": 2, "y": 2, "z": 2})
planted("reset of five joints", "reset-pose reset-crash", "env/processor/reset",
        {"fixed_reset_joint_positions": [0.0, -20.0, 20.0, 0.0, 0.0]})  # fmt: skip


planted("reset in radians", "reset-pose reset-crash", "env/processor/reset",
        {"fixed_reset_joint_positions": [0.0, -0.35, 0.35, 1.05, 0.0, 5.0]})  # fmt: skip


def with_follower_hil(case: Case, **point: object) -> None:
    """The arm of this package, whose gripper goes to a point before each episode."""
    case.config["env"]["robot"] |= {"type": "so101_follower_hil", "random_ee_reset": point}


@plant("point of the reset outside of the bounds", "reset-point")
def _(case: Case) -> None:
    with_follower_hil(case, base=[0.2, 0.0, 0.04], half_box=[0.02, 0.02, 0.02])


@plant("point of the reset of two numbers", "reset-point")
def _(case: Case) -> None:
    with_follower_hil(case, base=[0.2, 0.0])


@plant("point of the reset far from the recording's", "reset-point", "warning")
def _(case: Case) -> None:
    with_follower_hil(case, base=[0.2, 0.1, 0.06], half_box=[0.02, 0.02, 0.02])
    with_resets(case, [0.2, 0.0, 0.05], [0.2, 0.0, 0.05])


# -- what the environment of the recording was
def noted(case: Case, **environment: object) -> None:
    record = {"format": 1, "episodes": {}, "environment": environment}
    case.after.append(lambda case: dump(case.root / "meta/grasp_recording.json", record))


@plant("recorded with other step sizes", "step-sizes")
def _(case: Case) -> None:
    noted(case, action_space="ee_delta", end_effector_step_sizes={"x": 0.02, "y": 0.025, "z": 0.02})


@plant("recorded in joints", "action-convention")
def _(case: Case) -> None:
    case.info["features"]["action"]["names"] = None
    noted(case, action_space="joints")


@plant("recorded for another frame", "end-effector")
def _(case: Case) -> None:
    noted(case, action_space="ee_delta", target_frame_name="tcp_frame_link")


@plant("derived from joints, but for the step sizes", "step-sizes")
def _(case: Case) -> None:
    derived(case, end_effector_step_sizes={"x": 0.01, "y": 0.02, "z": 0.02})
    noted(case, action_space="joints", state=["joint positions"])


@plant("currents in the place of velocities", "state-recipe")
def _(case: Case) -> None:
    case.columns[STATE] = np.tile(case.columns[STATE], 2)
    case.info["features"][STATE] = {"dtype": "float32", "shape": [12], "names": None}
    case.config["policy"]["input_features"][STATE]["shape"] = [12]
    case.config["env"]["features"][STATE]["shape"] = [12]
    wide = case.config["policy"]["dataset_stats"][STATE]
    wide |= {name: values * 2 for name, values in wide.items()}
    case.set("env/processor/observation", {"add_joint_velocity_to_observation": True})
    noted(case, action_space="ee_delta", state=["joint positions", "motor currents"])


planted("a pose in the env alone", "state-width",
        "env/processor/observation", {"add_ee_pose_to_observation": True})  # fmt: skip


@plant("a gripper that closes at 0", "gripper-direction")
def _(case: Case) -> None:
    command = case.columns["action"][:, 3]
    case.columns[STATE][:, 5] = 50 + np.cumsum(np.concatenate([[0.0], 2.0 * (command[:-1] - 1)]))


@plant("calibration without a joint", "calibration-unreadable")
def _(case: Case) -> None:
    path = case.folder / "calibration/follower.json"

    def without(case: Case) -> None:
        motors = json.loads(path.read_text())
        del motors["elbow_flex"]
        dump(path, motors)

    case.after.append(without)


def with_resets(case: Case, commanded: list[float], achieved: list[float]) -> None:
    hooks = {"random_ee_reset": {"commanded": commanded, "achieved": achieved}}
    record = {"format": 1, "episodes": {str(episode): {"hooks": hooks} for episode in range(len(LENGTHS))}}
    case.after.append(lambda case: dump(case.root / "meta/grasp_recording.json", record))


@plant("reset at 0.07, trained from 0.03", "reset-height", "note")
def _(case: Case) -> None:
    with_resets(case, [0.2, 0.0, 0.07], [0.2, 0.0, 0.07])


@plant("reset outside of the bounds", "workspace", "warning")
def _(case: Case) -> None:
    with_resets(case, [0.2, 0.0, 0.015], [0.2, 0.0, 0.015])


@plant("sent 3 cm up, came 2.1", "reset-missed", "warning")
def _(case: Case) -> None:
    with_resets(case, [0.2, 0.0, 0.06], [0.2, 0.0, 0.051])


@plant("reset of a source that missed", "reset-missed", "warning")
def _(case: Case) -> None:
    source = case.folder / "source"
    (source / "meta").mkdir(parents=True)
    hooks = {"random_ee_reset": {"commanded": [0.2, 0.0, 0.06], "achieved": [0.2, 0.0, 0.051]}}
    dump(source / "meta/grasp_recording.json", {"format": 1, "episodes": {"0": {"hooks": hooks}}})
    case.provenance["sources"][1]["root"] = str(source)
    case.provenance["episodes"][3]["source_episode"] = 0


# -- the encoder, the devices, what is resumed
planted("random encoder, frozen", "encoder-frozen", "policy/freeze_vision_encoder", True, "warning")
planted("encoder in no folder", "encoder-missing", "policy/vision_encoder_name", "/no/such/encoder")
planted("encoder of no possible name", "encoder-missing", "policy/vision_encoder_name", "my encoder!")
planted("resumed from nowhere", "resume-missing", "resume", True)
planted("policy of another type", "policy-type", "policy/type", "act")
planted("a stream", "dataset-streaming", "dataset/streaming", True)
planted("no such video backend", "video-backend", "dataset/video_backend", "ffmpeg")
planted("batches larger than the dataset", "batch-size", "batch_size", 256, "warning")
planted("batches of nothing", "batch-size", "batch_size", 0)
planted("learning before the first step", "online-start", "policy/online_step_before_learning", 0)
planted("no logging", "frequency", "log_freq", 0)
planted("buffers larger than any machine", "buffer-memory", "policy/online_buffer_capacity", 10**9, "warning")
planted("modes without their statistics", "stats-missing", "policy/normalization_mapping",
        {"VISUAL": "MEAN_STD", "STATE": "QUANTILES", "ACTION": "MIN_MAX"})  # fmt: skip
plant("mean of the images alone", "stats-missing")(
    lambda case: case.config["policy"]["dataset_stats"][CAMERA].pop("std")
)
plant("no statistics of the images", "stats-missing", "warning")(
    lambda case: case.config["policy"]["dataset_stats"].pop(CAMERA)
)
plant("classifier whose encoder was left behind", "encoder-missing")(
    lambda case: case.classifier.update(model_name="/somewhere/else/encoder")
)
plant("classifier without weights", "classifier-unreadable")(
    lambda case: case.after.append(lambda case: (case.folder / "classifier/model.safetensors").unlink())
)
plant("classifier of three classes", "class-count")(lambda case: case.classifier.update(num_classes=3))
plant("joints in another order", "feature-order")(
    lambda case: case.info["features"][STATE].update(names=[f"{joint}.pos" for joint in reversed(JOINTS)])
)
plant("deltas in another order", "feature-order")(
    lambda case: case.info["features"]["action"].update(names=["gripper", "delta_x", "delta_y", "delta_z"])
)


@plant("resumed without the buffers", "resume-missing")
def _(case: Case) -> None:
    checkpoint = case.folder / "run/checkpoints/last/pretrained_model"
    checkpoint.mkdir(parents=True)
    dump(checkpoint / "train_config.json", {})
    case.config |= {"resume": True, "output_dir": str(case.folder / "run")}


@plant("images too small for the encoder", "image-size classifier-image-size")
def _(case: Case) -> None:
    case.set(f"{IMAGES}/resize_size", [32, 32])
    case.learning["image_preprocessing"]["resize_size"] = [32, 32]
    for features in (case.config["policy"]["input_features"], case.config["env"]["features"]):
        features[CAMERA]["shape"] = [3, 32, 32]


# -- the training of a reward classifier


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


# -- tests


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


def test_it_runs_without_the_learn_extra(tmp_path: Path) -> None:
    blocked = ["transformers", "grpc", "gym_hil", "placo", "accelerate", "wandb"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked})); "
        "from lerobot_grasp_plugin.commands.preflight import main; sys.exit(main())"
    )
    path = sound(tmp_path).write()
    done = subprocess.run(
        [sys.executable, "-c", program, f"--config_path={path}"], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "no findings"), done.stdout + done.stderr


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    spoil, codes, severity = PLANTED[name]
    case = sound(tmp_path)
    spoil(case)
    report = preflight(case.write())
    expected = set(codes.split())
    assert report.codes == expected, "\n".join(map(str, report.findings))
    first = codes.split()[0]
    assert severity in {finding.severity for finding in report.findings if finding.code == first}
    assert all(str(finding.place) and finding.hint for finding in report.findings)


def test_without_the_hub_an_encoder_has_to_be_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = sound(tmp_path)
    case.set("policy/vision_encoder_name", "lab/no-such")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path = case.write()
    assert preflight(path).codes == {"encoder-missing"}
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert preflight(path).codes == {"encoder-not-local"}


def test_a_device_that_is_not_here_is_named(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.config["policy"] |= {"device": "xpu", "storage_device": "xpu"}
    report = preflight(case.write(), parsing=PARSING, machine=MACHINE)
    assert [(finding.code, finding.severity) for finding in report.findings] == [
        ("device-missing", "error"),
        ("device-missing", "warning"),
    ]


def test_a_change_is_said_in_words_of_the_config(tmp_path: Path, lerobot_home: Path) -> None:
    case = sound(tmp_path)
    case.config["dataset"] = {"repo_id": "lab/elsewhere"}
    (finding,) = (
        finding for finding in preflight(case.write()).findings if finding.code == "dataset-unreadable"
    )
    assert "give dataset.root" in finding.hint


def test_everything_wrong_is_reported_at_once(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.set("env/fps", 30)
    case.set("policy/online_buffer_capacity", "many")
    case.columns["action"][:, 3] -= 1
    case.drop(PENALTY)
    report = preflight(case.write())
    assert report.codes == {"fps", "config-wrong-type", "gripper-range", "missing-discrete-penalty"}


@pytest.mark.parametrize(
    ("positives", "done", "named"),
    [
        ((100, 101, 102), 998, {"class-imbalance", "success-not-done"}),  # 3 of 999 rows
        (range(100, 300), 998, {"success-not-done"}),
        ((998,), 998, set()),  # one success row ends its episode: sparse, and sound
        ((), 998, {"one-class"}),
    ],
)
def test_hardly_any_success_is_named(positives: Sequence[int], done: int, named: set[str]) -> None:
    reward, dones = np.zeros((999, 1)), np.zeros((999, 1))
    reward[list(positives)] = 1
    dones[done] = 1
    dataset = DatasetFacts(
        where="dataset",
        repo_id="lab/bad",
        root=Path("nowhere"),
        fps=10,
        total_episodes=1,
        features={},
        lengths=np.array([999]),
        episodes=np.array([0]),
        columns={"next.reward": reward, "next.done": dones},
    )
    facts = Facts(ConfigView(Path("config.json"), {}), [dataset], None)
    assert {finding.code for finding in check_labels(facts)} == named


def test_one_poor_source_is_named_among_good_ones(tmp_path: Path) -> None:
    columns = {"next.reward": np.zeros((1998, 1)), "next.done": np.zeros((1998, 1))}
    columns["next.reward"][[*range(500, 999), 1100, 1101, 1102]] = 1
    columns["next.done"][[998, 1997]] = 1
    dataset = DatasetFacts(
        where="dataset",
        repo_id="lab/merged",
        root=tmp_path,
        fps=10,
        total_episodes=2,
        features={},
        lengths=np.array([999, 999]),
        episodes=np.array([0, 1]),
        columns=columns,
        provenance=Provenance(
            sources=[ProvenanceSource(repo_id="lab/good"), ProvenanceSource(repo_id="lab/poor")],
            episodes={0: ProvenanceEpisode(source=0), 1: ProvenanceEpisode(source=1)},
        ),
    )
    facts = Facts(ConfigView(Path("config.json"), {}), [dataset], None)
    messages = [finding.message for finding in check_labels(facts) if finding.code == "class-imbalance"]
    assert len(messages) == 1
    assert "lab/poor: 3 of 999 rows" in messages[0]


def test_it_is_quick(tmp_path: Path) -> None:
    path = sound(tmp_path).write()
    program = "import sys; from lerobot_grasp_plugin.preflight import preflight as check\n"
    program += "assert not check(sys.argv[1]).findings\n"
    program += "assert not {'torch', 'lerobot', 'pandas'} & set(sys.modules), 'slow imports'"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


def test_sources_are_labelled_by_their_annotations(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.write()
    text = "# dataset path: dataset\n0: 12-\n1: 10-\n2: 14-\n3: all fail\n"
    (tmp_path / "labels.txt").write_text(text)
    del case.config["dataset"]["repo_id"], case.config["dataset"]["root"]
    case.config["dataset"] |= {
        "sources": [{"root": str(case.root)}],
        "annotations": str(tmp_path / "labels.txt"),
        "alignment": "next",
        "done": "first_success",
    }
    dump(tmp_path / "config.json", case.config)
    report = preflight(tmp_path / "config.json")
    assert not report.findings
    (tmp_path / "labels.txt").write_text(text.replace("12-", "6-"))
    assert not preflight(tmp_path / "config.json").findings
    case.config["dataset"]["done"] = "episode_end"
    dump(tmp_path / "config.json", case.config)
    assert preflight(tmp_path / "config.json").codes == {"success-not-done"}
    (tmp_path / "labels.txt").write_text("0: 57\n9: 3-\n")
    assert preflight(tmp_path / "config.json").codes == {"annotations-unusable"}


def test_the_plugins_learner_mends_what_lerobots_crashes_on(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.set("env/processor/reset", {"terminate_on_success": True, "control_time_s": 15.0})
    case.learning = case.provenance = None
    path = case.write()
    assert preflight(path).codes == {"reset-crash", "no-reset", "image-range", "image-size"}
    assert preflight(path, plugin_learner=True).codes == {"no-reset"}


def test_images_recorded_after_the_crop_are_not_cropped_again(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.learning = None
    shape = {"shape": [3, 128, 128], "names": ["channels", "height", "width"]}
    case.info["features"][CAMERA] |= shape
    path = case.write()
    assert not preflight(path).findings
    assert not preflight(path, plugin_learner=True).findings


def test_a_dataset_of_an_older_format_is_named_unless_it_is_built_anew(
    tmp_path: Path, shared_data: Callable[[str], Path]
) -> None:
    case = sound(tmp_path)
    root = shared_data("cr5_banana_v21")
    case.config["dataset"] |= {"root": str(root), "repo_id": "lab/banana"}
    path = case.write()
    assert {"dataset-format", "timestamps"} <= preflight(path).codes
    assert not {"dataset-format", "timestamps"} & preflight(path, plugin_learner=True).codes


@pytest.mark.parametrize("content", ["", "{", "[]", None, '{"env": {}, "mode": "record"}'])
def test_an_unreadable_config_is_a_wrong_call(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError):
        preflight(path, parsing=PARSING, machine=MACHINE)
    assert main(["--config_path", str(path)]) == 2
    said = capsys.readouterr().err
    assert "config-unreadable" in said or "lerobot.rl.gym_manipulator, which records" in said


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


@pytest.mark.parametrize("content", ['{"format": ', "[]", '{"format": 9}'])
def test_a_damaged_learning_sidecar_is_named(content: str, tmp_path: Path) -> None:
    case = sound(tmp_path)
    path = case.write()
    (case.root / "meta/grasp_learning.json").write_text(content)
    (finding,) = [each for each in preflight(path).findings if "grasp_learning" in str(each)]
    assert finding.severity == "error"
    assert finding.place.path == str(case.root / "meta/grasp_learning.json")


@pytest.mark.parametrize(
    "episodes",
    [
        3,
        [3, {"episode_index": {}}, {"episode_index": 0, "source": "1"}, {"episode_index": 1, "source": 0.5}],
        [{"episode_index": episode, "source": episode} for episode in range(4)],
    ],
)
def test_an_odd_provenance_names_no_source(episodes: object, tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.provenance |= {"episodes": episodes, "sources": [3, None, {"repo_id": 7}]}
    assert not preflight(case.write()).findings


def test_a_pose_from_which_the_first_step_jumps_is_named(tmp_path: Path) -> None:
    pytest.importorskip("placo")
    pytest.importorskip("so101_nexus")
    case = sound(tmp_path)
    case.set(f"{IK}/urdf_path", SO101)
    case.set("env/processor/reset", {"fixed_reset_joint_positions": [0.0, 0.0, 0.0, 0.0, 0.0, 5.0]})
    report = preflight(case.write(), parsing=PARSING, machine=MACHINE)
    (finding,) = (finding for finding in report.findings if finding.code == "reset-outside")
    assert "outside end_effector_bounds" in finding.message


CONFIGS = Path(__file__).parents[2] / "configs"


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


@pytest.mark.parametrize("name", ["grasp_only_hilserl_train_config", "sim/hilserl"])
def test_the_shipped_resets_leave_the_gripper_within_its_bounds(name: str, tmp_path: Path) -> None:
    pytest.importorskip("placo")
    pytest.importorskip("so101_nexus")
    raw = json.loads((CONFIGS / f"{name}.json").read_text())
    raw["env"]["processor"]["inverse_kinematics"]["urdf_path"] = SO101
    dump(tmp_path / "config.json", raw)
    assert "reset-outside" not in preflight(tmp_path / "config.json", parsing=PARSING, machine=MACHINE).codes


def test_the_datasets_folder_can_be_given_by_a_flag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = sound(tmp_path)
    case.set("dataset/root", "/no/such/dataset")
    path = case.write()
    assert preflight(path).codes == {"dataset-unreadable"}
    assert main(["--config_path", str(path), f"--dataset.root={case.root}"]) == 0
    assert "no findings" in capsys.readouterr().out


def test_a_classifiers_own_camera_is_used(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.config["policy"]["input_features"].pop(CAMERA)
    assert "feature-unused" not in preflight(case.write()).codes


def test_a_leader_in_deltas_is_a_leader(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.set("env/processor/control_mode", "leader")
    case.config["env"]["teleop"] = {"type": "so101_script", "action_space": "ee_delta"}
    assert not preflight(case.write()).findings


def test_options_of_the_plugins_learner_are_its_own(tmp_path: Path) -> None:
    pytest.importorskip("grpc")
    from lerobot_grasp_plugin.learning.rl.configs import GraspTrainRLConfig, TrainRLServerPipelineConfig

    own, lerobots = (
        {entry.name for entry in fields(kind)} for kind in (GraspTrainRLConfig, TrainRLServerPipelineConfig)
    )
    assert own - lerobots == LEARNER
    case = sound(tmp_path)
    case.set("bc_steps", 100)
    assert not preflight(case.write(), parsing=PARSING, machine=MACHINE).count("error")


def test_a_plugin_flag_is_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sound(tmp_path).write()
    flag = "--env.discover_packages_path=lerobot_grasp_plugin"
    assert main(["--config_path", str(path), flag]) == 0
    assert "no findings" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["--config_path", str(path), "--env.discover_packages_path=no_such_package"])
    assert ended.value.code == 2
    assert "no_such_package" in capsys.readouterr().err


def test_lerobots_parser_has_the_last_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = sound(tmp_path)
    with_leader(case)  # a teleoperator of this package
    path = case.write()
    assert main(["--config_path", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 note"
    case.config["polcy"] = {}
    dump(path, case.config)
    assert main(["--config_path", str(path)]) == 1
    output = capsys.readouterr().out
    assert "config-rejected" in output
    assert "polcy" in output
    assert json.loads(path.read_text())["polcy"] == {}  # nothing is written
