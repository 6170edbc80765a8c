"""Names the flags of ``lerobot-grasp-live-classifier``."""

from dataclasses import dataclass
from pathlib import Path

from lerobot.robots import RobotConfig
from lerobot.teleoperators import TeleoperatorConfig

from lerobot_grasp_plugin.findings.problem import Problem, UsageError


@dataclass(kw_only=True)
class LiveClassifierConfig:
    """Serves a page with a robot's cameras, the probability of success, and keys for the threshold."""

    # the robot, with its cameras, as in lerobot-record
    robot: RobotConfig
    # the classifier's pretrained_model folder
    pretrained_path: Path
    # a teleoperator that moves the robot meanwhile, as in lerobot-record
    teleop: TeleoperatorConfig | None = None
    # from which probability on an image is called a success, to begin with
    threshold: float = 0.5
    # the most images a second
    fps: int = 10
    # address to serve at; other machines can reach it when it is not 127.0.0.1
    host: str = "127.0.0.1"
    # port to serve at; 0 takes a free one
    port: int = 8766

    def check(self) -> None:
        """Refuses values out of range.

        Raises:
            UsageError: With all that is wrong.
        """
        problems = []
        if not 0 < self.threshold < 1:
            problems.append(Problem("bad-value", f"--threshold is {self.threshold}; it is between 0 and 1"))
        if self.fps < 1:
            problems.append(Problem("bad-value", f"--fps is {self.fps}; it is 1 or more"))
        if problems:
            raise UsageError(problems)
