"""The robot that ``--robot.type=so101_follower_hil`` makes."""

from typing import Final

from lerobot.robots.so_follower.so_follower import SOFollower

from lerobot_grasp_plugin.robots.config_so101_follower_hil import So101FollowerHilConfig
from lerobot_grasp_plugin.robots.environment_reset import EnvironmentReset

_ACTIONS_PER_S: Final = 50.0
"""Of the way to the point: small steps move the arm smoothly."""


class So101FollowerHil(SOFollower):  # type: ignore[misc]
    """LeRobot's ``so101_follower``, its name and calibration included, with a reset to a point."""

    config_class = So101FollowerHilConfig

    def __init__(self, config: So101FollowerHilConfig) -> None:
        super().__init__(config)
        reset = config.random_ee_reset
        self._reset = None if reset is None else EnvironmentReset(self, reset, _ACTIONS_PER_S)

    def connect(self, calibrate: bool = True) -> None:
        """Connect the arm, and follow LeRobot's environment."""
        super().connect(calibrate)
        if self._reset is not None:
            self._reset.follow()

    def disconnect(self) -> None:
        """Disconnect the arm."""
        if self._reset is not None:
            self._reset.leave()
        super().disconnect()
