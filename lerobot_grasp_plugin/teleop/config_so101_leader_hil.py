"""The config of ``--teleop.type=so101_leader_hil``."""

from dataclasses import dataclass

from lerobot.teleoperators.config import TeleoperatorConfig
from lerobot.teleoperators.so_leader.config_so_leader import SOLeaderConfig


@TeleoperatorConfig.register_subclass("so101_leader_hil")
@dataclass
class So101LeaderHilConfig(TeleoperatorConfig, SOLeaderConfig):  # type: ignore[misc]
    """An SO101 leader with keys for the episode's outcome."""

    # joints: the leader's joints; ee_delta: HIL-SERL's steps along x, y and z and a gripper command
    action_space: str = "joints"
    # Whether the leader moves the follower from the start; while recording it must
    intervene: bool = True
    # Key that ends the episode as success, as LeRobot names keys: a character, or right, left, up, down, esc,
    # enter, tab, space, backspace
    success_key: str = "s"
    # Key that ends the episode as failure
    failure_key: str = "f"
    # Key that ends the episode to record it again
    rerecord_key: str = "left"
    # Key that gives control of the follower to the leader and back
    intervene_key: str = "space"
