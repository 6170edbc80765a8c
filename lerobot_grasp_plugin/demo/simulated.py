"""The demo's episodes on the simulated SO101, timed so that the physics match the annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.demo.scene import HEIGHT, WIDTH, Frame
from lerobot_grasp_plugin.demo.seed import FPS
from lerobot_grasp_plugin.sim.grasp_motion import GraspMotion, Waypoint, plan_grasp
from lerobot_grasp_plugin.sim.joints import JOINTS, JointUnits
from lerobot_grasp_plugin.sim.world import World

type Mask = NDArray[np.bool_]

_ABOVE, _DOWN, _RAISED = 0.065, 0.014, 0.07  # of the fingertips over the table, metres
_OPEN, _AJAR = 0.6, 0.45  # of the gripper's range
_LEAD_S, _TAIL_S = 0.34, 0.1  # from the goal to close, or to let go, to its effect
_STEP_S = 0.06
_REHEARSALS = 8


def can_simulate() -> bool:
    """Whether the extra ``sim`` is installed, and images can be rendered here."""
    try:
        world = World(fps=FPS, seed=0)
        world.render("wrist", WIDTH, HEIGHT)
        world.close()
    except Exception:  # not installed, or whatever a GL library says
        return False
    return True


class SimulatedEpisode:
    """A cube that is between the jaws in the frames that are to be success.

    The motion is rehearsed, without images, and its times are moved until the physics agree.

    Args:
        success: Shape (length,).
        seed: Where the cube lies, and, where nothing is to be held, how the attempt fails.

    Attributes:
        held: Whether the cube is held in each frame by the physics, bool, shape (length,).
    """

    def __init__(self, success: Mask, seed: int) -> None:
        self._seed = seed
        self._length = len(success)
        holds = [(hold.start, hold.stop or len(success)) for hold in IntervalSet.from_mask(success)]
        leads, tails = [_LEAD_S] * len(holds), [_TAIL_S] * len(holds)
        best = -1
        for _ in range(_REHEARSALS):
            motion = self._plan(holds, leads, tails)
            held = np.array([world.truth().held for world, _ in self._play(motion)])
            agreeing = int((held == success).sum())
            if agreeing > best:
                best, self._motion, self.held = agreeing, motion, held
            if agreeing == len(success) or not held.any():
                break
            there = [(hold.start, hold.stop or len(held)) for hold in IntervalSet.from_mask(held)]
            for number, (start, stop) in enumerate(holds):
                leads[number] += _STEP_S * np.sign(min((a - start for a, _ in there), key=abs))
                tails[number] += _STEP_S * np.sign(min((b - stop for _, b in there), key=abs))

    def frames(self) -> Iterator[Frame]:
        """State and action, float32 (6,), degrees and 0..100 of the gripper, and the wrist's image."""
        for world, goal in self._play(self._motion):
            units = JointUnits(world.ranges, use_degrees=True)
            state, action = (
                np.array([units.from_radians(angles)[name] for name in JOINTS], dtype=np.float32)
                for angles in (world.joints, goal)
            )
            yield state, action, world.render("wrist", WIDTH, HEIGHT)

    def _play(self, motion: GraspMotion) -> Iterator[tuple[World, Any]]:
        """The table before each action, and the action's joint goals."""
        world = World(fps=FPS, seed=self._seed)
        try:
            for frame in range(self._length):
                goal = motion.at((frame + 1) / FPS)
                yield world, goal
                world.act(goal)
        finally:
            world.close()

    def _plan(self, holds: list[tuple[int, int]], leads: list[float], tails: list[float]) -> GraspMotion:
        world = World(fps=FPS, seed=self._seed)
        random = np.random.default_rng(self._seed)
        if not holds:
            return plan_grasp(world, random.choice(["miss", "air"]), self._length / FPS, random)
        x, y, _ = world.cube_position
        low, high = world.ranges[-1]
        points = [Waypoint(0.0, world.goal)]

        def to(time: float, height: float, opening: float) -> None:
            arm = world.kinematics.solve(np.array([x, y, height]), world.cube_yaw)
            after = max(time, points[-1].time + 0.01)
            points.append(Waypoint(after, np.append(arm, low + opening * (high - low))))

        first = holds[0][0] / FPS
        to(0.55 * first, _ABOVE, _OPEN)
        to(0.85 * first, _DOWN, _OPEN)
        for number, (start, stop) in enumerate(holds):
            opening, closing_s = (_AJAR, 0.1) if number else (_OPEN, 0.3)
            to(start / FPS - leads[number], _DOWN, opening)
            to(points[-1].time + closing_s, _DOWN, 0.0)
            if stop < self._length:
                to(stop / FPS - tails[number], _DOWN, 0.0)
                to(points[-1].time + 0.05, _DOWN, _AJAR)
            else:
                to(min(start / FPS + 0.5, stop / FPS - 0.3), _DOWN, 0.0)
                to(max(points[-1].time + 1.0, stop / FPS), _RAISED, 0.0)
        return GraspMotion(points)
