"""Frames of an episode that are dropped before it is saved: rows, images and labels."""

from __future__ import annotations

import numpy as np
from lerobot.datasets import LeRobotDataset

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.verify.verifier import verify_dataset

SIZE = (48, 64, 3)
FEATURES = {
    "action": {"dtype": "float32", "shape": (1,), "names": ["a"]},
    "observation.images.front": {"dtype": "video", "shape": SIZE, "names": ["height", "width", "channels"]},
    "observation.images.side": {"dtype": "image", "shape": SIZE, "names": ["height", "width", "channels"]},
}


def test_an_episode_of_kept_frames_is_like_one_that_never_had_others(tmp_path):
    root = tmp_path / "arm"
    dataset = GraspDataset.create("lab/arm", 10, FEATURES, root=root, image_writer_threads=1)
    for episode in range(2):
        for frame in range(10):
            dataset.mark_success(frame >= 6)
            image = np.full(SIZE, 20 * frame, np.uint8)
            images = {name: image for name in FEATURES if name != "action"}
            dataset.add_frame({"action": np.array([frame], np.float32), **images, "task": "grasp"})
        if episode == 0:
            dataset.keep_frames(3, 8)
            assert dataset.success == IntervalSet([FrameInterval(3, 5)])
        dataset.save_episode()
    dataset.finalize()
    report = verify_dataset(root)
    assert report.ok, report.problems
    items = LeRobotDataset("lab/arm", root)
    assert len(items) == 15
    for row, frame in enumerate([3, 4, 5, 6, 7, *range(10)]):
        item = items[row]
        assert item["action"].item() == frame
        assert item["next.reward"].item() == (frame >= 6)
        assert item["timestamp"].item() == np.float32((row if row < 5 else row - 5) / 10)
        for name in ("observation.images.front", "observation.images.side"):
            assert abs(255 * item[name].mean().item() - 20 * frame) < 4, (row, name)
