"""The config that ``--robot.type=so101_sim`` stands for."""

from dataclasses import dataclass, field
from pathlib import Path

from lerobot.robots.config import RobotConfig

from lerobot_grasp_plugin.robots.ee_reset import EeResetConfig


@dataclass
class SimCameraConfig:
    """One image of the scene: 8-bit RGB, ``height`` x ``width`` x 3."""

    # `wrist` or `front`; left out, the name of the camera says it
    view: str | None = None
    width: int = 320
    height: int = 240
    # vertical field of view, degrees; left out, the model's: 48.5 of the wrist's camera, 52 of the front's
    fovy: float | None = None
    # as every camera config has it; an image is rendered for each observation
    fps: int = 30


@dataclass
class CubeConfig:
    """Where the cube lies when an attempt starts: drawn evenly from each range, as [lowest, highest]."""

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
    # As SO101Follower: the most a joint may be sent away from where it is
    max_relative_target: float | dict[str, float] | None = None
    # By name, e.g. '{wrist: {width: 640, height: 480}, side: {view: front}}'
    cameras: dict[str, SimCameraConfig] = field(default_factory=lambda: {"wrist": SimCameraConfig()})
    # Decides where the cube lies in each attempt
    seed: int = 0
    # Where the cube may lie
    cube: CubeConfig = field(default_factory=CubeConfig)
    # Frames wait for the wall clock, as those of a real arm do: for a person at the keys or at a leader.
    # Otherwise recorders and HIL-SERL's environment run as fast as the machine allows
    realtime: bool = False
    # In LeRobot's environment, before each episode the gripper goes to a point drawn from a box
    random_ee_reset: EeResetConfig | None = None
    # Where the truth of each saved episode goes; left out, <dataset root>_sim_truth
    truth_dir: Path | None = None
