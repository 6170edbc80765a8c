"""Computes end-effector steps from a leader arm: the follower's end effector follows the leader's."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.action_space import step_sizes
from lerobot_grasp_plugin.lerobot_seams.environment import EnvironmentListener

OPEN, STAY, CLOSE = 0.0, 1.0, 2.0
"""Gripper commands as ``GripperVelocityToJoint`` carries them out on an arm whose 100 is open."""

_WANTS_OPEN, _WANTS_CLOSED = 60.0, 40.0
"""Opening of the leader's gripper, 0 to 100, from which on the follower's is opened or closed."""

_ARRIVED: Final = 5.0
"""Distance to an end, of 100, within which a gripper counts as at that end."""

Vector = NDArray[np.float64]


class Kinematics(Protocol):
    """As much of LeRobot's ``RobotKinematics`` as deltas need."""

    def forward_kinematics(self, joint_pos_deg: Vector) -> Vector:
        """The end effector's pose, (4, 4), metres, of joint positions in degrees."""


class LeaderDeltas(EnvironmentListener):
    """Follows LeRobot's environment, and computes the step that brings the follower to the leader's position.

    The leader's path counts, not its place: where the person takes over, the follower starts from where it
    is. A step is measured from the position that LeRobot's ``EEReferenceAndDelta`` starts from, the last
    solution of the inverse kinematics, so that the step which is recorded is the step that was commanded.
    """

    def __init__(self, make_kinematics: Any) -> None:
        """Args:
        make_kinematics: LeRobot's ``RobotKinematics``, or what is called like it.
        """
        self._make = make_kinematics
        self._kinematics: Kinematics | None = None
        self._steps: Vector | None = None
        self._names: list[str] = []
        self._measured: dict[str, float] = {}
        self._commanded: Vector | None = None
        self._offset: Vector | None = None
        self._env: Any = None

    def environment_built(self, env: Any, config: Any, env_processor: Any, action_processor: Any) -> None:
        self._steps = step_sizes(config)
        self._names = list(env.robot.bus.motors)
        kinematics = config.processor.inverse_kinematics
        if kinematics is not None:
            self._kinematics = self._make(
                urdf_path=kinematics.urdf_path,
                target_frame_name=kinematics.target_frame_name,
                joint_names=self._names,
            )

    def episode_starts(self, env: Any) -> None:
        self._env = env
        self._commanded = self._offset = None
        self._measured = {}

    def stepped(self, env: Any, transition: dict[Any, Any]) -> None:
        data = transition.get("complementary_data") or {}
        solution = data.get("IK_solution")
        self._commanded = None if solution is None else np.asarray(solution, dtype=float)
        self._measured = dict(env.get_raw_joint_positions() or {})

    @property
    def ready(self) -> bool:
        """Whether the environment takes deltas."""
        return self._kinematics is not None

    def action(self, leader: dict[str, float], *, acts: bool) -> NDArray[np.float32]:
        """The step towards the leader, float32 (4,): x, y and z in [-1, 1], and the gripper command.

        Args:
            leader: The leader's joints by ``<joint>.pos``: degrees, the gripper 0 to 100.
            acts: Whether the person acts; while the policy does, the leader may be anywhere.
        """
        measured = self._measured or (self._env.get_raw_joint_positions() if self._env is not None else None)
        if self._kinematics is None or self._steps is None or not measured:
            return np.array([0.0, 0.0, 0.0, STAY], dtype=np.float32)
        joints = np.array([measured[f"{name}.pos"] for name in self._names], dtype=float)
        reference = self._where(joints if self._commanded is None else self._commanded)
        pointed = self._where(np.array([leader[f"{name}.pos"] for name in self._names], dtype=float))
        if self._offset is None or not acts:
            self._offset = reference - pointed
        delta = np.clip((pointed + self._offset - reference) / self._steps, -1.0, 1.0)
        command = _gripper(leader["gripper.pos"], measured["gripper.pos"])
        return np.array([*delta, command], dtype=np.float32)

    def _where(self, joints: Vector) -> Vector:
        assert self._kinematics is not None
        return np.array(self._kinematics.forward_kinematics(joints))[:3, 3].copy()


def _gripper(leader: float, follower: float) -> float:
    """The command that brings the follower's gripper to the end the leader's is at; both 0 to 100."""
    if leader >= _WANTS_OPEN and follower < 100.0 - _ARRIVED:
        return OPEN
    if leader <= _WANTS_CLOSED and follower > _ARRIVED:
        return CLOSE
    return STAY
