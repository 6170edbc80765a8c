"""Computes joint angles that put the gripper at a point, pointing straight down."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.sim.joints import JOINTS, Radians

SITE = "gripperframe"
_ARM = len(JOINTS) - 1
_START = np.radians([0.0, -20.0, 20.0, 85.0, 90.0])


class GripperDown:
    """Solves for the five arm joints, on a copy of the state: the simulation is not touched."""

    def __init__(self, model: Any) -> None:
        """Args:
        model: The compiled ``mujoco.MjModel``; its first six joints are the arm's.
        """
        import mujoco

        self._mujoco = mujoco
        self._model = model
        self._data = mujoco.MjData(model)
        self._site = model.site(SITE).id
        self._body = model.body("gripper").id

    def solve(self, position: NDArray[np.float64], yaw: float) -> Radians:
        """The five arm joints, float64 (5,), radians.

        Args:
            position: Where the point between the fingertips should be, float64 (3,), metres, from the
                arm's base.
            yaw: Direction in which the jaws close, radians about the vertical. A gripper is the same
                turned by half a turn; the one closer to the middle of the wrist is taken.
        """
        candidates = [self._solve(position, yaw + turn) for turn in (0.0, np.pi)]
        return min(candidates, key=lambda found: (found[0] > 2e-3, abs(found[1][4])))[1]

    def _solve(self, position: NDArray[np.float64], yaw: float) -> tuple[float, Radians]:
        mujoco, model, data = self._mujoco, self._model, self._data
        low, high = model.jnt_range[:_ARM].T
        angles = _START.copy()
        angles[0] = -np.arctan2(position[1], position[0])
        target = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        jacobian_p, jacobian_r = np.zeros((3, model.nv)), np.zeros((3, model.nv))
        error = np.inf
        for _ in range(150):
            data.qpos[:_ARM] = angles
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            move = position - data.site_xpos[self._site]
            present = data.xmat[self._body].reshape(3, 3)
            turn = 0.5 * sum(np.cross(present[:, k], target[:, k]) for k in range(3))
            error = float(np.linalg.norm(move) + 0.05 * np.linalg.norm(turn))
            if error < 1e-4:
                break
            mujoco.mj_jacSite(model, data, jacobian_p, jacobian_r, self._site)
            jacobian = np.vstack([jacobian_p[:, :_ARM], 0.1 * jacobian_r[:, :_ARM]])
            residual = np.concatenate([move, 0.1 * np.asarray(turn)])
            damped = jacobian @ jacobian.T + 1e-5 * np.eye(6)
            step = jacobian.T @ np.linalg.solve(damped, residual)
            angles = np.clip(angles + np.clip(step, -0.3, 0.3), low, high)
        return error, angles
