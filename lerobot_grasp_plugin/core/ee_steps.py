"""Which steps of the end effector bring an arm along a path of joint goals, as LeRobot carries steps out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.kinematics import Chain, Floats, Pose, rotation_vectors

STILL: Final = 1e-3
"""LeRobot's ``MapDeltaActionToRobotActionStep`` takes a step of this length or less for none."""

_TURN_WEIGHT: Final = 0.01
_REGULARISATION: Final = 1e-8
"""Of LeRobot's ``RobotKinematics.inverse_kinematics``, one quadratic program a step (placo)."""

_TRIES: Final = 4
_EPISODES: Final = 512


@dataclass(frozen=True)
class EpisodeSteps:
    """The steps of one episode.

    Attributes:
        steps: float32 (rows, 3), each in [-1, 1].
        clipped: Rows whose step had to be shortened, bool (rows,).
        off: Distance of the end effector from where the joint goals have it, after each step, metres,
            (rows,).
        turned: Angle between the orientations of both, radians, (rows,).
        position: Where the steps bring the end effector, (rows, 3), metres.
    """

    steps: NDArray[np.float32]
    clipped: NDArray[np.bool_]
    off: Floats
    turned: Floats
    position: Floats


class StepSolver:
    """One step of LeRobot's inverse kinematics, for many arms at once."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def reference(self, angles: Floats) -> _Reference:
        """What steps from these joint angles, (arms, joints), radians, depend on."""
        pose, moves, turns = self._chain.jacobians(angles)
        return _Reference(angles, pose, moves, turns)

    def move(self, reference: _Reference, shift: Floats, turn: Floats | None = None) -> Floats:
        """The joint angles after a step, (arms, joints), radians.

        Args:
            reference: Where the arms are.
            shift: To the pose that is asked for, (arms, 3), metres.
            turn: To its orientation, (arms, 3), radians; None to keep the orientation.
        """
        right = np.einsum("nij,ni->nj", reference.moves, shift)
        if turn is not None:
            right = right + _TURN_WEIGHT * np.einsum("nij,ni->nj", reference.turns, turn)
        low, high = (limit - reference.angles for limit in self._chain.limits.T)
        change = np.einsum("nij,nj->ni", reference.inverse, right)
        for arm in np.flatnonzero(((change < low) | (change > high)).any(axis=1)).tolist():
            change[arm] = _within(reference.matrix[arm], right[arm], low[arm], high[arm])
        moved: Floats = reference.angles + change
        return moved


def _within(matrix: Floats, right: Floats, low: Floats, high: Floats) -> Floats:
    """The solution of ``matrix @ x = right`` between bounds; what leaves them is held there."""
    free = np.ones(len(right), dtype=np.bool_)
    change = np.zeros(len(right))
    while free.any():
        rest = right[free] - matrix[np.ix_(free, ~free)] @ change[~free]
        change[free] = np.linalg.solve(matrix[np.ix_(free, free)], rest)
        outside = free & ((change < low) | (change > high))
        if not outside.any():
            break
        change[outside] = np.clip(change, low, high)[outside]
        free &= ~outside
    return change


class _Reference:
    """Arms before a step: joint angles, pose, and how the pose changes with the angles."""

    def __init__(self, angles: Floats, pose: Pose, moves: Floats, turns: Floats) -> None:
        self.angles, self.pose, self.moves, self.turns = angles, pose, moves, turns
        joints = angles.shape[1]
        self.matrix = (
            np.einsum("nki,nkj->nij", moves, moves)
            + _TURN_WEIGHT * np.einsum("nki,nkj->nij", turns, turns)
            + _REGULARISATION * np.eye(joints)
        )
        self.inverse = np.linalg.inv(self.matrix)


def solve_steps(
    chain: Chain, starts: Floats, goals: Sequence[Floats], sizes: Floats
) -> Iterator[EpisodeSteps]:
    """The steps of episodes; what a step cannot reach is left to the steps after it.

    Each step starts from where LeRobot's inverse kinematics has brought the arm with the steps before it,
    as in its environment, so that no error adds up.

    Args:
        chain: The arm.
        starts: Joint angles measured in the first row of each episode, (episodes, joints), radians.
        goals: Joint goals of each episode, (rows, joints), radians.
        sizes: Longest step along x, y and z, (3,), metres.
    """
    for first in range(0, len(goals), _EPISODES):
        chosen = slice(first, first + _EPISODES)
        yield from _solve(chain, starts[chosen], goals[chosen], sizes)


def _solve(chain: Chain, starts: Floats, goals: Sequence[Floats], sizes: Floats) -> list[EpisodeSteps]:
    solver = StepSolver(chain)
    lengths = np.array([len(rows) for rows in goals])
    order = np.argsort(-lengths, kind="stable")
    ordered = lengths[order]
    parts = [_empty(length) for length in lengths.tolist()]
    aims = [chain.pose(rows) for rows in goals]
    angles = starts[order].copy()
    held = chain.pose(angles)
    held_position, held_rotation = held.position.copy(), held.rotation.copy()
    for row in range(int(lengths.max(initial=0))):
        arms = int(np.searchsorted(-ordered, -row, side="left"))
        reference = solver.reference(angles[:arms])
        aim = np.stack([aims[episode].position[row] for episode in order[:arms]])
        shift = _shift(chain, solver, reference, aim)
        steps = shift / sizes
        clipped = np.asarray((np.abs(steps) > 1.0 + STILL).any(axis=1))
        steps = np.clip(steps, -1.0, 1.0).astype(np.float32)
        still = np.linalg.norm(steps, axis=1) <= STILL
        steps[still] = 0.0
        moved = reference.pose.position + steps * sizes
        held_position[:arms] = np.where(still[:, None], held_position[:arms], moved)
        held_rotation[:arms] = np.where(still[:, None, None], held_rotation[:arms], reference.pose.rotation)
        turn = _turn(reference.pose.rotation, held_rotation[:arms])
        angles[:arms] = solver.move(reference, held_position[:arms] - reference.pose.position, turn)
        reached = chain.pose(angles[:arms])
        wanted = np.stack([aims[episode].rotation[row] for episode in order[:arms]])
        turned = np.linalg.norm(_turn(reached.rotation, wanted), axis=1)
        off = np.linalg.norm(reached.position - aim, axis=1)
        for arm, episode in enumerate(order[:arms].tolist()):
            part = parts[episode]
            part.steps[row], part.clipped[row] = steps[arm], clipped[arm]
            part.off[row], part.turned[row], part.position[row] = off[arm], turned[arm], reached.position[arm]
    return parts


def _shift(chain: Chain, solver: StepSolver, reference: _Reference, aim: Floats) -> Floats:
    """The step, (arms, 3), metres, that LeRobot's inverse kinematics carries out to ``aim``.

    One step of it misses where it is sent by the curvature of the path: 1.7 mm in 20 mm on an SO101.
    """
    shift = aim - reference.pose.position
    best, least = shift, np.full(len(shift), np.inf)
    for _ in range(_TRIES):
        missed = aim - chain.pose(solver.move(reference, shift)).position
        distance = np.linalg.norm(missed, axis=1)
        nearer = distance < least
        best = np.where(nearer[:, None], shift, best)
        least = np.minimum(distance, least)
        shift = np.where(nearer[:, None], shift + missed, best)
    return best


def _turn(start: Floats, stop: Floats) -> Floats:
    """Rotation vectors from orientations to others, (arms, 3), radians, in the base's frame."""
    return rotation_vectors(np.einsum("nij,nkj->nik", stop, start))


def _empty(rows: int) -> EpisodeSteps:
    return EpisodeSteps(
        np.zeros((rows, 3), dtype=np.float32),
        np.zeros(rows, dtype=np.bool_),
        np.zeros(rows),
        np.zeros(rows),
        np.zeros((rows, 3)),
    )
