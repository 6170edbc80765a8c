"""The hooks that come with the package; importing this makes them known by name."""

from lerobot_grasp_plugin.recording.gripper_hook import GripperEventsConfig

__all__ = ["GripperEventsConfig"]
