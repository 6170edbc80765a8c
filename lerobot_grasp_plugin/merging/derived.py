"""Computes columns of one source from its joints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.action_space import joint_velocities
from lerobot_grasp_plugin.dataset.arrow import from_numpy, to_numpy
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem

if TYPE_CHECKING:
    from lerobot_grasp_plugin.core.kinematics import Chain, Floats

ACTION: Final = "action"
STATE: Final = "observation.state"


@dataclass(frozen=True)
class Arm:
    """The joints of a recording, matched with the URDF.

    Attributes:
        chain: From the base to the end effector.
        joints: Names of the recorded joints, in order; the gripper is the last one.
        columns: Where the chain's joints are among them.
        degrees: Degrees of one unit of each recorded joint, (joints,); 1 of the gripper.
    """

    chain: Chain
    joints: tuple[str, ...]
    columns: tuple[int, ...]
    degrees: Floats

    def angles(self, positions: NDArray[Any]) -> Floats:
        """The chain's angles, (rows, chain), radians, of recorded positions, (rows, joints)."""
        chosen = list(self.columns)
        return np.radians(positions[:, chosen].astype(np.float64) * self.degrees[chosen])


@dataclass(frozen=True)
class StateMaker:
    """Makes ``observation.state``: joints in degrees, and the other values of a full state.

    Attributes:
        name: The column of joint positions in the source.
        arm: The joints.
        fps: Rows a second.
        full: Whether velocities and end-effector pose are added.
    """

    name: str
    arm: Arm
    fps: float
    full: bool

    def rows(self, batch: EpisodeBatch) -> NDArray[np.float32]:
        """The states of a batch, float32 (rows, width)."""
        positions = column_values(batch, self.name)
        joints = (positions * self.arm.degrees).astype(np.float32)
        if not self.full:
            return joints
        ends = np.cumsum(batch.lengths)[:-1]
        velocities = [joint_velocities(rows, self.fps) for rows in np.split(joints, ends)]
        pose = self.arm.chain.pose(self.arm.angles(positions))
        vectors = np.concatenate([pose.position, pose.rotation_vector], axis=1)
        return np.concatenate([joints, np.concatenate(velocities), vectors.astype(np.float32)], axis=1)


@dataclass(frozen=True)
class Derivation:
    """The computed columns of one source.

    Attributes:
        features: The features that are computed, by name.
        recipe: How, for the sidecar.
        actions: Source episode -> its actions, float32 (rows, 4); None if they are copied.
        state: Makes the states; None if they are copied.
    """

    features: Mapping[str, Feature]
    recipe: Mapping[str, Any]
    actions: Mapping[int, NDArray[np.float32]] | None = None
    state: StateMaker | None = None

    def columns(self, batch: EpisodeBatch, schema: pa.Schema) -> dict[str, pa.Array[Any]]:
        """The computed columns of a batch, by their names in the output."""
        made: dict[str, NDArray[np.float32]] = {}
        if self.actions is not None:
            made[ACTION] = np.concatenate([self.actions[episode] for episode in batch.episodes])
        if self.state is not None:
            made[STATE] = self.state.rows(batch)
        return {
            name: pa.FixedSizeListArray.from_arrays(from_numpy(rows.reshape(-1)), rows.shape[1]).cast(
                schema.field(name).type
            )
            for name, rows in made.items()
            if name in schema.names
        }


def column_values(batch: EpisodeBatch, name: str) -> NDArray[Any]:
    """A column as numbers, (rows, values).

    Raises:
        DatasetError: It is missing, or does not hold numbers.
    """
    if name not in batch.table.column_names:
        message = f"column {name!r} is missing, but info.json declares it"
        raise DatasetError(Problem("missing-column", message, batch.path))
    try:
        return to_numpy(batch.table[name])
    except ValueError as error:
        raise DatasetError(Problem("bad-column", f"{name}: {error}", batch.path)) from None
