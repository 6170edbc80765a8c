"""``random_ee_reset``: before each episode the arm goes to a point drawn from a box."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.errors import DataError, Problem, UsageError
from lerobot_grasp_plugin.recording.hooks import HookConfig, HookResult, HookSession, RecordingHook

Vector = NDArray[np.float64]

ORIENTATION_WEIGHT = 0.0
"""Five joints cannot keep the orientation and go anywhere."""


@HookConfig.register_subclass("random_ee_reset")
@dataclass
class RandomEeResetConfig(HookConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Where the gripper goes before an episode, and how it gets there."""

    # the robot's URDF
    urdf_path: str = ""
    # the frame of the gripper in it
    target_frame: str = "gripper_frame_link"
    # middle of the box, in metres from the robot's base
    base: list[float] = field(default_factory=lambda: [0.25, 0.0, 0.07])
    # half the box's sides, in metres
    half_box: list[float] = field(default_factory=lambda: [0.03, 0.03, 0.03])
    # no target may be below or above these, in metres
    workspace_min: list[float] = field(default_factory=lambda: [0.1, -0.2, 0.02])
    workspace_max: list[float] = field(default_factory=lambda: [0.35, 0.2, 0.3])
    # draws the same points again; None for other points each time
    seed: int | None = None
    # how far the gripper may be from its target at the end, in metres
    tolerance: float = 0.005
    # the fastest a joint may move, in degrees per second
    max_speed: float = 60.0
    # give up after so many seconds
    timeout_s: float = 10.0

    def make(self) -> RecordingHook:
        """The hook."""
        return RandomEeReset(self, make_kinematics)


def make_kinematics(urdf_path: str, target_frame: str, joints: list[str]) -> Any:
    """LeRobot's kinematics of an arm."""
    from lerobot.model.kinematics import RobotKinematics

    return RobotKinematics(urdf_path, target_frame, joints)


class RandomEeReset(RecordingHook):
    """Moves the arm in small steps, looks where it is, and corrects until it is there.

    Args:
        config: What the person asked for.
        kinematics: Makes an object with ``forward_kinematics`` and ``inverse_kinematics`` in degrees and
            metres, from a URDF, a frame and joint names.
    """

    def __init__(self, config: RandomEeResetConfig, kinematics: Callable[[str, str, list[str]], Any]) -> None:
        self._config = config
        self._make = kinematics
        self._random = random.Random(config.seed)
        self._record: dict[str, Any] = {}

    def session_started(self, session: HookSession) -> None:
        config = self._config
        problems = [
            Problem("bad-vector", f"random_ee_reset: {name} is x, y, z, not {getattr(config, name)}")
            for name in ("base", "half_box", "workspace_min", "workspace_max")
            if len(getattr(config, name)) != 3
        ]
        if not Path(config.urdf_path).expanduser().is_file():
            hint = "give the SO101's so101_new_calib.urdf as urdf_path"
            message = "random_ee_reset: there is no URDF"
            problems.append(Problem("no-urdf", message, config.urdf_path, hint))
        if not problems:
            corners = [np.subtract(config.base, config.half_box), np.add(config.base, config.half_box)]
            if np.any(corners[0] < config.workspace_min) or np.any(corners[1] > config.workspace_max):
                message = f"random_ee_reset: the box {corners[0]} to {corners[1]} leaves the workspace"
                hint = "make half_box smaller, or workspace_min and workspace_max wider"
                problems.append(Problem("outside-workspace", message, hint=hint))
        if getattr(session.robot.config, "use_degrees", True) is not True:
            message = "random_ee_reset: the robot does not count in degrees"
            problems.append(Problem("not-degrees", message, hint="give --robot.use_degrees=true"))
        if problems:
            raise UsageError(problems)
        joints = [name.removesuffix(".pos") for name in session.robot.action_features]
        self._joints = [name for name in joints if name != "gripper"]
        path = str(Path(config.urdf_path).expanduser())
        self._kinematics = self._make(path, config.target_frame, self._joints)
        self._limits = joint_limits(path, self._joints)
        self._session = session

    def reset(self, episode_index: int) -> None:
        """Draws a target, checks it, and goes there.

        Raises:
            DataError: The target cannot be reached, or was not reached in time.
        """
        config = self._config
        offset = [self._random.uniform(-half, half) for half in config.half_box]
        target = np.add(config.base, offset)
        joints = self._solve(self._now(), target)
        started = time.monotonic()
        aim = target.copy()
        while True:
            self._move(joints, started)
            achieved = self._where(self._now())
            error = float(np.linalg.norm(achieved - target))
            self._record = {
                "commanded": target.round(5).tolist(),
                "achieved": achieved.round(5).tolist(),
                "offset": np.round(offset, 5).tolist(),
                "error_m": round(error, 5),
            }
            if error <= config.tolerance:
                break
            if time.monotonic() - started > config.timeout_s:
                message = f"the gripper stayed {1000 * error:.1f} mm from its target {target.round(3)}"
                hint = f"tolerance is {1000 * config.tolerance:.1f} mm, timeout_s {config.timeout_s}"
                raise DataError(Problem("reset-failed", f"random_ee_reset: {message}", hint=hint))
            aim += np.clip(target - achieved, -0.01, 0.01)  # what gravity and play take away
            aim = np.clip(aim, config.workspace_min, config.workspace_max)
            joints = self._solve(self._now(), aim)
        self._session.say(
            f"random_ee_reset: at {achieved.round(3)}, {1000 * error:.1f} mm from {target.round(3)}"
        )

    def episode_ended(self, length: int) -> HookResult:
        return HookResult(record=self._record)

    def _now(self) -> Vector:
        observation = self._session.robot.get_observation()
        return np.array([observation[f"{name}.pos"] for name in self._joints], dtype=float)

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
            message = f"random_ee_reset: {target.round(3)} is out of reach by {1000 * distance:.1f} mm"
            raise DataError(Problem("unreachable", message, hint="choose another base or a smaller half_box"))
        for name, value, (low, high) in zip(self._joints, found, self._limits, strict=True):
            if not low <= value <= high:
                message = (
                    f"random_ee_reset: {name} would go to {value:.1f} degrees, "
                    f"outside {low:.1f} to {high:.1f}"
                )
                raise DataError(
                    Problem("joint-limit", message, hint="choose another base or a smaller half_box")
                )
        return found

    def _move(self, goal: Vector, started: float) -> None:
        """Goes to joint positions no faster than allowed."""
        period = 1 / self._session.fps
        at = self._now()
        step = self._config.max_speed * period
        while time.monotonic() - started <= self._config.timeout_s:
            begun = time.monotonic()
            left = goal - at
            arrived = bool(np.abs(left).max() <= step)
            at = goal if arrived else at + left * (step / np.abs(left).max())
            self._session.robot.send_action(
                {f"{name}.pos": float(value) for name, value in zip(self._joints, at, strict=True)}
            )
            time.sleep(max(0.0, period - (time.monotonic() - begun)))
            if arrived:
                break
        time.sleep(4 * period)


def joint_limits(urdf: str, joints: Sequence[str]) -> list[tuple[float, float]]:
    """Limits of joints in degrees, as a URDF has them.

    Raises:
        UsageError: The URDF cannot be read, or lacks a joint or its limits.
    """
    from xml.etree import ElementTree

    try:
        tree = ElementTree.parse(urdf)
    except (OSError, ElementTree.ParseError) as error:
        raise UsageError(Problem("no-urdf", f"cannot be read: {error}", urdf)) from None
    limits = {}
    for joint in tree.iter("joint"):
        limit = joint.find("limit")
        if limit is not None and limit.get("lower") and limit.get("upper"):
            low, high = float(limit.get("lower", 0)), float(limit.get("upper", 0))
            limits[joint.get("name")] = (float(np.rad2deg(low)), float(np.rad2deg(high)))
    missing = [name for name in joints if name not in limits]
    if missing:
        raise UsageError(Problem("unknown-joint", f"no limits for the joints {', '.join(missing)}", urdf))
    return [limits[name] for name in joints]
