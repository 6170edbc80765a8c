"""Filling LeRobot's offline replay buffer: stock LeRobot against this package, from one dataset, in one run.

    python benchmarks/offline_buffer.py --root DATASET

Both sides go through LeRobot's own ``make_dataset`` and ``ReplayBuffer.from_lerobot_dataset``, called with
the same arguments as ``lerobot.rl.learner`` does; they differ in nothing but what the plugin puts into the
factory. The dataset has to carry this package's sidecar. Prints seconds, their ratio, and how far the two
buffers differ: states, actions, rewards and dones must be equal, and pictures equal but for LeRobot's range
(0-255 instead of 0-1). Pictures are those of the dataset, without crop and resize, unless these are stored
with it: then the stock side is given the same by ``torchvision``, outside of the measured time.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import lerobot.datasets.factory as factory
import torch
from lerobot.configs.default import DatasetConfig
from lerobot.datasets import LeRobotDataset
from lerobot.rl.buffer import ReplayBuffer

from lerobot_grasp_plugin.learning.preprocessing import to_unit_range
from lerobot_grasp_plugin.learning.registration import install
from lerobot_grasp_plugin.learning.sidecar import read_learning


def filled(
    root: Path, repo_id: str, keys: list[str], capacity: int
) -> tuple[ReplayBuffer, str, float, float]:
    """A buffer, the class of the dataset it came from, and wall and CPU seconds."""
    indices = SimpleNamespace(
        reward_delta_indices=None, action_delta_indices=None, observation_delta_indices=None
    )
    block = DatasetConfig(repo_id, root=str(root), video_backend="pyav", use_imagenet_stats=False)
    config = SimpleNamespace(dataset=block, trainable_config=indices, tolerance_s=1e-4)
    wall, cpu = time.perf_counter(), time.process_time()
    dataset = factory.make_dataset(config)
    buffer = ReplayBuffer.from_lerobot_dataset(
        dataset, device="cpu", state_keys=keys, storage_device="cpu", optimize_memory=True, capacity=capacity
    )
    return buffer, type(dataset).__name__, time.perf_counter() - wall, time.process_time() - cpu


def differences(stock: ReplayBuffer, ours: ReplayBuffer, preprocessing: Any) -> dict[str, float]:
    """Largest difference of each part of two buffers, pictures brought to one range and size first."""
    rows = slice(stock.size)
    found = {"size": float(abs(stock.size - ours.size))}
    for name in ("rewards", "dones", "actions"):
        found[name] = float(
            (getattr(stock, name)[rows].float() - getattr(ours, name)[rows].float()).abs().max()
        )
    for key, values in stock.states.items():
        worst = 0.0
        for row in range(stock.size):
            value = values[row]
            if value.ndim == 3:
                value = value.to(torch.uint8)
                value = to_unit_range(value) if preprocessing is None else preprocessing(key, value)
            worst = max(worst, float((value - ours.states[key][row]).abs().max()))
        found[key] = worst
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--keys", nargs="*", help="what the policy takes in")
    parser.add_argument("--repeat", type=int, default=1, help="runs of this package; the median is shown")
    given = parser.parse_args()
    plain = LeRobotDataset("bench/set", given.root, video_backend="pyav")
    keys = given.keys or [
        *plain.meta.camera_keys,
        *(k for k in plain.meta.features if k == "observation.state"),
    ]
    capacity = len(plain)
    ReplayBuffer(2, device="cpu", state_keys=keys)  # torch.compile is imported now, and nobody pays for it
    stock, stock_class, stock_wall, stock_cpu = filled(given.root, "bench/set", keys, capacity)
    install()
    runs = [filled(given.root, "bench/set", keys, capacity) for _ in range(given.repeat)]
    ours, our_class, our_wall, our_cpu = sorted(runs, key=lambda run: run[2])[len(runs) // 2]
    assert (stock_class, our_class) == ("LeRobotDataset", "GraspDataset"), (stock_class, our_class)
    stored = read_learning(given.root)
    preprocessing = None if stored is None else stored.preprocessing
    result = {
        "frames": capacity,
        "cpus": os.cpu_count(),
        "stock": {"wall_s": round(stock_wall, 2), "cpu_s": round(stock_cpu, 2)},
        "plugin": {"wall_s": round(our_wall, 2), "cpu_s": round(our_cpu, 2)},
        "times_faster": {"wall": round(stock_wall / our_wall, 1), "cpu": round(stock_cpu / our_cpu, 1)},
        "largest_difference": differences(stock, ours, preprocessing),
        "highest_pixel": {
            "stock": max(float(stock.states[k][:capacity].max()) for k in keys if stock.states[k].ndim == 4),
            "plugin": max(float(ours.states[k][:capacity].max()) for k in keys if ours.states[k].ndim == 4),
        },
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
