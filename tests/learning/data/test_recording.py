"""Labels carried while recording, judged by what LeRobot reads afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from lerobot.datasets import LeRobotDataset

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, read_learning
from lerobot_grasp_plugin.verify.verifier import verify_dataset
from tests.support import factories

RECORDING = factories.Recording((6, 5, 4), labels=False, cameras=(), images=("observation.images.eye",))


def create(root: Path, **options) -> GraspDataset:
    features = factories.features_of(RECORDING)
    return GraspDataset.create("lab/new", factories.FPS, features, root, use_videos=False, **options)


def frame(episode: int, number: int, **labels) -> dict:
    values = factories.recorded_frame(RECORDING, episode, number)
    return values | {f"next.{name}": np.array([value]) for name, value in labels.items()}


def add(dataset: GraspDataset, episode: int, length: int, marked: range = range(0)) -> None:
    for number in range(length):
        dataset.mark_success(number in marked)
        dataset.add_frame(frame(episode, number))


def columns(root: Path) -> dict[str, list]:
    dataset = LeRobotDataset("lab/new", root)
    names = [name for name in dataset.features if name.startswith("next.")]
    rows = [dataset[index] for index in range(len(dataset))]
    return {name: [row[name].item() for row in rows] for name in names}


def test_marked_corrected_cleared_resumed(tmp_path):
    root = tmp_path / "new"
    prepare = ImagePreprocessing(resize=(32, 32))
    dataset = create(root, next_success=True, preprocessing=prepare)
    assert isinstance(dataset, GraspDataset)
    add(dataset, 0, 6, marked=range(3, 5))
    assert dataset.success == IntervalSet([FrameInterval(3, 5)])
    dataset.save_episode()
    assert not dataset.success
    add(dataset, 1, 3, marked=range(3))
    dataset.clear_episode_buffer()
    add(dataset, 1, 5, marked=range(4, 5))
    dataset.correct_success(IntervalSet([FrameInterval(1, 3), FrameInterval(4, None)]).clip(5))
    dataset.save_episode()
    dataset.finalize()
    resumed = GraspDataset.resume("lab/new", root)
    add(resumed, 2, 4)
    resumed.save_episode()
    resumed.finalize()
    success = [*(0, 0, 0, 1, 1, 0), *(0, 1, 1, 0, 1), *(0, 0, 0, 0)]
    done = [*(0, 0, 0, 0, 0, 1), *(0, 0, 0, 0, 1), *(0, 0, 0, 1)]
    assert columns(root) == {
        "next.reward": [float(flag) for flag in success],
        "next.done": [bool(flag) for flag in done],
        "next.success": [bool(flag) for flag in success],
    }
    assert read_learning(root) == LearningSidecar(preprocessing=prepare)
    assert verify_dataset(root).ok
    assert tuple(GraspDataset("lab/new", root)[0]["observation.images.eye"].shape) == (3, 32, 32)
    assert resumed[7]["next.reward"] == 1.0


def test_labels_of_the_caller_are_kept(tmp_path):
    dataset = create(tmp_path / "new")
    rewards = np.array([0.0, 0.25, 1.0, 1.0, 0.5, 0.0], np.float32)
    for number, reward in enumerate(rewards):
        given = {"reward": reward, "done": number == 2} if number != 3 else {}
        dataset.mark_success(number == 3)
        dataset.add_frame(frame(0, number, **given))
    dataset.save_episode()
    dataset.finalize()
    assert columns(tmp_path / "new") == {
        "next.reward": rewards.tolist(),
        "next.done": [False, False, True, False, False, True],
    }


def test_alignment_done_and_values(tmp_path):
    options = {"alignment": "next", "done": "first_success", "success_value": 5.0, "failure_value": -1.0}
    dataset = create(tmp_path / "new", **options)
    add(dataset, 0, 6, marked=range(3, 5))
    dataset.save_episode()
    dataset.finalize()
    assert columns(tmp_path / "new") == {
        "next.reward": [-1.0, -1.0, 5.0, 5.0, -1.0, -1.0],
        "next.done": [False, False, True, False, False, True],
    }


def test_rows_are_those_of_lerobots_writer(tmp_path):
    dataset = create(tmp_path / "new")
    add(dataset, 0, 6)
    dataset.save_episode()
    dataset.finalize()
    factories.record(tmp_path / "plain", factories.Recording((6,), cameras=(), images=RECORDING.images))
    made, plain = LeRobotDataset("lab/new", tmp_path / "new"), LeRobotDataset("lab/p", tmp_path / "plain")
    for index in range(6):
        one, other = made[index], plain[index]
        assert set(one) == set(other)
        for name, value in other.items():
            assert torch.equal(one[name], value) if torch.is_tensor(value) else one[name] == value


def test_misuse_is_named(tmp_path, recorded):
    with pytest.raises(UsageError, match=r"no next\.done to keep"):
        create(tmp_path / "new", done="keep")
    assert not (tmp_path / "new").exists()
    dataset = create(tmp_path / "new")
    add(dataset, 0, 4)
    with pytest.raises(UsageError, match="4 frames recorded"):
        dataset.correct_success(IntervalSet([FrameInterval(2, 5)]))
    dataset.clear_episode_buffer()
    dataset.finalize()
    reading = GraspDataset("lab/set", recorded("unlabelled"), video_backend="pyav")
    with pytest.raises(UsageError, match=r"GraspDataset\.create"):
        reading.mark_success(True)
    with pytest.raises(RuntimeError, match="read-only"):
        reading.add_frame({})
    resumed = GraspDataset.resume("lab/set", tmp_path / "new")
    resumed.finalize()


def test_a_dataset_without_label_columns_cannot_be_marked(copied):
    dataset = GraspDataset.resume("lab/set", copied("unlabelled"))
    with pytest.raises(UsageError, match="no label column"):
        dataset.mark_success(True)
    dataset.finalize()
