"""The seam, in this process and in LeRobot's own commands."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lerobot.datasets.factory as factory
import pytest
import torch
from lerobot.configs.parser import PluginLoadError, load_plugin
from lerobot.datasets import LeRobotDataset

from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, write_learning
from lerobot_grasp_plugin.learning.registration import install_dataset
from lerobot_grasp_plugin.lerobot_seams.access import SeamError
from tests.support import preloaded

WRIST = "observation.images.wrist"
SQUARE = ImagePreprocessing({WRIST: (0, 16, 64, 64)}, (112, 112))
DISCOVER = "--dataset.discover_packages_path=lerobot_grasp_plugin"


@pytest.fixture
def seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """LeRobot's factory as it was, now and after the test."""
    monkeypatch.setattr(factory, "LeRobotDataset", LeRobotDataset)


@pytest.fixture
def carrying(copied: Callable[[str], Path]) -> Path:
    """A dataset with a sidecar."""
    root = copied("av1")
    write_learning(root, LearningSidecar(preprocessing=SQUARE))
    return root


def made_by_factory(root: Path) -> Any:
    from lerobot.configs.default import DatasetConfig

    indices = SimpleNamespace(
        reward_delta_indices=None, action_delta_indices=None, observation_delta_indices=None
    )
    dataset = DatasetConfig("lab/set", root=str(root), video_backend="pyav", use_imagenet_stats=False)
    return factory.make_dataset(SimpleNamespace(dataset=dataset, trainable_config=indices, tolerance_s=1e-4))


def test_the_factory_builds_what_is_due(seam, recorded, carrying):
    plain = made_by_factory(recorded("av1"))
    install_dataset()
    first = factory.LeRobotDataset
    install_dataset()
    assert factory.LeRobotDataset is first
    again = made_by_factory(recorded("av1"))
    assert type(again) is LeRobotDataset
    assert torch.equal(again[3][WRIST], plain[3][WRIST])
    assert again[3][WRIST].dtype == torch.uint8
    made = made_by_factory(carrying)
    assert type(made) is GraspDataset
    assert torch.equal(made[3][WRIST], SQUARE(WRIST, plain[3][WRIST]))


def test_without_a_preprocessing_images_are_floats_between_0_and_1(seam, copied):
    root = copied("av1")
    write_learning(root, LearningSidecar())
    install_dataset()
    image = made_by_factory(root)[0][WRIST]
    assert torch.equal(image, LeRobotDataset("lab/set", root, video_backend="pyav")[0][WRIST])


def test_the_name_still_stands_for_lerobots_class(seam, recorded):
    install_dataset()
    name: Any = factory.LeRobotDataset
    plain = LeRobotDataset("lab/set", recorded("av1"), video_backend="pyav")
    assert isinstance(plain, name)
    assert issubclass(GraspDataset, name)
    assert not isinstance(3, name)
    assert name.__name__ == "LeRobotDataset"
    assert name.create == LeRobotDataset.create
    import lerobot.datasets

    assert lerobot.datasets.LeRobotDataset is LeRobotDataset


@pytest.mark.parametrize("version", ["0.5.1", "0.7.0", "1.0"])
def test_an_unknown_version_is_an_error_that_the_host_command_names(seam, monkeypatch, version):
    monkeypatch.setattr("lerobot_grasp_plugin.lerobot_seams.version.version", lambda _: version)
    monkeypatch.delitem(sys.modules, "lerobot_grasp_plugin.plugin", raising=False)
    with pytest.raises(SeamError, match=f"lerobot {version} is installed"):
        install_dataset()
    with pytest.raises(PluginLoadError, match=f"lerobot {version} is installed"):
        load_plugin("lerobot_grasp_plugin")
    assert factory.LeRobotDataset is LeRobotDataset


def test_a_changed_factory_is_an_error(monkeypatch):
    monkeypatch.setattr(factory, "LeRobotDataset", dict)
    with pytest.raises(SeamError, match="class 'dict'"):
        install_dataset()
    monkeypatch.delattr(factory, "LeRobotDataset")
    with pytest.raises(SeamError, match=r"has no lerobot\.datasets\.factory\.LeRobotDataset"):
        install_dataset()


# -- LeRobot's own command ----------------------------------------------------------------------------


def tiny_resnet(folder: Path) -> Path:
    from transformers import ResNetConfig, ResNetModel

    torch.manual_seed(0)
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1])
    ResNetModel(config).save_pretrained(folder)
    return folder


@pytest.mark.in_turn
def test_lerobot_train_reads_the_stored_preprocessing(carrying, tmp_path):
    # the classifier's spatial map is hard-coded to 4 x 4, so the 64 x 96 images as recorded would fail
    config = {
        "dataset": {
            "repo_id": "lab/set",
            "root": str(carrying),
            "video_backend": "pyav",
            "use_imagenet_stats": False,
        },
        "reward_model": {
            "type": "reward_classifier",
            "model_name": str(tiny_resnet(tmp_path / "resnet")),
            "model_type": "cnn",
            "num_cameras": 1,
            "hidden_dim": 8,
            "latent_dim": 8,
            "device": "cpu",
            "push_to_hub": False,
            "input_features": {WRIST: {"type": "VISUAL", "shape": [3, 112, 112]}},
            "output_features": {"next.reward": {"type": "REWARD", "shape": [1]}},
        },
        "output_dir": str(tmp_path / "out"),
        "batch_size": 4,
        "num_workers": 0,
        "persistent_workers": False,
        "steps": 3,
        "log_freq": 1,
        "save_freq": 3,
        "env_eval_freq": 0,
    }
    path = tmp_path / "train.json"
    path.write_text(json.dumps(config))
    call = [sys.executable, "-m", "lerobot.scripts.lerobot_train", f"--config_path={path}", DISCOVER]
    code, printed = preloaded.run(call, os.environ)
    assert code == 0, printed[-6000:]
    assert (tmp_path / "out/checkpoints/last/pretrained_model/model.safetensors").is_file()
