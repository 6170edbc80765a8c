"""The config of ``--robot.type=so101_sim``."""

from dataclasses import dataclass, field
from pathlib import Path

from lerobot.robots.config import RobotConfig

from lerobot_grasp_plugin.robots.ee_reset import EeResetConfig


@dataclass
class SimCameraConfig:
    """One image of the scene: 8-bit RGB, ``height`` x ``width`` x 3."""

    # `wrist` or `front` (default: by the name of the camera)
    view: str | None = None
    width: int = 320
    height: int = 240
    # vertical field of view, degrees (default: the model's, 48.5 for wrist, 52 for front)
    fovy: float | None = None
    # as in every camera config; an image is rendered for each observation
    fps: int = 30


@dataclass
class CubeConfig:
    """The cube's start position, drawn uniformly from each range, as [lowest, highest]."""

    # distance from the arm's base, metres
    radius: list[float] = field(default_factory=lambda: [0.18, 0.25])
    # direction from the arm's base, radians; 0 is straight ahead
    azimuth: list[float] = field(default_factory=lambda: [-0.5, 0.5])
    # turn against that direction, radians
    yaw: list[float] = field(default_factory=lambda: [-0.3, 0.3])


@RobotConfig.register_subclass("so101_sim")
@dataclass
class So101SimConfig(RobotConfig):  # type: ignore[misc]
    """An SO101 follower in MuJoCo, with a cube on the table.

    Each action moves the simulated time on by ``1 / fps`` s, however long that took: the same actions
    give the same episode on every machine.
    """

    # Frames per simulated second: the same number as --dataset.fps
    fps: int = 30
    # Body joints in degrees, or -100..100 of their range; the gripper is 0..100 either way
    use_degrees: bool = True
    # As in SO101Follower: maximum distance of a joint's goal from its position
    max_relative_target: float | dict[str, float] | None = None
    # By name, e.g. '{wrist: {width: 640, height: 480}, side: {view: front}}'
    cameras: dict[str, SimCameraConfig] = field(default_factory=lambda: {"wrist": SimCameraConfig()})
    # Seed of the cube positions
    seed: int = 0
    # Ranges of the cube position
    cube: CubeConfig = field(default_factory=CubeConfig)
    # Run in real time, as a real arm does: for a person at the keys or at a leader.
    # Otherwise recorders and HIL-SERL's environment run as fast as the machine allows
    realtime: bool = False
    # In LeRobot's environment, before each episode, move the gripper to a random point of a box
    random_ee_reset: EeResetConfig | None = None
    # Folder for the truth of each saved episode (default: <dataset root>_sim_truth)
    truth_dir: Path | None = None
