"""Recordings in end-effector deltas, the shipped HIL-SERL config for them, and a stand-in for the actor."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.transport import services_pb2, services_pb2_grpc
from lerobot.transport.utils import (
    bytes_to_state_dict,
    grpc_channel_options,
    python_object_to_bytes,
    receive_bytes_in_chunks,
    send_bytes_in_chunks,
    transitions_to_bytes,
)

from tests.support.learner_process import Learner, free_port
from tests.support.project import CONFIGS

CONFIG = CONFIGS / "grasp_only_hilserl_train_config.json"
CAMERA = "observation.images.gripper_cam"
STATE = "observation.state"
PENALTY = "complementary_info.discrete_penalty"
CROP, SIZE = (0, 80, 480, 480), (128, 128)
JOINTS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]


# -- recordings ---------------------------------------------------------------------------------------


def image(seed: int, episode: int, frame: int) -> np.ndarray:
    down, across = np.mgrid[0:480, 0:640]
    pixels = np.stack([down // 2, across // 3, (down + across) // 5], axis=2)
    return ((pixels + 31 * seed + 17 * episode + 5 * frame) % 256).astype(np.uint8)


def state(seed: int, episode: int, frame: int) -> np.ndarray:
    start = np.array([0.0, -50.0, 50.0, 60.0, 0.0, 60.0])
    return (start + np.array([10 * seed, 3 * episode, frame, 1, 2, frame])).astype(np.float32)


def action(seed: int, episode: int, frame: int) -> np.ndarray:
    delta = np.random.default_rng((seed, episode, frame)).uniform(-1, 1, 3)
    return np.array([*delta, (episode + frame) % 3], np.float32)


def record(root: Path, repo_id: str, lengths: Sequence[int], seed: int) -> Path:
    """Episodes without labels."""
    features = {
        CAMERA: {"dtype": "video", "shape": (480, 640, 3), "names": ["height", "width", "channels"]},
        STATE: {"dtype": "float32", "shape": (6,), "names": [f"{joint}.pos" for joint in JOINTS]},
        "action": {
            "dtype": "float32",
            "shape": (4,),
            "names": ["delta_x", "delta_y", "delta_z", "gripper"],
        },
        PENALTY: {"dtype": "float32", "shape": (1,), "names": None},
    }
    dataset = LeRobotDataset.create(repo_id, 10, features, root=root, robot_type="so_follower")
    for episode, length in enumerate(lengths):
        for frame in range(length):
            dataset.add_frame(
                {
                    CAMERA: image(seed, episode, frame),
                    STATE: state(seed, episode, frame),
                    "action": action(seed, episode, frame),
                    PENALTY: np.array([-0.02 * (frame % 2)], np.float32),
                    "task": "grasp the cube",
                }
            )
        dataset.save_episode()
    dataset.finalize()
    return root


def decoded(root: Path, repo_id: str) -> list[dict[str, Any]]:
    """Every item as LeRobot reads it: images are floats in [0, 1]."""
    dataset = LeRobotDataset(repo_id, root, video_backend="pyav")
    return [dataset[index] for index in range(len(dataset))]


# -- the shipped config -------------------------------------------------------------------------------


def accepts(port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def config_for(folder: Path, dataset: dict[str, Any]) -> dict[str, Any]:
    """What a user changes in the shipped config on a machine without GPU, network and robot."""
    config: dict[str, Any] = json.loads(CONFIG.read_text())
    config |= {"dataset": dataset, "output_dir": str(folder / "run"), "batch_size": 4, "log_freq": 1}
    config["policy"] |= {
        "device": "cpu",
        "vision_encoder_name": None,
        "freeze_vision_encoder": False,
        "online_buffer_capacity": 60,
        "offline_buffer_capacity": 60,
        "online_step_before_learning": 6,
    }
    config["policy"]["actor_learner_config"] |= {
        "learner_port": free_port(),
        "policy_parameters_push_frequency": 1,
    }
    config["env"]["processor"]["reward_classifier"] = None
    return config


def write(path: Path, config: dict[str, Any]) -> Path:
    path.write_text(json.dumps(config))
    return path


# -- the actor's side ---------------------------------------------------------------------------------


def transitions(count: int) -> list[dict[str, Any]]:
    """What an actor sends: batches of one, images in [0, 1], the last step done."""
    torch.manual_seed(5)
    states = [{CAMERA: torch.rand(1, 3, *SIZE), STATE: torch.rand(1, 6) * 90} for _ in range(count + 1)]
    return [
        {
            "state": states[step],
            "action": torch.cat([torch.rand(1, 3) * 2 - 1, torch.tensor([[float(step % 3)]])], dim=1),
            "reward": float(step == count - 1),
            "next_state": states[step + 1],
            "done": step == count - 1,
            "truncated": False,
            "complementary_info": {"discrete_penalty": torch.tensor([0.0])},
        }
        for step in range(count)
    ]


class StandInActor:
    """Talks to a learner over its gRPC interface, as ``lerobot.rl.actor`` does, without a robot."""

    def __init__(self, port: int, learner: Learner) -> None:
        learner.until(lambda: accepts(port), "its gRPC server")  # a channel looks every two minutes at last
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", grpc_channel_options())
        self.stub = services_pb2_grpc.LearnerServiceStub(self.channel)
        self.stub.Ready(services_pb2.Empty())
        self._parameters = self.stub.StreamParameters(services_pb2.Empty())

    def parameters(self) -> dict[str, Any]:
        """The next weights the learner pushes."""
        raw = receive_bytes_in_chunks(self._parameters, None, threading.Event())
        weights: dict[str, Any] = bytes_to_state_dict(raw)
        return weights

    def send(self, steps: list[dict[str, Any]]) -> None:
        data = transitions_to_bytes(steps)
        self.stub.SendTransitions(send_bytes_in_chunks(data, services_pb2.Transition))
        message = python_object_to_bytes({"Episodic reward": 1.0, "Interaction step": len(steps)})
        self.stub.SendInteractions(send_bytes_in_chunks(message, services_pb2.InteractionMessage))

    def close(self) -> None:
        self._parameters.cancel()
        self.channel.close()


def flat(weights: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Nested weights by dotted name."""
    found: dict[str, torch.Tensor] = {}
    for name, value in weights.items():
        if isinstance(value, torch.Tensor):
            found[name] = value
        else:
            found |= {f"{name}.{inner}": tensor for inner, tensor in flat(value).items()}
    return found
