"""Reads all facts for preflight, once and tolerantly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.lerobot_seams.recorded_environment import STATE_PARTS
from lerobot_grasp_plugin.preflight.classifier_facts import ClassifierFacts, classifier_facts
from lerobot_grasp_plugin.preflight.config_view import ConfigView, is_image, read_config, shape_of
from lerobot_grasp_plugin.preflight.dataset_facts import (
    DatasetFacts,
    is_of_plugin,
    is_reward_training,
    load_datasets,
)
from lerobot_grasp_plugin.preflight.image_shapes import Preprocessing, preprocessing_of

IMAGE_PREPROCESSING = "env.processor.image_preprocessing"

TWO_SPACES = ("so101_script", "so101_leader_hil")
"""Teleoperators with an ``action_space``, ``joints`` by default."""

OWN_TYPES = (*TWO_SPACES, "so101_sim", "so101_follower_hil")
"""Robots and teleoperators of this package: a config that names one loads the package."""

_DELTA_TELEOPS = ("gamepad", "keyboard_ee")
_JOINT_TELEOPS = (
    "so100_leader",
    "so101_leader",
    "so101_leader_hil",
    "so101_script",
    "koch_leader",
    "omx_leader",
)
STATE = "observation.state"
STEPS = "env.processor.inverse_kinematics.end_effector_step_sizes"
SO_ARMS = ("so100_follower", "so101_follower", "so101_follower_hil", "so101_sim")
SO_JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
SO_MOTORS = len(SO_JOINTS)
DELTAS = ("delta_x", "delta_y", "delta_z", "gripper")
"""Dimensions of an end-effector action, as LeRobot's teleoperators name them."""


@dataclass(frozen=True)
class Facts:
    """The facts that the checks compare.

    Attributes:
        config: The config.
        datasets: Its datasets that can be read.
        classifier: The reward classifier; None without one.
        plugin_learner: Whether lerobot-grasp-learner will run it, which builds its dataset and works
            around faults of LeRobot's learner.
        unreadable: Findings from opening them.
    """

    config: ConfigView
    datasets: Sequence[DatasetFacts]
    classifier: ClassifierFacts | None
    plugin_learner: bool = False
    unreadable: Sequence[Problem] = ()

    @property
    def model(self) -> str:
        """The block of the trained model: ``policy`` or ``reward_model``."""
        return "reward_model" if is_reward_training(self.config) else "policy"

    @property
    def inputs(self) -> Mapping[str, Any]:
        """``input_features`` of the trained model."""
        return self.config.mapping(f"{self.model}.input_features")

    @property
    def cameras(self) -> Mapping[str, Any]:
        """The images among them, camera_key -> feature."""
        return {key: feature for key, feature in self.inputs.items() if is_image(key, feature)}

    @property
    def states(self) -> Mapping[str, Any]:
        """The other inputs."""
        return {key: feature for key, feature in self.inputs.items() if not is_image(key, feature)}

    @cached_property
    def environment(self) -> Preprocessing | None:
        """Crop and resize of the environment; None if it has neither."""
        return preprocessing_of(self.config.get(IMAGE_PREPROCESSING))

    @property
    def frames(self) -> int:
        """Rows of all datasets."""
        return sum(dataset.frames for dataset in self.datasets)

    @property
    def discrete(self) -> int | None:
        """``policy.num_discrete_actions``."""
        value = self.config.get("policy.num_discrete_actions")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def use_gripper(self) -> bool:
        """Whether an action has a gripper command, by the rule of ``gym_manipulator``."""
        return bool(self.config.mapping("env.processor.gripper")) and self.config.flag(
            "env.processor.gripper.use_gripper", True
        )

    @property
    def end_effector(self) -> bool:
        """Whether actions move the end effector (through inverse kinematics), not the joints."""
        return self.config.get("env.processor.inverse_kinematics") is not None

    @property
    def teleop_gives(self) -> str | None:
        """``deltas`` or ``joints``, by the teleoperator and its action space; None if unknown."""
        kind = self.config.text("env.teleop.type")
        if kind in TWO_SPACES and self.config.text("env.teleop.action_space") == "ee_delta":
            return "deltas"
        if kind in _DELTA_TELEOPS:
            return "deltas"
        return "joints" if kind in _JOINT_TELEOPS else None

    @property
    def continuous_width(self) -> int | None:
        """Continuous dimensions of the policy's action: LeRobot uses those of the environment."""
        for features in ("env.features", "policy.output_features"):
            shape = shape_of(self.config.mapping(features).get("action"))
            if shape is not None:
                return shape[0]
        return None

    @property
    def action_width(self) -> int | None:
        """Dimensions of an executed action: the continuous ones, and one for the discrete gripper."""
        width = self.continuous_width
        return None if width is None else width + (self.discrete is not None)


def state_parts(facts: Facts) -> list[str]:
    """The parts of the environment's ``observation.state``, in order; six values each for an SO101."""
    chosen = [
        part
        for part, option in STATE_PARTS.items()
        if facts.config.flag(f"env.processor.observation.{option}", False)
        and (facts.end_effector or part != "end-effector pose")
    ]
    return ["joint positions", *chosen]


def load_facts(
    config_path: Path, *, dataset_root: str | Path | None = None, plugin_learner: bool = False
) -> Facts:
    """Opens the config and everything it names.

    Args:
        config_path: The config.
        dataset_root: The dataset's folder, in place of the config's.
        plugin_learner: Whether lerobot-grasp-learner will run it. It must if the config has options
            of the plugin.

    Raises:
        UsageError: The config cannot be read, or trains nothing. Other unreadable files are findings.
    """
    config = read_config(config_path)
    if dataset_root is not None:
        config = config.with_dataset_root(dataset_root)
    if not config.has("policy") and not config.has("reward_model"):
        message = "the config trains nothing: it has neither a policy nor a reward_model"
        hint = (
            "a config with a mode is for lerobot.rl.gym_manipulator, which records"
            if config.has("mode")
            else ""
        )
        raise UsageError(Problem("config-trains-nothing", message, config_path, hint))
    built = plugin_learner or is_of_plugin(config)
    datasets, findings = load_datasets(config, built)
    classifier, more = classifier_facts(config)
    return Facts(config, datasets, classifier, built, [*findings, *more])
