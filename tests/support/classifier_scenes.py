"""A small dataset a classifier can learn: a bright square is success, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from lerobot.datasets import LeRobotDataset

HEIGHT, WIDTH, LENGTH, EPISODES = 128, 160, 16, 6
CAMERA = "observation.images.wrist"
CROP = (0, 16, 128, 128)


def is_success(episode: int) -> np.ndarray:
    label = np.zeros(LENGTH, np.bool_)
    label[6 + episode % 5 :] = True
    return label


def image(episode: int, frame: int) -> np.ndarray:
    rng = np.random.default_rng((7, episode, frame))
    pixels = np.clip(rng.normal(90, 12, (1, 1, 3)) + rng.normal(0, 6, (HEIGHT, WIDTH, 3)), 0, 255)
    if is_success(episode)[frame]:
        top, left = rng.integers(10, 60), rng.integers(30, 80)
        pixels[top : top + 44, left : left + 44] = (235, 60, 40)
    return pixels.astype(np.uint8)


def record(root: Path) -> Path:
    features = {
        CAMERA: {"dtype": "video", "shape": (HEIGHT, WIDTH, 3), "names": ["height", "width", "channels"]},
        "observation.state": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]},
        "action": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]},
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
    }
    dataset = LeRobotDataset.create("me/squares", 10, features, root=root, use_videos=True)
    for episode in range(EPISODES):
        for frame in range(LENGTH):
            values = {
                CAMERA: image(episode, frame),
                "observation.state": np.zeros(2, np.float32),
                "action": np.zeros(2, np.float32),
                "next.reward": np.array([is_success(episode)[frame]], np.float32),
                "task": "show the square",
            }
            dataset.add_frame(values)
        dataset.save_episode()
    dataset.finalize()
    return root
