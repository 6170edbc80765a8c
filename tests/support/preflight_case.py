"""A sound HIL-SERL config with a tiny dataset, a classifier and calibrations, to be spoiled by tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CAMERA = "observation.images.wrist"
STATE = "observation.state"
PENALTY = "complementary_info.discrete_penalty"
CROP = [0, 80, 480, 480]
IMAGES = "env/processor/image_preprocessing"
IK = "env/processor/inverse_kinematics"
STATS = "policy/dataset_stats"
SO101 = "package://so101_nexus/assets/SO101/so101_new_calib.urdf"
LENGTHS = (12, 10, 14, 9)
SUCCESSFUL = (0, 1, 2)
JOINTS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]


@dataclass
class Case:
    """What a test may change before it is written."""

    folder: Path
    config: dict[str, Any]
    columns: dict[str, np.ndarray]
    info: dict[str, Any]
    learning: dict[str, Any] | None
    provenance: dict[str, Any] | None
    stats: dict[str, Any]
    classifier: dict[str, Any]
    classifier_learning: dict[str, Any] | None
    classifier_stats: dict[str, np.ndarray] = field(default_factory=dict)
    after: list[Callable[[Case], object]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.folder / "dataset"

    def set(self, dotted: str, value: Any) -> None:
        *parents, name = dotted.split("/")
        block = self.config
        for parent in parents:
            block = block[parent]
        block[name] = value

    def drop(self, column: str) -> None:
        del self.columns[column]
        del self.info["features"][column]

    def write(self) -> Path:
        write_dataset(self)
        checkpoint = self.folder / "classifier"
        checkpoint.mkdir(exist_ok=True)
        dump(checkpoint / "config.json", self.classifier)
        if self.classifier_learning is not None:
            dump(checkpoint / "grasp_classifier.json", self.classifier_learning)
        if self.classifier_stats:
            from safetensors.numpy import save_file

            save_file(self.classifier_stats, checkpoint / "stats.safetensors")
            steps = [
                {
                    "registry_name": "normalizer_processor",
                    "config": {"norm_map": {"VISUAL": "MEAN_STD"}},
                    "state_file": "stats.safetensors",
                }
            ]
            dump(checkpoint / "classifier_preprocessor.json", {"steps": steps})
        (checkpoint / "model.safetensors").touch()
        (self.folder / "encoder").mkdir()
        dump(self.folder / "encoder/config.json", {})
        (self.folder / "robot.urdf").write_text("<robot/>")
        (self.folder / "calibration").mkdir(exist_ok=True)
        motors = {
            joint: {"id": number, "range_min": 700, "range_max": 3400}
            for number, joint in enumerate(JOINTS, 1)
        }
        dump(self.folder / "calibration/follower.json", motors)
        path = self.folder / "config.json"
        dump(path, self.config)
        for step in self.after:
            step(self)
        return path


def dump(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))


def sound(folder: Path) -> Case:
    """Gamepad, delta actions, discrete gripper; 640x480 images, cropped and resized."""
    preprocessing = {"crop_params_dict": {CAMERA: CROP}, "resize_size": [128, 128]}
    stored = {"format": 1, "image_preprocessing": {**preprocessing, "range": [0.0, 1.0]}, "splits": None}
    parts = {"train": [0, 1, 3], "val": [2]}
    return Case(
        folder=folder,
        config=sound_config(folder, preprocessing),
        columns=sound_columns(),
        info=sound_info(),
        learning={"format": 1, **stored, "splits": {"seed": 0, "parts": parts}},
        provenance={
            "format": 1,
            "labels": {"alignment": "next", "success_value": 1.0, "failure_value": 0.0},
            "sources": [{"repo_id": "lab/good"}, {"repo_id": "lab/bad"}],
            "episodes": [{"episode_index": e, "source": int(e == 3), "source_episode": e} for e in range(4)],
        },
        stats={CAMERA: {"min": [[[0.0]]] * 3, "max": [[[1.0]]] * 3}},
        classifier={
            "type": "reward_classifier",
            "model_name": str(folder / "encoder"),
            "num_cameras": 1,
            "normalization_mapping": {"VISUAL": "IDENTITY"},
            "input_features": {CAMERA: {"type": "VISUAL", "shape": [3, 128, 128]}},
            "output_features": {"next.reward": {"type": "REWARD", "shape": [1]}},
        },
        classifier_learning=json.loads(json.dumps(stored)),
    )


def sound_config(folder: Path, preprocessing: dict[str, Any]) -> dict[str, Any]:
    image = {"type": "VISUAL", "shape": [3, 128, 128]}
    state = {"type": "STATE", "shape": [6]}
    action = {"type": "ACTION", "shape": [3]}
    return {
        "output_dir": None,
        "job_name": "grasp",
        "batch_size": 8,
        "online_ratio": 0.5,
        "dataset": {"repo_id": "lab/grasp", "root": str(folder / "dataset"), "use_imagenet_stats": False},
        "algorithm": {"type": "sac"},
        "policy": {
            "type": "gaussian_actor",
            "push_to_hub": False,
            "freeze_vision_encoder": False,
            "num_discrete_actions": 3,
            "input_features": {CAMERA: dict(image), STATE: dict(state)},
            "output_features": {"action": dict(action)},
            "dataset_stats": {
                CAMERA: {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
                STATE: {"min": [-180.0] * 5 + [0.0], "max": [180.0] * 5 + [100.0]},
                "action": {"min": [-1.0] * 3, "max": [1.0] * 3},
            },
            "online_buffer_capacity": 500,
            "offline_buffer_capacity": 500,
            "online_step_before_learning": 5,
        },
        "env": {
            "type": "gym_manipulator",
            "name": "real_robot",
            "task": "grasp_cube",
            "fps": 10,
            "processor": {
                "control_mode": "gamepad",
                "observation": {"add_joint_velocity_to_observation": False},
                "image_preprocessing": json.loads(json.dumps(preprocessing)),
                "gripper": {"use_gripper": True, "gripper_penalty": -0.02},
                "inverse_kinematics": {
                    "urdf_path": str(folder / "robot.urdf"),
                    "target_frame_name": "gripper_frame_link",
                    "end_effector_bounds": {"min": [0.16, -0.08, 0.03], "max": [0.24, 0.2, 0.1]},
                    "end_effector_step_sizes": {"x": 0.02, "y": 0.02, "z": 0.02},
                },
                "reward_classifier": {
                    "pretrained_path": str(folder / "classifier"),
                    "success_threshold": 0.7,
                    "success_reward": 1.0,
                },
            },
            "robot": {
                "type": "so101_follower",
                "port": "/dev/ttyACM0",
                "id": "follower",
                "calibration_dir": str(folder / "calibration"),
                "cameras": {
                    "wrist": {"type": "opencv", "index_or_path": 0, "width": 640, "height": 480, "fps": 30}
                },
            },
            "teleop": {"type": "gamepad", "use_gripper": True},
            "features": {CAMERA: dict(image), STATE: dict(state), "action": dict(action)},
            "features_map": {CAMERA: CAMERA, STATE: STATE, "action": "action"},
        },
    }


def with_reward_model(case: Case) -> None:
    """Makes of the sound case the training of a reward classifier."""
    assert case.provenance is not None
    case.provenance["labels"]["alignment"] = "frame"
    case.config = {
        "dataset": {"repo_id": "lab/grasp", "root": str(case.root)},
        "reward_model": {
            "type": "reward_classifier",
            "model_name": str(case.folder / "encoder"),
            "num_cameras": 1,
            "normalization_mapping": {"VISUAL": "IDENTITY"},
            "input_features": {CAMERA: {"type": "VISUAL", "shape": [3, 128, 128]}},
            "device": "cpu",
        },
        "job_name": "reward",
        "batch_size": 8,
        "steps": 40,
    }


def sound_columns() -> dict[str, np.ndarray]:
    rows = sum(LENGTHS)
    rng = np.random.default_rng(0)
    action = rng.uniform(-1, 1, (rows, 4)).astype(np.float32)
    action[:, 3] = rng.integers(0, 3, rows)
    state = rng.uniform(-90, 90, (rows, 6)).astype(np.float32)
    state[:, 5] = rng.uniform(0, 100, rows)
    ends = np.cumsum(LENGTHS) - 1
    done = np.zeros(rows, bool)
    done[ends] = True
    reward = np.zeros(rows, np.float32)
    reward[ends[list(SUCCESSFUL)]] = 1
    return {
        "action": action,
        STATE: state,
        "next.reward": reward,
        "next.done": done,
        PENALTY: np.zeros(rows, np.float32),
    }


def sound_info() -> dict[str, Any]:
    names = {"delta_x": 0, "delta_y": 1, "delta_z": 2, "gripper": 3}
    features: dict[str, Any] = {
        "action": {"dtype": "float32", "shape": [4], "names": names},
        STATE: {"dtype": "float32", "shape": [6], "names": [f"{joint}.pos" for joint in JOINTS]},
        "next.reward": {"dtype": "float32", "shape": [1], "names": None},
        "next.done": {"dtype": "bool", "shape": [1], "names": None},
        PENALTY: {"dtype": "float32", "shape": [1], "names": None},
        CAMERA: {"dtype": "video", "shape": [480, 640, 3], "names": ["height", "width", "channels"]},
    }
    return {
        "codebase_version": "v3.0",
        "robot_type": "so_follower",
        "total_episodes": len(LENGTHS),
        "total_frames": sum(LENGTHS),
        "chunks_size": 1000,
        "fps": 10,
        "splits": {},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": features,
    }


def write_dataset(case: Case) -> None:
    """A v3.0 dataset without images: preflight does not decode any."""
    root = case.root
    for name in ("meta/episodes/chunk-000", "data/chunk-000", f"videos/{CAMERA}/chunk-000"):
        (root / name).mkdir(parents=True)
    (root / f"videos/{CAMERA}/chunk-000/file-000.mp4").touch()
    columns = {
        name: pa.array(values) if values.ndim == 1 else pa.array(values.tolist(), pa.list_(pa.float32()))
        for name, values in case.columns.items()
    }
    rows = sum(LENGTHS)
    columns["episode_index"] = pa.array(np.repeat(np.arange(len(LENGTHS)), LENGTHS))
    columns["index"] = pa.array(np.arange(rows))
    pq.write_table(pa.table(columns), root / "data/chunk-000/file-000.parquet")
    zeros = [0] * len(LENGTHS)
    places = (
        f"videos/{CAMERA}/chunk_index",
        f"videos/{CAMERA}/file_index",
        "data/chunk_index",
        "data/file_index",
    )
    episodes = {
        "episode_index": list(range(len(LENGTHS))),
        "length": list(LENGTHS),
        f"videos/{CAMERA}/from_timestamp": [0.0] * len(LENGTHS),
        **dict.fromkeys(places, zeros),
    }
    pq.write_table(pa.table(episodes), root / "meta/episodes/chunk-000/file-000.parquet")
    pq.write_table(pa.table({"task": ["grasp"], "task_index": [0]}), root / "meta/tasks.parquet")
    dump(root / "meta/info.json", case.info)
    dump(root / "meta/stats.json", case.stats)
    if case.learning is not None:
        dump(root / "meta/grasp_learning.json", case.learning)
    if case.provenance is not None:
        dump(root / "meta/grasp_provenance.json", case.provenance)


def with_leader(case: Case) -> None:
    """Makes of the sound case another sound one: a leader arm gives joints, without kinematics."""
    image, state = {"type": "VISUAL", "shape": [3, 128, 128]}, {"type": "STATE", "shape": [6]}
    action = {"type": "ACTION", "shape": [6]}
    processor = case.config["env"]["processor"]
    del processor["inverse_kinematics"]
    processor["control_mode"] = "leader"
    processor["gripper"] = {"use_gripper": False}
    case.config["env"]["teleop"] = {
        "type": "so101_leader_hil",
        "port": "/dev/ttyACM1",
        "id": "follower",
        "calibration_dir": str(case.folder / "calibration"),
    }
    case.config["env"]["features"] = {CAMERA: image, STATE: state, "action": action}
    policy = case.config["policy"]
    policy["num_discrete_actions"] = None
    policy["output_features"] = {"action": dict(action)}
    policy["dataset_stats"]["action"] = {"min": [-1.0] * 6, "max": [1.0] * 6}
    case.columns["action"] = (case.columns[STATE] / 100).astype(np.float32)
    names = [f"{joint}.pos" for joint in JOINTS]
    case.info["features"]["action"] = {"dtype": "float32", "shape": [6], "names": names}


def continuous(case: Case, stats: dict[str, list[float]]) -> None:
    case.set("policy/num_discrete_actions", None)
    case.set("policy/output_features/action/shape", [4])
    case.set("env/features/action/shape", [4])
    case.set(f"{STATS}/action", stats)


def with_degrees(case: Case) -> None:
    with_leader(case)
    case.columns["action"] = (case.columns[STATE] * 0.9).astype(np.float32)
    case.config["policy"]["dataset_stats"]["action"] = dict(case.config["policy"]["dataset_stats"][STATE])
