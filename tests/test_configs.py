"""Every file in ``configs/`` is read by the class that reads it when a user names it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import draccus
import pytest
import yaml
from lerobot.configs.train import TrainPipelineConfig
from lerobot.rl.gym_manipulator import GymManipulatorConfig
from lerobot.rl.train_rl import TrainRLServerPipelineConfig

from lerobot_grasp_plugin import (
    MergeConfig,
    plugin,  # noqa: F401  # registers robots and teleoperators
)
from lerobot_grasp_plugin.commands.run import parse_call
from lerobot_grasp_plugin.learning.classifier.configs import ClassifierTrainConfig
from lerobot_grasp_plugin.learning.rl.configs import GraspTrainRLConfig
from lerobot_grasp_plugin.merging.recipe import RelabelConfig
from tests.support.project import CONFIGS

HILSERL = CONFIGS / "grasp_only_hilserl_train_config.json"
CAMERA = "observation.images.gripper_cam"


def by_lerobot(config_class: type) -> Callable[[Path], Any]:
    return lambda path: draccus.parse(config_class, path, args=[])


def by_command(config_class: type) -> Callable[[Path], Any]:
    return lambda path: parse_call(config_class, [f"--config_path={path}"], program="test")


def as_dataset_block(path: Path) -> Any:
    flags = [f"--config_path={HILSERL}", "--dataset", f"include {path}"]
    return parse_call(GraspTrainRLConfig, flags, program="test")


READERS: dict[str, list[Callable[[Path], Any]]] = {
    "grasp_only_hilserl_dataset.yaml": [as_dataset_block],
    "grasp_only_hilserl_train_config.json": [
        by_lerobot(TrainRLServerPipelineConfig),
        by_command(GraspTrainRLConfig),
    ],
    "grasp_only_offline.yaml": [by_command(MergeConfig)],
    "grasp_only_record.json": [by_lerobot(GymManipulatorConfig)],
    "grasp_only_reward.yaml": [by_command(MergeConfig)],
    "relabel.yaml": [by_command(RelabelConfig)],
    "reward_classifier_train_config.json": [
        by_lerobot(TrainPipelineConfig),
        by_command(ClassifierTrainConfig),
    ],
    "sim/attempts.json": [by_lerobot(GymManipulatorConfig)],
    "sim/classifier.json": [by_command(ClassifierTrainConfig)],
    "sim/hilserl.json": [by_command(GraspTrainRLConfig)],
    "sim/hilserl_state.json": [by_command(GraspTrainRLConfig)],
    "sim/record.json": [by_lerobot(GymManipulatorConfig)],
    "so101/classifier.json": [by_command(ClassifierTrainConfig)],
    "so101/hilserl.json": [by_command(GraspTrainRLConfig)],
    "so101/record.json": [by_lerobot(GymManipulatorConfig)],
}


FILES = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", FILES)
def test_its_readers_take_it(name):
    assert name in READERS, f"say in READERS which class reads configs/{name}"
    content = yaml.safe_load((CONFIGS / name).read_text())
    for reader in READERS[name]:
        config = reader(CONFIGS / name)
        block = config.dataset if reader is as_dataset_block else config
        assert content.keys() <= {field.name for field in fields(block)}


def test_every_reader_has_its_file():
    assert sorted(READERS) == FILES


def test_the_recipes_name_the_episodes_of_the_demo():
    offline = by_command(MergeConfig)(CONFIGS / "grasp_only_offline.yaml")
    block = as_dataset_block(CONFIGS / "grasp_only_hilserl_dataset.yaml").dataset
    assert [source.episodes for source in offline.sources] == ["0-14", [2, 7, 8]]
    assert block.source_configs() == list(offline.sources)
    assert (block.annotations, block.repo_id) == (offline.annotations, offline.new_repo_id)


def test_the_relabel_example_shows_the_defaults():
    shown = by_command(RelabelConfig)(CONFIGS / "relabel.yaml")
    written = yaml.safe_load((CONFIGS / "relabel.yaml").read_text())
    needed = {"repo_id", "annotations", "new_repo_id"}
    plain = RelabelConfig(**{name: getattr(shown, name) for name in needed})
    for name in written.keys() - needed - {"alignment"}:
        assert getattr(shown, name) == getattr(plain, name), name


def test_recording_classifier_and_learner_see_the_same_image():
    record, classifier, learner = (
        json.loads((CONFIGS / name).read_text())
        for name in (
            "grasp_only_record.json",
            "reward_classifier_train_config.json",
            "grasp_only_hilserl_train_config.json",
        )
    )
    for name in ("fps", "robot", "teleop"):
        assert record["env"][name] == learner["env"][name]
    processor = dict(learner["env"]["processor"])
    del processor["reward_classifier"]
    assert record["env"]["processor"] == processor
    height, width = processor["image_preprocessing"]["resize_size"]
    for shown in (
        classifier["reward_model"]["input_features"],
        learner["policy"]["input_features"],
        learner["env"]["features"],
    ):
        assert shown[CAMERA]["shape"] == [3, height, width]
    assert classifier["dataset"]["repo_id"] == _new_repo_id("grasp_only_reward.yaml")
    assert learner["dataset"]["repo_id"] == _new_repo_id("grasp_only_offline.yaml")


def _new_repo_id(name: str) -> str:
    return yaml.safe_load((CONFIGS / name).read_text())["new_repo_id"]


REAL_ARM = re.compile(
    r"env\.(robot|teleop)\b|env\.processor\.(image_preprocessing|reset|reward_classifier)\b|.*\.shape\b"
    r"|output_dir|job_name|annotations|dataset\.(repo_id|root)"
)
"""What a config of the real arm may say otherwise than the one of the simulation."""


def settings(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= settings(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


@pytest.mark.parametrize("name", ["classifier.json", "hilserl.json", "record.json"])
def test_a_real_arms_config_is_the_simulations_with_another_arm(name):
    simulated, real = (settings(json.loads((CONFIGS / kind / name).read_text())) for kind in ("sim", "so101"))
    different = {key for key in {*simulated, *real} if simulated.get(key) != real.get(key)}
    assert [key for key in sorted(different) if not REAL_ARM.match(key)] == []
