"""Matches the joints of a recording, and their unit, with the URDF."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np

from lerobot_grasp_plugin.core.kinematics import Floats
from lerobot_grasp_plugin.dataset.installed_files import installed_file
from lerobot_grasp_plugin.findings.gathering import raise_all
from lerobot_grasp_plugin.findings.problem import GraspError, Problem, UsageError
from lerobot_grasp_plugin.merging.derivation.urdf import read_chain
from lerobot_grasp_plugin.merging.derived import Arm
from lerobot_grasp_plugin.merging.recipe import JointUnit, KinematicsOptions

_WHERE: Final = "--kinematics.urdf_path"
_TICKS: Final = 4095
"""Steps of a full turn of a Feetech motor, by which LeRobot computes degrees."""

_FULL_TURN: Final = "wrist_roll"
"""LeRobot calibrates this joint over a full turn."""

_LONGEST_M: Final = 0.2


class Kinematics:
    """The options of a call, read.

    Attributes:
        options: As they are given.
        chain: Of the URDF.
        sizes: Longest step along x, y and z, shape (3,), metres.
        recipe: Their entry in the sidecar.
    """

    def __init__(self, options: KinematicsOptions) -> None:
        """Raises:
        UsageError: With all of their errors.
        """
        self.options = options
        errors: list[GraspError] = []
        problems = list(_option_problems(options))
        try:
            path = Path(installed_file(options.urdf_path, _WHERE)).expanduser()
            self.chain = read_chain(path, options.target_frame_name)
        except GraspError as error:
            errors.append(error)
        try:
            self._calibration = None if options.calibration is None else _calibration(options.calibration)
        except GraspError as error:
            errors.append(error)
        if problems:
            errors.append(UsageError(problems))
        raise_all(errors)
        self.sizes = np.array([float(options.end_effector_step_sizes[axis]) for axis in "xyz"])
        self.recipe = {
            "urdf_path": options.urdf_path,
            "urdf_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "target_frame_name": options.target_frame_name,
            "joint_unit": options.joint_unit,
        }

    def arm(self, names: Sequence[str]) -> Arm:
        """The arm with these recorded joints."""
        where = [names.index(joint) for joint in self.chain.joints]
        return Arm(self.chain, tuple(names), tuple(where), self._degrees(names))

    def _degrees(self, names: Sequence[str]) -> Floats:
        """Degrees of one unit of each joint."""
        degrees = np.ones(len(names))
        if self.options.joint_unit == "degrees":
            return degrees
        for index, name in enumerate(names[:-1]):
            if self._calibration is not None:
                degrees[index] = self._calibration[name]
            elif name == _FULL_TURN:
                degrees[index] = 1.8
            else:
                low, high = self.chain.limits[self.chain.joints.index(name)]
                degrees[index] = math.degrees(high - low) / 200
        return degrees

    @property
    def notes(self) -> Sequence[str]:
        """Remarks about the unit of the joints, for the report."""
        if self.options.joint_unit == "degrees" or self._calibration is not None:
            return []
        return [
            "joint values of -100 and 100 are assumed to be the URDF's limits "
            "(--kinematics.calibration sets others)"
        ]

    def uncalibrated(self, joints: Sequence[str]) -> list[str]:
        """The joints that are missing in the calibration."""
        known = self._calibration
        return [] if known is None else [joint for joint in joints if joint not in known]


def _option_problems(options: KinematicsOptions) -> Iterator[Problem]:
    sizes, where = options.end_effector_step_sizes, "--kinematics.end_effector_step_sizes"
    if set(sizes) != set("xyz") or not all(_is_step(size) for size in sizes.values()):
        message = f"expected a length for each of x, y and z, not {sizes}"
        hint = f"metres, above 0 and up to {_LONGEST_M:g}: '{{x: 0.02, y: 0.02, z: 0.02}}'"
        yield Problem("bad-step-sizes", message, where, hint)
    if not 0 <= options.max_clipped_share <= 1:
        message = f"max_clipped_share must be from 0 to 1, not {options.max_clipped_share}"
        yield Problem("bad-value", message, "--kinematics.max_clipped_share")
    if options.joint_unit not in get_args(JointUnit):
        message = f"joint_unit must be one of {', '.join(get_args(JointUnit))}, not {options.joint_unit!r}"
        yield Problem("unknown-choice", message, "--kinematics.joint_unit")
    if options.calibration is not None and options.joint_unit != "range":
        message = "a calibration applies to joints from -100 to 100; joints in degrees need none"
        yield Problem("contradicting-options", message, "--kinematics.calibration", "remove the option")


def _is_step(size: object) -> bool:
    return isinstance(size, (int, float)) and not isinstance(size, bool) and 0 < size <= _LONGEST_M


def _calibration(path: Path) -> Mapping[str, float]:
    """Degrees of one unit of each motor of a LeRobot calibration file."""
    try:
        raw: Any = json.loads(path.expanduser().read_text(encoding="utf-8"))
        degrees = {
            str(name): (-1 if motor.get("drive_mode") else 1)
            * (int(motor["range_max"]) - int(motor["range_min"]))
            * (360 / _TICKS / 200)
            for name, motor in raw.items()
        }
    except OSError as error:
        raise UsageError(Problem("bad-calibration", str(error.strerror), path)) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        hint = "expected a file of lerobot-calibrate, with range_min and range_max for each motor"
        raise UsageError(Problem("bad-calibration", "not a LeRobot calibration file", path, hint)) from None
    if flat := [name for name, value in degrees.items() if not value]:
        message = f"the range of {', '.join(flat)} is empty"
        raise UsageError(Problem("bad-calibration", message, path))
    return degrees
