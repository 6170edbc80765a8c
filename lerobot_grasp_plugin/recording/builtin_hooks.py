"""Registers the hooks that come with the package, by name."""

from lerobot_grasp_plugin.recording.classifier_hook import RewardClassifierConfig
from lerobot_grasp_plugin.recording.gripper_hook import GripperEventsConfig
from lerobot_grasp_plugin.recording.random_ee_reset import RandomEeResetConfig

__all__ = ["GripperEventsConfig", "RandomEeResetConfig", "RewardClassifierConfig"]
