"""Recorded with a GraspDataset or with a LeRobotDataset: the same files, errors and attributes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import DEFAULT_FEATURES
from lerobot.utils.import_utils import get_safe_default_video_backend

from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, write_learning
from tests.support import factories
from tests.support.both_classes import CLASSES, STATE, assert_alike


def test_the_deprecated_write_mode_takes_images_as_they_are_recorded(both, recorded):
    def action(kind: Any, folder: Path) -> Any:
        root = Path(shutil.copytree(recorded("av1"), folder / "set"))
        write_learning(root, LearningSidecar(preprocessing=ImagePreprocessing(resize=(16, 16))))
        with pytest.warns(DeprecationWarning, match="write-mode parameters"):
            dataset = kind("lab/set", root, batch_encoding_size=2, video_backend="pyav")
        labels = {"next.reward": np.array([0.5], np.float32), "next.done": np.array([False])}
        frame = factories.recorded_frame(factories.RECORDINGS["av1"], 0, 0)
        dataset.add_frame({**frame, **labels})
        return [dataset.features, dataset.has_pending_frames()]

    plain, made = both(action)
    assert isinstance(plain, list)
    assert_alike(plain, made)


LABELS: tuple[tuple[str, dict[str, Any], Any, bool], ...] = (
    ("next.done", {"dtype": "float32", "shape": (1,), "names": None}, np.float32(0), True),
    ("next.done", {"dtype": "int64", "shape": (1,), "names": None}, np.int64(0), True),
    ("next.done", {"dtype": "bool", "shape": (2,), "names": ["a", "b"]}, np.array([True, False]), False),
    ("next.done", {"dtype": "string", "shape": (1,), "names": None}, "no", False),
    ("next.reward", {"dtype": "float64", "shape": (1,), "names": None}, np.float64(0.25), True),
    ("next.reward", {"dtype": "int32", "shape": (1,), "names": None}, np.int32(3), True),
    ("next.reward", {"dtype": "bool", "shape": (1,), "names": None}, np.bool_(True), True),
    ("next.reward", {"dtype": "float32", "shape": (3,), "names": None}, np.ones(3, np.float32), False),
    ("next.reward", {"dtype": "string", "shape": (1,), "names": None}, "good", False),
    ("next.success", {"dtype": "float32", "shape": (1,), "names": None}, np.float32(1), True),
)


@pytest.mark.parametrize(("name", "feature", "value", "filled"), LABELS)
def test_labels_declared_otherwise_hold_what_the_caller_gives(both, name, feature, value, filled):
    """Every frame brings its value, and the file has it; a column of one number is filled without it."""

    def recorded_with(kind: Any, root: Path, given: bool) -> list[Any]:
        dataset = kind.create("lab/new", 10, {**STATE, name: feature}, root / "new", use_videos=False)
        own = value if isinstance(value, str) else np.asarray(value).reshape(feature["shape"])
        for number in range(3):
            frame = {"observation.state": np.full(2, number, np.float32), "task": "pick"}
            dataset.add_frame({**frame, **({name: own} if given else {})})
        dataset.save_episode()
        dataset.finalize()
        again = LeRobotDataset("lab/new", root / "new")
        assert again.features[name]["dtype"] == feature["dtype"]
        return [again[index][name] for index in range(3)]

    plain, made = both(lambda kind, folder: recorded_with(kind, folder, given=True))
    assert isinstance(plain, list)
    assert_alike(plain, made)


@pytest.mark.parametrize(("name", "feature", "value", "filled"), LABELS)
def test_labels_declared_otherwise_are_filled_where_they_can_be(tmp_path, name, feature, value, filled):
    dataset = GraspDataset.create("lab/new", 10, {**STATE, name: feature}, tmp_path / "new", use_videos=False)
    for number in range(3):
        dataset.mark_success(number == 1)
        frame = {"observation.state": np.full(2, number, np.float32), "task": "pick"}
        if not filled:
            with pytest.raises(ValueError, match=name):  # LeRobot's, as for every column
                dataset.add_frame(frame)
            return
        dataset.add_frame(frame)
    dataset.save_episode()
    dataset.finalize()
    again = LeRobotDataset("lab/new", tmp_path / "new")
    expected = [0.0, 0.0, 1.0] if name == "next.done" else [0.0, 1.0, 0.0]
    assert [float(again[index][name]) for index in range(3)] == expected
    assert again.features[name]["dtype"] == feature["dtype"]


@pytest.mark.parametrize("value", [None, 0.5, "good", np.float32(1), np.zeros(0, np.float32), [1.0]])
def test_a_label_that_lerobot_refuses_is_refused_by_lerobot(both, value):
    feature = {"dtype": "float32", "shape": (1,), "names": None}

    def action(kind: Any, folder: Path) -> None:
        dataset = kind.create("lab/new", 10, {**STATE, "next.reward": feature}, folder / "new")
        dataset.add_frame(
            {"observation.state": np.zeros(2, np.float32), "task": "pick", "next.reward": value}
        )

    plain, made = both(action)
    assert isinstance(plain, Exception)
    assert_alike(plain, made)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_code_that_gives_a_float_to_every_feature_records(both, value, convert):
    """Label columns that ``create`` added are among the features, and the caller does not know them."""

    def action(kind: Any, folder: Path) -> list[Any]:
        dataset = kind.create("lab/new", 10, STATE, folder / "new", use_videos=False)
        own = [key for key in dataset.features if key not in DEFAULT_FEATURES]
        for _ in range(3):
            frame = {key: convert(np.full(dataset.features[key]["shape"], value, np.float32)) for key in own}
            dataset.add_frame({**frame, "task": "pick"})
        dataset.save_episode()
        dataset.finalize()
        again = LeRobotDataset("lab/new", folder / "new")
        for key in set(own) - set(STATE):
            assert [float(again[index][key]) for index in range(3)] == [value] * 3
        return [again[index]["observation.state"] for index in range(3)]

    plain, made = both(action)
    assert isinstance(plain, list)
    assert_alike(plain, made)


def test_every_way_to_make_a_dataset_gives_it_the_same_attributes(tmp_path, recorded):
    for number, kind in enumerate(CLASSES):
        created = kind.create("lab/new", 10, STATE, tmp_path / f"new-{number}")
        read = kind("lab/set", recorded("av1"))
        assert set(vars(created)) == set(vars(read))
        again = kind("lab/set", recorded("av1"))
        assert [again[0]["index"], again[1]["index"]] == [0, 1]
        assert set(vars(again)) == set(vars(read))


def test_a_reward_that_the_declared_dtype_would_round_is_refused(tmp_path):
    feature = {"dtype": "int64", "shape": (1,), "names": None}
    with pytest.raises(UsageError, match=r"failure_value -0\.5 cannot be stored in next\.reward") as raised:
        GraspDataset.create(
            "lab/new", 10, {**STATE, "next.reward": feature}, tmp_path / "new", failure_value=-0.5
        )
    assert len(raised.value.problems) == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("labels", [True, False])
def test_resumed_without_a_sidecar(both, recorded, labels):
    def action(kind: Any, folder: Path) -> Any:
        name = "av1" if labels else "unlabelled"
        root = Path(shutil.copytree(recorded(name), folder / "set"))
        dataset = kind.resume("lab/set", root)
        own = {"next.reward": np.array([0.5], np.float32), "next.done": np.array([False])} if labels else {}
        for number in range(3):
            frame = factories.recorded_frame(factories.RECORDINGS[name], 0, number)
            dataset.add_frame({**frame, **own})
        pending = dataset.has_pending_frames()
        dataset.save_episode()
        dataset.finalize()
        again = LeRobotDataset("lab/set", root, video_backend=get_safe_default_video_backend())
        return [pending, len(again), [again[index] for index in (-3, -2, -1)], again.meta.stats]

    plain, made = both(action)
    assert isinstance(plain, list)
    assert_alike(plain, made)


@pytest.mark.parametrize("call", ["add_frame", "save_episode", "clear_episode_buffer"])
def test_a_dataset_that_is_read_cannot_be_written(both, recorded, call):
    def action(kind: Any, folder: Path) -> Any:
        dataset = kind("lab/set", recorded("av1"), video_backend="pyav")
        return getattr(dataset, call)(*([{}] if call == "add_frame" else []))

    plain, made = both(action)
    assert isinstance(plain, RuntimeError)
    assert_alike(plain, made)
