"""Declares the flags of ``lerobot-grasp-live-classifier``."""

from dataclasses import dataclass
from pathlib import Path

from lerobot.robots import RobotConfig
from lerobot.teleoperators import TeleoperatorConfig

from lerobot_grasp_plugin.findings.problem import Problem, UsageError


@dataclass(kw_only=True)
class LiveClassifierConfig:
    """Serves a page with a robot's camera images, the probability of success, and keys for the threshold."""

    # the robot, with its cameras, as in lerobot-record
    robot: RobotConfig
    # the classifier's pretrained_model folder
    pretrained_path: Path
    # a teleoperator that moves the robot meanwhile, as in lerobot-record
    teleop: TeleoperatorConfig | None = None
    # initial threshold: probability from which on an image counts as success
    threshold: float = 0.5
    # maximum number of images per second
    fps: int = 10
    # address to serve at; any other than 127.0.0.1 lets other machines reach the page
    host: str = "127.0.0.1"
    # port to serve at; 0 for any free port
    port: int = 8766

    def check(self) -> None:
        """Refuses values out of range.

        Raises:
            UsageError: With all problems.
        """
        problems = []
        if not 0 < self.threshold < 1:
            problems.append(
                Problem("bad-value", f"--threshold must be between 0 and 1, not {self.threshold}")
            )
        if self.fps < 1:
            problems.append(Problem("bad-value", f"--fps must be 1 or more, not {self.fps}"))
        if problems:
            raise UsageError(problems)
