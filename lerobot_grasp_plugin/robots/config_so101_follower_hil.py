"""The config of ``--robot.type=so101_follower_hil``."""

from dataclasses import dataclass

from lerobot.robots.config import RobotConfig
from lerobot.robots.so_follower.config_so_follower import SOFollowerConfig

from lerobot_grasp_plugin.robots.ee_reset import EeResetConfig


@RobotConfig.register_subclass("so101_follower_hil")
@dataclass
class So101FollowerHilConfig(RobotConfig, SOFollowerConfig):  # type: ignore[misc]
    """LeRobot's SO101 follower, with a reset to a random point in LeRobot's HIL-SERL environment."""

    # Before each episode, move the gripper to a random point of a box (default: off)
    random_ee_reset: EeResetConfig | None = None
