"""Moves the gripper by script in HIL-SERL's action space, with the cube's position at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.sim.grasp_motion import Outcome
from lerobot_grasp_plugin.sim.world import World

OPEN, STAY, CLOSE = 0.0, 1.0, 2.0
"""Gripper commands as ``GripperVelocityToJoint`` carries them out on an SO101, whose 100 is open."""

_ABOVE: Final = 0.055
_AT: Final = 0.014
_RAISED: Final = 0.09
_BESIDE: Final = 0.045
_CLOSING_STEPS: Final = 5
_CENTRING_STEPS: Final = 2
"""Steps of closing in which the gripper still moves to the cube.

A script that stays open at the cube until it is centred teaches a policy to stay there: of its steps in that
place, most are ``STAY``.
"""
_CENTRED: Final = 0.008
"""Metres along x and y between gripper and cube at which the jaws close."""
_AT_HEIGHT: Final = 0.01
"""Metres along z between the gripper and the height at which the jaws close."""
_OVER: Final = 0.008
"""Metres along x and y between gripper and cube at which the gripper goes down."""
_BETWEEN: Final = 0.016
"""Metres along x and y between gripper and cube within which the cube is between the open jaws."""
_OPEN: Final = 0.9
"""Share of the jaws' range from which on they count as open."""
_SHUT: Final = 0.15
"""Share of the jaws' range below which the cube is not between them; 0.17 where they hold it."""
_PATIENCE: Final = 6
"""Steps at the cube after which they close anyway."""
_STEADY: Final = 0.05
"""Metres from the cube within which the noise shrinks with the distance."""
_HOLDS: Final = ("success", "regrasp")


@dataclass(frozen=True, slots=True)
class EeCommand:
    """One action of HIL-SERL.

    Attributes:
        delta: Where the gripper goes, in steps along x, y and z, float64 (3,), each in [-1, 1].
        gripper: ``OPEN``, ``STAY`` or ``CLOSE``.
    """

    delta: NDArray[np.float64]
    gripper: float


class EeAttempt:
    """One attempt, step by step.

    An attempt that is to succeed starts in the phase that the gripper has reached: a script that takes over
    from a policy at the cube goes on from there. It would teach the policy the opposite of what it has
    learned if it let the cube go and rose first.
    """

    def __init__(
        self,
        outcome: Outcome,
        steps: NDArray[np.float64],
        noise: float,
        random: np.random.Generator,
    ) -> None:
        """Args:
        outcome: What the attempt comes to.
        steps: Metres of one step along x, y and z, float64 (3,).
        noise: Standard deviation of what is added to the deltas on the way, in steps; less near the cube.
        random: Decides noise and the way of failing.
        """
        self.outcome = outcome
        self._steps = steps
        self._noise = noise
        self._random = random
        self._phase = "above"
        self._age = 0
        self._time = 0
        side = random.choice([-1.0, 1.0])
        self._aside = np.array([0.0, side * _BESIDE, 0.0])
        self._drift: NDArray[np.float64] = np.zeros(3)
        self._grip = STAY
        self._again = outcome == "regrasp"

    def next(self, world: World) -> EeCommand:
        """The action that follows from where gripper and cube are now."""
        if self._time == 0 and self.outcome == "success":
            self._enter(_phase_of(world))
        self._time += 1
        self._age += 1
        if self.outcome == "wander":
            return self._wander()
        target = world.cube_position + (self._aside if self.outcome == "miss" else 0.0)
        offset = target - world.tip
        gripper = STAY
        if self._phase == "above":
            offset[2] = _ABOVE - world.tip[2]
            gripper = OPEN
            if np.hypot(offset[0], offset[1]) < _OVER and abs(offset[2]) < 0.02:
                self._enter(
                    "close" if self.outcome == "air" else "hover" if self.outcome == "hover" else "down"
                )
        elif self._phase == "hover":
            if self._age % 4 == 1:
                self._drift = self._random.uniform(-0.02, 0.02, 3) * np.array([1.0, 1.0, 0.5])
            offset = offset + self._drift
            offset[2] += 0.012
        elif self._phase == "down":
            offset[2] = _AT - world.tip[2]
            at_height = abs(offset[2]) < _AT_HEIGHT
            centred = float(np.hypot(offset[0], offset[1])) < _CENTRED
            if at_height and (centred or self._age > _PATIENCE):
                self._enter("close")
                gripper = CLOSE
        elif self._phase == "close":
            offset[2] = _AT - world.tip[2]
            if self.outcome == "air" or self._age > _CENTRING_STEPS:
                offset[:] = 0.0
            gripper = CLOSE
            if self._age > _CLOSING_STEPS or (self.outcome == "success" and world.truth().held):
                self._enter("let_go" if self._again or self._has_lost(world) else "up")
        elif self._phase == "let_go":
            offset[:] = 0.0
            gripper = OPEN
            self._again = False
            if self._age > _CLOSING_STEPS:
                self._enter("above")
        elif self._phase == "up":
            offset[:] = 0.0
            offset[2] = _RAISED - world.tip[2]
            gripper = CLOSE  # the gripper's motor presses only while it is sent beyond where it is
            if self._age > 1 and self._has_lost(world):
                self._enter("let_go")
            if self.outcome == "drop" and abs(offset[2]) < 0.01:
                self._enter("dropped")
        elif self._phase == "dropped":
            offset[:] = 0.0
            gripper = OPEN
        delta = np.clip(offset / self._steps, -1.0, 1.0)
        if self._phase in ("above", "down"):
            noise = self._noise * min(1.0, float(np.linalg.norm(target - world.tip)) / _STEADY)
            delta = np.clip(delta + noise * self._random.normal(size=3), -1.0, 1.0)
        return EeCommand(delta, gripper)

    def _has_lost(self, world: World) -> bool:
        """The cube should be held, and is not: the attempt starts again from above."""
        return self.outcome in _HOLDS and not world.truth().held

    def _enter(self, phase: str) -> None:
        self._phase, self._age = phase, 0

    def _wander(self) -> EeCommand:
        if self._time % 4 == 1:
            self._drift = self._random.uniform(-1.0, 1.0, 3)
            self._grip = float(self._random.choice([OPEN, STAY, STAY, CLOSE]))
        return EeCommand(self._drift.copy(), self._grip)


def _phase_of(world: World) -> str:
    """The phase of an attempt that has come to where gripper and cube are now."""
    if world.truth().held:
        return "up"
    offset = world.cube_position - world.tip
    across, height = float(np.hypot(offset[0], offset[1])), float(world.tip[2])
    if across > _BETWEEN or height > _ABOVE + _OVER:
        return "above"
    at_height, is_open = abs(height - _AT) < _AT_HEIGHT, world.opening > _OPEN
    if at_height and world.opening > _SHUT and (across < _CENTRED or not is_open):
        return "close"
    return "down" if is_open else "above"
