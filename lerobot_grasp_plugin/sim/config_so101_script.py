"""The config of ``--teleop.type=so101_script``."""

from dataclasses import dataclass, field

from lerobot.teleoperators.config import TeleoperatorConfig


@dataclass
class TakeoverConfig:
    """When the script acts in an episode instead of the policy."""

    # share of episodes that it takes over, at the first episode
    start: float = 1.0
    # factor from one episode to the next
    decay: float = 1.0
    # smallest share
    floor: float = 0.0
    # last step at which it takes over; the step is drawn evenly from 0 to this one
    latest: int = 0
    # step from which on it takes over any episode that still runs (default: none)
    patience: int | None = None


@TeleoperatorConfig.register_subclass("so101_script")
@dataclass
class So101ScriptConfig(TeleoperatorConfig):  # type: ignore[misc]
    """A script that grasps the cube of the simulated SO101."""

    # success, miss (next to the cube), air (closes above it), drop (lets go of it), hover, regrasp, wander;
    # or a list for one saved episode after the other, and from the start again: success*3,miss,drop
    outcome: str = "success"
    # joints: goals in the robot's units; ee_delta: HIL-SERL's steps along x, y, z and a gripper command
    action_space: str = "joints"
    # Duration of one attempt, in simulated seconds; the arm then stays until the episode is over
    attempt_s: float = 4.0
    # Seed of the small differences between attempts
    seed: int = 0
    # As the robot's use_degrees
    use_degrees: bool = True
    # ee_delta: standard deviation of what is added to the steps on the way to the cube, in steps; within
    # 5 cm of where the script wants to go it falls with the distance
    noise: float = 0.0
    # In HIL-SERL: share of episodes the script takes over: start * decay ** episode, at least floor
    takeover: TakeoverConfig = field(default_factory=TakeoverConfig)
    # In HIL-SERL: number of the first episode; lerobot-grasp-actor continues where the run's log ends
    first_episode: int = 0
    # In HIL-SERL: what the script signals as success: none, held (both jaws press on the cube) or
    # grasped (held, and lifted by more than 1 cm)
    signal: str = "none"
