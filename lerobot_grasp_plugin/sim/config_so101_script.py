"""The config that ``--teleop.type=so101_script`` stands for."""

from dataclasses import dataclass

from lerobot.teleoperators.config import TeleoperatorConfig


@TeleoperatorConfig.register_subclass("so101_script")
@dataclass
class So101ScriptConfig(TeleoperatorConfig):  # type: ignore[misc]
    """A script that goes for the cube of the simulated SO101."""

    # success, miss (beside the cube), air (closes above it), drop (lets go of it); or a list for one
    # saved episode after the other, and from the start again: success*3,miss,drop
    outcome: str = "success"
    # How long one attempt takes, in simulated seconds; the arm then stays until the episode is over
    attempt_s: float = 4.0
    # Decides the small differences between attempts
    seed: int = 0
    # As the robot is told
    use_degrees: bool = True
