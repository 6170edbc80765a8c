"""The config that ``--robot.type=so101_follower_hil`` stands for."""

from dataclasses import dataclass

from lerobot.robots.config import RobotConfig
from lerobot.robots.so_follower.config_so_follower import SOFollowerConfig

from lerobot_grasp_plugin.robots.ee_reset import EeResetConfig


@RobotConfig.register_subclass("so101_follower_hil")
@dataclass
class So101FollowerHilConfig(RobotConfig, SOFollowerConfig):  # type: ignore[misc]
    """LeRobot's SO101 follower; in its environment for reinforcement learning it can be sent to a point."""

    # Before each episode the gripper goes to a point drawn from a box; left out, it does not
    random_ee_reset: EeResetConfig | None = None
