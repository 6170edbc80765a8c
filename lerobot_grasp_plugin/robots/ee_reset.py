"""Moves the gripper to a random point of a box, in a closed loop, before an episode."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset.installed_files import installed_file
from lerobot_grasp_plugin.findings.problem import DataError, Problem, UsageError

Vector = NDArray[np.float64]
Workspace = tuple[Sequence[float], Sequence[float]]

NAME: Final = "random_ee_reset"
"""Key of an episode's record, and the option that enables the reset."""

ORIENTATION_WEIGHT = 0.0
"""Weight of the orientation: five joints cannot keep it and reach every point."""

_SETTLING = 4
"""Periods in which the arm holds its goal before it is measured."""


@dataclass
class EeResetConfig:
    """The settings of the reset to a random point."""

    # the robot's URDF, also package://so101_nexus/...; empty: that of env.processor.inverse_kinematics
    urdf_path: str = ""
    # the frame of the gripper in it; empty: that of env.processor.inverse_kinematics
    target_frame: str = "gripper_frame_link"
    # middle of the box, in metres from the robot's base
    base: list[float] = field(default_factory=lambda: [0.25, 0.0, 0.07])
    # half the box's sides, in metres; [0, 0, 0] for a fixed point
    half_box: list[float] = field(default_factory=lambda: [0.03, 0.03, 0.03])
    # seed of the points; None for different points each time
    seed: int | None = None
    # maximum distance of the gripper from its target at the end, in metres
    tolerance: float = 0.005
    # maximum speed of a joint, in degrees per second
    max_speed: float = 60.0
    # maximum duration of the move, in seconds
    timeout_s: float = 10.0


def make_kinematics(urdf_path: str, target_frame: str, joints: list[str]) -> Any:
    """LeRobot's kinematics of an arm."""
    from lerobot.model.kinematics import RobotKinematics

    return RobotKinematics(urdf_path, target_frame, joints)


class EeReset:
    """Moves the arm in small steps, measures its position, and corrects until it arrives.

    Args:
        config: The settings.
        kinematics: Makes an object with ``forward_kinematics`` and ``inverse_kinematics`` in degrees and
            metres, from a URDF, a frame and joint names.
    """

    def __init__(
        self, config: EeResetConfig, kinematics: Callable[[str, str, list[str]], Any] = make_kinematics
    ) -> None:
        self._config = config
        self._make = kinematics
        self._random = random.Random(config.seed)

    def connect(
        self,
        robot: Any,
        fps: float,
        workspace: Workspace | None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Check the settings against a connected robot.

        Args:
            robot: LeRobot's.
            fps: Actions per second during the move.
            workspace: Lowest and highest x, y, z of a target, metres; None for no limit.
            wait: Lets seconds pass; a simulated arm needs no waiting.

        Raises:
            UsageError: With all problems.
        """
        problems: list[Problem] = []
        path = self._checked(workspace, problems)
        if getattr(robot.config, "use_degrees", True) is not True:
            message = f"{NAME}: the robot does not use degrees"
            problems.append(Problem("not-degrees", message, hint="set --robot.use_degrees=true"))
        if problems:
            raise UsageError(problems)
        joints = [name.removesuffix(".pos") for name in robot.action_features if name.endswith(".pos")]
        self._joints = [name for name in joints if name != "gripper"]
        self._kinematics = self._make(path, self._config.target_frame, self._joints)
        self._limits = joint_limits(path, self._joints)
        self._robot, self._period, self._wait, self._workspace = robot, 1 / fps, wait, workspace

    def check(self, workspace: Workspace | None) -> None:
        """Check the settings without a robot.

        Args:
            workspace: As in ``connect``.

        Raises:
            UsageError: With all problems.
        """
        problems: list[Problem] = []
        self._checked(workspace, problems)
        if problems:
            raise UsageError(problems)

    def _checked(self, workspace: Workspace | None, problems: list[Problem]) -> str:
        """The path of the URDF; adds errors of the settings to the problems."""
        config = self._config
        problems += [
            Problem("bad-vector", f"{NAME}: {name} must be x, y, z, not {value}")
            for name, value in (
                ("base", config.base),
                ("half_box", config.half_box),
                *zip(("workspace_min", "workspace_max"), workspace or (), strict=False),
            )
            if len(value) != 3
        ]
        path = str(Path(installed_file(config.urdf_path, f"{NAME}.urdf_path")).expanduser())
        if not Path(path).is_file():
            hint = "set urdf_path to the SO101's so101_new_calib.urdf"
            problems.append(
                Problem("no-urdf", f"{NAME}: the URDF does not exist", Path(config.urdf_path), hint)
            )
        if not problems and workspace is not None:
            corners = [np.subtract(config.base, config.half_box), np.add(config.base, config.half_box)]
            if np.any(corners[0] < workspace[0]) or np.any(corners[1] > workspace[1]):
                message = f"{NAME}: the box {corners[0]} to {corners[1]} leaves the workspace"
                hint = f"it is {list(workspace[0])} to {list(workspace[1])}; make half_box smaller, "
                hint += "or the workspace wider"
                problems.append(Problem("outside-workspace", message, hint=hint))
        return path

    def skip(self, moves: int) -> None:
        """Continue with the targets after those of earlier moves."""
        for _ in range(moves):
            self._draw()

    def _draw(self) -> list[float]:
        """The next target's distance from the middle of the box along x, y and z, metres."""
        return [self._random.uniform(-half, half) for half in self._config.half_box]

    def move(self, pose: Mapping[str, float] | None = None) -> dict[str, Any]:
        """Draw a target, check it, and move there.

        Args:
            pose: Joint positions to move to first, by name, in the robot's units; None for none.

        Returns:
            ``commanded``, ``achieved`` and ``offset`` (from ``base``), metres from the robot's base, and
            ``error_m``.

        Raises:
            DataError: The target cannot be reached, or was not reached in time.
        """
        config = self._config
        offset = self._draw()
        target = np.add(config.base, offset)
        self._left = round(config.timeout_s / self._period)
        if pose is not None:
            self._go(list(pose), np.array(list(pose.values()), dtype=float))
        joints = self._solve(self._now(self._joints), target)
        aim = target.copy()
        while True:
            self._go(self._joints, joints)
            achieved = self._where(self._now(self._joints))
            error = float(np.linalg.norm(achieved - target))
            if error <= config.tolerance:
                break
            if self._left <= 0:
                message = f"the gripper stayed {1000 * error:.1f} mm from its target {target.round(3)}"
                hint = f"tolerance is {1000 * config.tolerance:.1f} mm, timeout_s {config.timeout_s}"
                raise DataError(Problem("reset-failed", f"{NAME}: {message}", hint=hint))
            aim += np.clip(target - achieved, -0.01, 0.01)  # the error from gravity and play
            if self._workspace is not None:
                aim = np.clip(aim, *self._workspace)
            joints = self._solve(self._now(self._joints), aim)
        return {
            "commanded": target.round(5).tolist(),
            "achieved": achieved.round(5).tolist(),
            "offset": np.round(offset, 5).tolist(),
            "error_m": round(error, 5),
        }

    def _now(self, names: Sequence[str]) -> Vector:
        observation = self._robot.get_observation()
        return np.array([observation[f"{name}.pos"] for name in names], dtype=float)

    def _where(self, joints: Vector) -> Vector:
        return np.asarray(self._kinematics.forward_kinematics(joints))[:3, 3].copy()

    def _solve(self, joints: Vector, target: Vector) -> Vector:
        """Joints that put the gripper on a point, within their limits."""
        pose = np.array(self._kinematics.forward_kinematics(joints))
        pose[:3, 3] = target
        found = joints
        for _ in range(200):
            found = np.asarray(
                self._kinematics.inverse_kinematics(found, pose, 1.0, ORIENTATION_WEIGHT), dtype=float
            )
            distance = float(np.linalg.norm(self._where(found) - target))
            if distance < self._config.tolerance / 4:
                break
        else:
            message = f"{NAME}: {target.round(3)} is out of reach by {1000 * distance:.1f} mm"
            raise DataError(Problem("unreachable", message, hint="choose another base or a smaller half_box"))
        for name, value, (low, high) in zip(self._joints, found, self._limits, strict=True):
            if not low <= value <= high:
                message = f"{NAME}: {name} would go to {value:.1f} degrees, outside {low:.1f} to {high:.1f}"
                raise DataError(
                    Problem("joint-limit", message, hint="choose another base or a smaller half_box")
                )
        return found

    def _go(self, names: Sequence[str], goal: Vector) -> None:
        """Go to joint positions no faster than allowed, and hold them until the arm has settled."""
        at = self._now(names)
        step = self._config.max_speed * self._period
        settling = 0
        while settling <= _SETTLING and self._left > 0:
            left = goal - at
            arrived = bool(np.abs(left).max() <= step)
            at = goal if arrived else at + left * (step / np.abs(left).max())
            settling += arrived
            begun = time.monotonic()
            self._robot.send_action(
                {f"{name}.pos": float(value) for name, value in zip(names, at, strict=True)}
            )
            self._left -= 1
            self._wait(max(0.0, self._period - (time.monotonic() - begun)))


def joint_limits(urdf: str, joints: Sequence[str]) -> list[tuple[float, float]]:
    """Limits of joints in degrees, as a URDF has them.

    Raises:
        UsageError: The URDF cannot be read, or lacks a joint or its limits.
    """
    from xml.etree import ElementTree

    try:
        tree = ElementTree.parse(urdf)
    except (OSError, ElementTree.ParseError) as error:
        raise UsageError(Problem("no-urdf", f"cannot be read: {error}", Path(urdf))) from None
    limits = {}
    for joint in tree.iter("joint"):
        limit = joint.find("limit")
        if limit is not None and limit.get("lower") and limit.get("upper"):
            low, high = float(limit.get("lower", 0)), float(limit.get("upper", 0))
            limits[joint.get("name")] = (float(np.rad2deg(low)), float(np.rad2deg(high)))
    missing = [name for name in joints if name not in limits]
    if missing:
        raise UsageError(
            Problem("unknown-joints", f"no limits for the joints {', '.join(missing)}", Path(urdf))
        )
    return [limits[name] for name in joints]
