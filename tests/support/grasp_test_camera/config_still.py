from dataclasses import dataclass

from lerobot.cameras import CameraConfig


@CameraConfig.register_subclass("grasp_test")
@dataclass
class StillConfig(CameraConfig):
    pass
