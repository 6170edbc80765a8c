"""Registers the labeler types that come with the package, by name."""

from lerobot_grasp_plugin.labelers.column import ColumnLabelerConfig
from lerobot_grasp_plugin.labelers.file import FileLabelerConfig
from lerobot_grasp_plugin.labelers.gripper import GripperLabelerConfig
from lerobot_grasp_plugin.labelers.progress import ProgressLabelerConfig
from lerobot_grasp_plugin.labelers.vlm import VlmLabelerConfig
from lerobot_grasp_plugin.learning.classifier.labeler import ClassifierLabelerConfig

__all__ = [
    "ClassifierLabelerConfig",
    "ColumnLabelerConfig",
    "FileLabelerConfig",
    "GripperLabelerConfig",
    "ProgressLabelerConfig",
    "VlmLabelerConfig",
]
