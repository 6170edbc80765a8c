"""Draws the cube's start position of an attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lerobot_grasp_plugin.findings.problem import Problem, UsageError

Range = Sequence[float]

REACH = {"radius": (0.12, 0.30), "azimuth": (-1.2, 1.2), "yaw": (-np.pi, np.pi)}
"""What the arm can reach from above: metres, radians, radians."""


@dataclass(frozen=True, slots=True)
class CubeLayout:
    """Ranges from which the cube's place is drawn evenly.

    Attributes:
        radius: Distance from the arm's base, metres.
        azimuth: Direction from the arm's base, radians; 0 is straight ahead.
        yaw: Turn of the cube against that direction, radians.
    """

    radius: Range = (0.18, 0.25)
    azimuth: Range = (-0.5, 0.5)
    yaw: Range = (-0.3, 0.3)

    def check(self, where: str) -> None:
        """Raises:
        UsageError: With every range that is malformed, or outside the reach of the arm.
        """
        problems = []
        for name, (lowest, highest) in REACH.items():
            given = getattr(self, name)
            if len(given) != 2 or not lowest <= given[0] <= given[1] <= highest:
                message = (
                    f"{name} {list(given)} is not a range [lowest, highest] in {lowest:g} to {highest:g}"
                )
                problems.append(Problem("bad-value", message, place=f"{where}.{name}"))
        if problems:
            raise UsageError(problems)

    def draw(self, seed: int, attempt: int) -> tuple[float, float, float]:
        """Radius, azimuth and turn of an attempt (0-based); the same for the same seed."""
        random = np.random.default_rng([seed, attempt])
        radius, azimuth, turn = (
            random.uniform(lowest, highest) for lowest, highest in (self.radius, self.azimuth, self.yaw)
        )
        return float(radius), float(azimuth), float(turn)
