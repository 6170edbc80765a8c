"""The script's motions for the cube, successful and failing ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.sim.joints import Radians
from lerobot_grasp_plugin.sim.world import World

Outcome = Literal["success", "miss", "air", "drop", "hover", "regrasp", "wander"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_ABOVE, _AT, _RAISED = 0.065, 0.014, 0.072
_CLOSED, _OPEN = 0.0, 0.6
_BESIDE = 0.055
_OVER = 0.035


def parse_outcomes(text: str) -> list[Outcome]:
    """The outcomes of a list such as ``success*3,miss``, each as often as it says.

    Raises:
        UsageError: An outcome is unknown, or a number is invalid.
    """
    outcomes: list[Outcome] = []
    for part in text.split(","):
        name, star, times = (piece.strip() for piece in part.partition("*"))
        known = next((outcome for outcome in OUTCOMES if outcome == name), None)
        count = times if star else "1"
        if known is None or not count.isdecimal() or int(count) == 0:
            raise UsageError(
                Problem(
                    "unknown-choice",
                    f"unknown outcome {part.strip()!r}",
                    place="--teleop.outcome",
                    hint=f"outcomes are {', '.join(OUTCOMES)}; success*3,miss means three and one",
                )
            )
        outcomes += [known] * int(count)
    return outcomes


@dataclass(frozen=True, slots=True)
class Waypoint:
    """Where the joints are at a time.

    Attributes:
        time: Seconds from the start of the attempt.
        joints: float64 (6,), radians.
    """

    time: float
    joints: Radians


class GraspMotion:
    """One attempt: joint goals over time, smooth between waypoints."""

    def __init__(self, waypoints: list[Waypoint]) -> None:
        self._waypoints = waypoints

    @property
    def duration(self) -> float:
        """Seconds until the last waypoint."""
        return self._waypoints[-1].time

    def at(self, time: float) -> Radians:
        """The joint goals at a time in seconds, float64 (6,), radians; the last ones after the end."""
        before = self._waypoints[0]
        for after in self._waypoints[1:]:
            if time < after.time:
                part = max(0.0, (time - before.time) / (after.time - before.time))
                eased = part**3 * (10 - 15 * part + 6 * part**2)
                return before.joints + eased * (after.joints - before.joints)
            before = after
        return before.joints


def plan_grasp(world: World, outcome: Outcome, duration: float, random: np.random.Generator) -> GraspMotion:
    """An attempt from where the arm is now, for the cube where it lies now.

    Args:
        world: Only looked at.
        outcome: ``success`` holds the cube up; ``miss`` comes down next to it; ``air`` closes above
            it; ``drop`` lifts it and lets go; ``hover`` stays open over it; ``regrasp`` closes, opens, closes
            again and lifts; ``wander`` goes to random points and never to the cube.
        duration: Seconds.
        random: Decides the pace, the height and the direction of a miss.
    """
    cube = world.cube_position
    low, high = world.ranges[-1]

    def joints(x: float, y: float, z: float, gripper: float) -> Radians:
        arm = world.kinematics.solve(np.array([x, y, z]), world.cube_yaw)
        return np.append(arm, low + gripper * (high - low))

    if outcome == "wander":
        return _wander(world, duration, joints, random)
    x, y = _beside(cube, random) if outcome == "miss" else (float(cube[0]), float(cube[1]))
    down = _ABOVE if outcome == "air" else _AT + random.uniform(-0.002, 0.002)
    above = joints(x, y, _ABOVE, _OPEN)
    closed = joints(x, y, down, _CLOSED)
    raised = joints(x, y, _RAISED, _CLOSED)
    let_go = raised.copy()
    let_go[-1] = low + _OPEN * (high - low)
    if outcome == "hover":
        over = joints(x, y, _OVER, _OPEN)
        return _motion(world, duration, [(0.25, above), (0.5, over), (1.0, over)])
    if outcome == "regrasp":
        opened = joints(x, y, down, _OPEN)
        return _motion(
            world,
            duration,
            [
                (0.22, above),
                (0.36, opened),
                (0.46, closed),
                (0.50, closed),
                (0.58, opened),
                (0.68, closed),
                (0.74, closed),
                (0.90, raised),
                (1.0, raised),
            ],
        )
    steps = [
        (random.uniform(0.22, 0.28), above),
        (random.uniform(0.42, 0.48), joints(x, y, down, _OPEN)),
        (random.uniform(0.58, 0.62), closed),
        (random.uniform(0.64, 0.66), closed),
        (random.uniform(0.80, 0.84), raised),
        (random.uniform(0.90, 0.92), raised),
        (1.0, let_go if outcome == "drop" else raised),
    ]
    return _motion(world, duration, steps)


def _motion(world: World, duration: float, steps: list[tuple[float, Radians]]) -> GraspMotion:
    """From where the arm is through joint goals, each at a share of ``duration`` in seconds."""
    start = Waypoint(0.0, world.goal)
    return GraspMotion([start, *(Waypoint(share * duration, goal) for share, goal in steps)])


def _wander(
    world: World, duration: float, joints: Callable[..., Radians], random: np.random.Generator
) -> GraspMotion:
    """Random points above the table, on the other side of the arm's middle than the cube."""
    side = -1.0 if world.cube_position[1] > 0 else 1.0
    steps = []
    for share in (0.2, 0.4, 0.6, 0.8, 1.0):
        radius, azimuth = random.uniform(0.17, 0.23), side * random.uniform(0.15, 0.6)
        x, y = radius * np.cos(azimuth), radius * np.sin(azimuth)
        steps.append((share, joints(x, y, random.uniform(0.04, 0.09), random.uniform(0.0, _OPEN))))
    return _motion(world, duration, steps)


def _beside(cube: NDArray[np.float64], random: np.random.Generator) -> tuple[float, float]:
    """A place to the left or right of the cube, as far from the arm."""
    radius, azimuth = float(np.hypot(cube[0], cube[1])), float(np.arctan2(cube[1], cube[0]))
    side = -1.0 if azimuth > 0.2 else 1.0 if azimuth < -0.2 else random.choice([-1.0, 1.0])
    azimuth += side * _BESIDE / radius
    return radius * float(np.cos(azimuth)), radius * float(np.sin(azimuth))


def plan_home(world: World, duration: float) -> GraspMotion:
    """Up with an open gripper, then back to where attempts begin.

    Args:
        world: Only looked at.
        duration: Seconds.
    """
    opened = world.goal.copy()
    opened[-1] = world.home[-1]
    raised = opened.copy()
    raised[1:4] = world.home[1:4]
    return GraspMotion(
        [
            Waypoint(0.0, world.goal),
            Waypoint(0.25 * duration, opened),
            Waypoint(0.6 * duration, raised),
            Waypoint(duration, world.home),
        ]
    )
