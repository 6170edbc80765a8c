"""Computes forward kinematics of a chain of revolute joints, for many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NO_TURN: Final = 1e-8
"""Half an angle whose sine is below this is computed by its first-order term, as LeRobot does it."""


@dataclass(frozen=True)
class Link:
    """One joint of a chain, from the base to the end effector.

    Attributes:
        name: Of the joint.
        offset: Position of the joint in the frame of the link before it, (3,), metres.
        rotation: Its orientation there, (3, 3).
        axis: Unit vector it turns about, (3,); None for a fixed joint.
        limits: Lower and upper limit, radians.
    """

    name: str
    offset: Floats
    rotation: Floats
    axis: Floats | None = None
    limits: tuple[float, float] = (-np.inf, np.inf)


@dataclass(frozen=True)
class Pose:
    """Poses of one frame in the base's.

    Attributes:
        position: (rows, 3), metres.
        rotation: (rows, 3, 3).
    """

    position: Floats
    rotation: Floats

    @property
    def rotation_vector(self) -> Floats:
        """Axis times angle, (rows, 3), radians, as ``lerobot.utils.rotation.Rotation`` gives it."""
        return rotation_vectors(self.rotation)


class Chain:
    """The joints from the base of an arm to one frame of it.

    Attributes:
        joints: Names of the joints that move, from the base on.
        limits: Their limits, (joints, 2), radians.
    """

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = tuple(links)
        moving = [link for link in links if link.axis is not None]
        self.joints = tuple(link.name for link in moving)
        self.limits = np.array([link.limits for link in moving], dtype=np.float64).reshape(-1, 2)

    def pose(self, angles: Floats) -> Pose:
        """The pose of the frame.

        Args:
            angles: Of ``joints``, (rows, joints), radians.
        """
        return self._walk(angles, None, None)

    def jacobians(self, angles: Floats) -> tuple[Pose, Floats, Floats]:
        """The pose, and how it changes with each joint.

        Args:
            angles: Of ``joints``, (rows, joints), radians.

        Returns:
            The pose; metres per radian, (rows, 3, joints); radians per radian, (rows, 3, joints).
        """
        origins: list[Floats] = []
        axes: list[Floats] = []
        pose = self._walk(angles, origins, axes)
        turn = np.stack(axes, axis=-1)
        arms = pose.position[:, :, None] - np.stack(origins, axis=-1)
        moves = np.cross(turn, arms, axis=1).astype(np.float64, copy=False)
        return pose, moves, turn

    def _walk(self, angles: Floats, origins: list[Floats] | None, axes: list[Floats] | None) -> Pose:
        rows, number = len(angles), 0
        position: Floats = np.zeros((rows, 3))
        rotation: Floats = np.tile(np.eye(3), (rows, 1))  # of all rows below each other: one product for all
        for link in self._links:
            position = position + (rotation @ link.offset).reshape(rows, 3)
            rotation = rotation @ link.rotation
            if link.axis is None:
                continue
            if origins is not None and axes is not None:
                origins.append(position)
                axes.append((rotation @ link.axis).reshape(rows, 3))
            x, y, z = link.axis
            cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
            angle = np.repeat(angles[:, number], 3)[:, None]
            turned = np.sin(angle) * (rotation @ cross) + (1.0 - np.cos(angle)) * (rotation @ (cross @ cross))
            rotation = rotation + turned
            number += 1
        return Pose(position, rotation.reshape(rows, 3, 3))


def rotation_vectors(rotation: Floats) -> Floats:
    """Axis times angle of rotation matrices, (rows, 3), radians.

    Args:
        rotation: (rows, 3, 3).
    """
    m = rotation
    trace = np.trace(m, axis1=1, axis2=2)
    x, y, z = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    largest = np.where(trace > 0, 0, np.where((x > y) & (x > z), 1, np.where(y > z, 2, 3)))
    squares = np.stack([1 + trace, 1 + x - y - z, 1 + y - x - z, 1 + z - x - y])
    scale = 2.0 * np.sqrt(np.maximum(np.take_along_axis(squares, largest[None], axis=0)[0], 0.0))
    differences = (m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1])
    xy, xz, yz = m[:, 0, 1] + m[:, 1, 0], m[:, 0, 2] + m[:, 2, 0], m[:, 1, 2] + m[:, 2, 1]
    own = scale * scale / 4.0
    choices = (
        (own, *differences),
        (differences[0], own, xy, xz),
        (differences[1], xy, own, yz),
        (differences[2], xz, yz, own),
    )
    quaternion = np.stack([np.choose(largest, [choice[part] for choice in choices]) for part in range(4)], 1)
    quaternion /= scale[:, None]
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    quaternion = np.where(quaternion[:, :1] < 0, -quaternion, quaternion)
    w, vector = np.clip(quaternion[:, 0], 0.0, 1.0), quaternion[:, 1:]
    sine = np.sqrt(1.0 - w * w)
    factor = np.where(sine < _NO_TURN, 2.0, 2.0 * np.arccos(w) / np.maximum(sine, _NO_TURN))
    turns: Floats = vector * factor[:, None]
    return turns
