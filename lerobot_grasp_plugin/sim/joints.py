"""The joints of an SO101, and their units in LeRobot's driver."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
_GRIPPER = JOINTS.index("gripper")
_ROLL = JOINTS.index("wrist_roll")

Radians = NDArray[np.float64]


class JointUnits:
    """Converts the model's radians to the driver's units and back.

    Body joints are degrees from the middle of their range, or -100..100 over it; the driver calibrates
    the wrist roll over a full turn, so that its 100 is 180 degrees. The gripper is 0 (closed) to 100.
    """

    def __init__(self, ranges: Radians, *, use_degrees: bool) -> None:
        """Args:
        ranges: Lower and upper limit of each joint, float64 (6, 2), radians.
        use_degrees: Degrees rather than -100..100.
        """
        self._low = ranges[:, 0]
        self._high = ranges[:, 1]
        middle = (self._low + self._high) / 2
        half = (self._high - self._low) / 2
        if use_degrees:
            per_unit: Radians = np.full(len(JOINTS), math.pi / 180)
        else:
            per_unit = half / 100
            per_unit[_ROLL] = math.pi / 100
        self._zero, self._per_unit = middle, per_unit
        self._zero[_GRIPPER] = self._low[_GRIPPER]
        self._per_unit[_GRIPPER] = 2 * half[_GRIPPER] / 100

    def to_radians(self, positions: dict[str, float], present: Radians) -> Radians:
        """Joint goals inside their limits; a joint that is not named stays at ``present``.

        Args:
            positions: Driver units by joint name.
            present: The goals so far, float64 (6,), radians.
        """
        goal = present.copy()
        for index, name in enumerate(JOINTS):
            if name in positions:
                goal[index] = self._zero[index] + float(positions[name]) * self._per_unit[index]
        return np.clip(goal, self._low, self._high)

    def from_radians(self, angles: Radians) -> dict[str, float]:
        """Driver units by joint name; the gripper never leaves 0..100, as in the driver."""
        values = (angles - self._zero) / self._per_unit
        values[_GRIPPER] = np.clip(values[_GRIPPER], 0.0, 100.0)
        return {name: float(value) for name, value in zip(JOINTS, values, strict=True)}
