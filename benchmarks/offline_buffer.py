"""Filling LeRobot's offline replay buffer: stock LeRobot against this package, from one dataset, in one run.

    python benchmarks/offline_buffer.py --root DATASET

Both sides go through LeRobot's own ``make_dataset`` and ``ReplayBuffer.from_lerobot_dataset``, called with
the same arguments as ``lerobot.rl.learner`` does; they differ in nothing but what the plugin puts into the
factory. The dataset has to carry this package's sidecar. Each fill is timed in a process of its own, the two
sides taking turns: memory that one has used does not make it easier or harder for the other. Prints seconds,
their ratio, and how far the two buffers differ: states, actions, rewards and dones must be equal, and
images equal but for LeRobot's range (0-255 instead of 0-1). Images are those of the dataset, without
crop and resize, unless these are stored with it: then the stock side is given the same by ``torchvision``,
outside of the measured time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import lerobot.datasets.factory as factory
import torch
from lerobot.configs.default import DatasetConfig
from lerobot.datasets import LeRobotDataset
from lerobot.rl.buffer import ReplayBuffer

from lerobot_grasp_plugin.learning.data.preprocessing import to_unit_range
from lerobot_grasp_plugin.learning.data.sidecar import read_learning
from lerobot_grasp_plugin.learning.registration import install_dataset


@dataclass(frozen=True)
class Times:
    """Seconds of one fill.

    Attributes:
        dataset: Wall time of ``make_dataset``.
        buffer: Wall time of ``from_lerobot_dataset``.
        cpu: CPU time of both.
    """

    dataset: float
    buffer: float
    cpu: float


def filled(root: Path, keys: list[str], with_plugin: bool) -> tuple[ReplayBuffer, Times]:
    """A buffer, and what it took."""
    indices = SimpleNamespace(
        reward_delta_indices=None, action_delta_indices=None, observation_delta_indices=None
    )
    block = DatasetConfig("bench/set", root=str(root), video_backend="pyav", use_imagenet_stats=False)
    config = SimpleNamespace(dataset=block, trainable_config=indices, tolerance_s=1e-4)
    ReplayBuffer(2, device="cpu", state_keys=keys)  # torch.compile is imported now, and nobody pays for it
    if with_plugin:
        install_dataset()
    wall, cpu = time.perf_counter(), time.process_time()
    dataset = factory.make_dataset(config)
    opened = time.perf_counter()
    buffer = ReplayBuffer.from_lerobot_dataset(
        dataset,
        device="cpu",
        state_keys=keys,
        storage_device="cpu",
        optimize_memory=True,
        capacity=len(dataset),
    )
    times = Times(opened - wall, time.perf_counter() - opened, time.process_time() - cpu)
    expected = "GraspDataset" if with_plugin else "LeRobotDataset"
    assert type(dataset).__name__ == expected, type(dataset).__name__
    return buffer, times


def timed(root: Path, keys: list[str], with_plugin: bool) -> Times:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--root", str(root), "--keys", *keys]
    command += ["--only", "plugin" if with_plugin else "stock"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Times(**json.loads(out))


def summary(runs: list[Times]) -> dict[str, float]:
    """The run of median total wall time."""
    times = sorted(runs, key=lambda run: run.dataset + run.buffer)[len(runs) // 2]
    return {name: round(value, 2) for name, value in asdict(times).items()}


def differences(stock: ReplayBuffer, ours: ReplayBuffer, preprocessing: Any) -> dict[str, float]:
    """Largest difference of each part of two buffers, images brought to one range and size first."""
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
    parser.add_argument("--repeat", type=int, default=3, help="fills by each side; medians are shown")
    parser.add_argument("--only", choices=("stock", "plugin"), help="time one fill by one side")
    given = parser.parse_args()
    plain = LeRobotDataset("bench/set", given.root, video_backend="pyav")
    keys = given.keys or [
        *plain.meta.camera_keys,
        *(k for k in plain.meta.features if k == "observation.state"),
    ]
    if given.only is not None:
        print(json.dumps(asdict(filled(given.root, keys, given.only == "plugin")[1])))
        return
    runs: dict[bool, list[Times]] = {False: [], True: []}
    for _ in range(given.repeat):
        for with_plugin, times in runs.items():
            times.append(timed(given.root, keys, with_plugin))
    stock, plugin = summary(runs[False]), summary(runs[True])
    stock_buffer, _ = filled(given.root, keys, False)
    plugin_buffer, _ = filled(given.root, keys, True)
    stored = read_learning(given.root)
    preprocessing = None if stored is None else stored.preprocessing
    images = [key for key in keys if stock_buffer.states[key].ndim == 4]
    result = {
        "frames": len(plain),
        "cpus": os.cpu_count(),
        "stock_s": stock,
        "plugin_s": plugin,
        "times_faster": {
            "buffer": round(stock["buffer"] / plugin["buffer"], 1),
            "dataset_and_buffer": round(
                (stock["dataset"] + stock["buffer"]) / (plugin["dataset"] + plugin["buffer"]), 1
            ),
            "cpu": round(stock["cpu"] / plugin["cpu"], 1),
        },
        "largest_difference": differences(stock_buffer, plugin_buffer, preprocessing),
        "highest_pixel": {
            name: max(float(buffer.states[key].max()) for key in images)
            for name, buffer in (("stock", stock_buffer), ("plugin", plugin_buffer))
        },
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
