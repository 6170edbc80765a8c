"""Files, settings and machines that are at fault in one way, each with its code."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lerobot_grasp_plugin.core.labels import SuccessRule
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.publish import _account_problems
from lerobot_grasp_plugin.findings.problem import GraspError, Problem
from lerobot_grasp_plugin.frames.config import FramesConfig
from lerobot_grasp_plugin.frames.extract import _cameras, _check
from lerobot_grasp_plugin.learning.classifier import data as classifier_data
from lerobot_grasp_plugin.learning.classifier.cameras import check_cameras, check_shapes
from lerobot_grasp_plugin.learning.classifier.model import RECORD, read_record
from lerobot_grasp_plugin.learning.data.on_disk import readable_again
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.recorded_labels import RecordedLabels
from lerobot_grasp_plugin.learning.data.splits import EpisodeSplits, split_episodes
from lerobot_grasp_plugin.learning.rl.configs import GraspDatasetConfig
from lerobot_grasp_plugin.learning.rl.trainer import SETTINGS, TrainerSettings
from lerobot_grasp_plugin.lerobot_seams.access import _problem
from lerobot_grasp_plugin.lerobot_seams.table import SEAMS
from lerobot_grasp_plugin.merging.derivation.joints import _name_problems
from lerobot_grasp_plugin.merging.recipe import KinematicsOptions, LabelOptions
from lerobot_grasp_plugin.preflight.checks.address import check_address
from lerobot_grasp_plugin.preflight.facts import load_facts
from lerobot_grasp_plugin.recording.checkpoint import checkpoint_path, read
from lerobot_grasp_plugin.recording.records import recording_of
from lerobot_grasp_plugin.sim.results import read_run_config
from lerobot_grasp_plugin.verify.files import _limits


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _nothing_to_train(folder: Path) -> None:
    load_facts(_written(folder / "config.json", "{}"))


def _damaged_checkpoint(folder: Path) -> None:
    _written(checkpoint_path(folder), "{")
    read(folder)


def _damaged_settings(folder: Path) -> None:
    _written(folder / SETTINGS, "[]")
    TrainerSettings().resumed(folder)


def _damaged_record(folder: Path) -> None:
    _written(folder / RECORD, "{")
    read_record(folder)


def _labelled_otherwise(folder: Path) -> None:
    text = '{"format": 1, "index_base": 0, "labels": {"done": "keep"}, "episodes": {}}'
    _written(folder / layout.RECORDING_PATH, text)
    recording_of(folder, {"done": "episode_end"})


def _unreadable(folder: Path) -> None:
    with readable_again("the image", folder, is_changed=True):
        raise OSError("gone")


def _half(folder: Path) -> None:
    features = {layout.REWARD: {"dtype": "int64", "shape": (1,)}}
    RecordedLabels(LabelOptions(success_value=0.5), features)


def _shapes(folder: Path) -> None:
    model: Any = SimpleNamespace(input_features={"camera": SimpleNamespace(shape=(3, 8, 8))})
    check_shapes(model, {"camera": (3, 9, 9)})


def _unsafe(folder: Path) -> None:
    reader: Any = SimpleNamespace(info=SimpleNamespace(camera_keys=["a/b"]), root=folder)
    _cameras(reader, None)


CALLS: dict[str, Callable[[Path], Any]] = {
    "bad-checkpoint": _damaged_checkpoint,
    "bad-config": lambda folder: read_run_config(folder),
    "bad-fractions": lambda folder: split_episodes([0], [True], fractions={"train": 0.5}, seed=0),
    "bad-preprocessing": lambda folder: ImagePreprocessing.from_json([]),
    "bad-record": _damaged_record,
    "bad-settings": _damaged_settings,
    "config-trains-nothing": _nothing_to_train,
    "no-camera": lambda folder: check_cameras([], [], folder),
    "no-sheet": lambda folder: _check(FramesConfig(annotations=folder / "labels.txt")),
    "other-labels": _labelled_otherwise,
    "other-shape": _shapes,
    "resume-config": lambda folder: GraspDatasetConfig().of_checkpoint(),
    "unknown-split": lambda folder: EpisodeSplits(0, {"train": (0,)}).part("test"),
    "unreadable-item": _unreadable,
    "unsafe-name": _unsafe,
    "value-does-not-fit": _half,
}


@pytest.mark.parametrize("code", CALLS)
def test_a_state_at_fault_has_its_code(code: str, tmp_path: Path) -> None:
    with pytest.raises(GraspError) as caught:
        CALLS[code](tmp_path)
    assert [problem.code for problem in caught.value.problems] == [code]


def _joints(folder: Path) -> list[Problem]:
    source: Any = SimpleNamespace(reader=SimpleNamespace(root=folder), title="arm", features={})
    return list(_name_problems(source, "observation.state", KinematicsOptions(), None))


def _large(folder: Path) -> list[Problem]:
    path = folder / "file-000.parquet"
    with path.open("wb") as file:
        file.truncate(3 * 2**20)
    info = SimpleNamespace(chunks_size=1000, raw={"data_files_size_in_mb": 1})
    episodes = SimpleNamespace(numbers={"data/file_index": np.zeros(1, np.int64)})
    view: Any = SimpleNamespace(info=info, data_files=[path], video_files=[], legacy=False, episodes=episodes)
    return list(_limits(view))


def _taken(folder: Path) -> list[Problem]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        return list(check_address("127.0.0.1", other.getsockname()[1]))


FINDINGS: dict[str, Callable[[Path], list[Problem]]] = {
    "large-file": _large,
    "no-joints": _joints,
    "port-in-use": _taken,
    "publish-refused": lambda folder: list(_account_problems({"name": "me"}, "you/arm")),
    "unknown-seam": lambda folder: [_problem(next(iter(SEAMS)), "is another one")],
}


@pytest.mark.parametrize("code", FINDINGS)
def test_a_state_is_found_by_its_code(code: str, tmp_path: Path) -> None:
    assert [problem.code for problem in FINDINGS[code](tmp_path)] == [code]


def test_labels_that_become_other_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"labels": {"alignment": "next"}, "sources": [], "episodes": []}'
    _written(tmp_path / layout.PROVENANCE_PATH, text)
    monkeypatch.setattr(classifier_data, "rule_of_folder", lambda root: SuccessRule("next.success"))
    codes = [problem.code for problem in classifier_data.label_warnings(tmp_path, labelled_here=False)]
    assert codes == ["labels-of-next-frame", "labels-mapped"]
