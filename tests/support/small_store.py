"""A recording store without cameras, and episodes for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from lerobot.configs.dataset import DatasetRecordConfig

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.recording.options import GraspOptions
from lerobot_grasp_plugin.recording.store import RecordingStore

FEATURES = {
    name: {"dtype": "float32", "shape": (1,), "names": ["gripper.pos"]}
    for name in ("observation.state", "action")
}
SUCCESS = IntervalSet([FrameInterval(2, 4)])


def opened(
    root: Path, said: list[str] | None = None, *, resume: bool = False, **grasp: Any
) -> RecordingStore:
    dataset = DatasetRecordConfig("lab/arm", "grasp", root, fps=10, no_stamp=True, video=False)
    config: Any = SimpleNamespace(dataset=dataset, grasp=GraspOptions(**grasp), resume=resume)
    robot = SimpleNamespace(name="arm", robot_type="arm", cameras={})
    return RecordingStore(config, robot, FEATURES, (said if said is not None else []).append)


def add(store: RecordingStore, length: int = 4, first: int = 0) -> None:
    for number in range(first, first + length):
        value = np.array([number], np.float32)
        store.dataset.add_frame({"observation.state": value, "action": value, "task": "grasp"})


def save(store: RecordingStore, length: int = 4, first: int = 0) -> int:
    store.edits.claim()
    add(store, length, first)
    return store.save(SUCCESS, {"length": length, "success": [[2, 4]], "recorded_at": first})
