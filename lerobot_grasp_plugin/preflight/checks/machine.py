"""Checks files of this machine: calibrations and the robot's URDF."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from lerobot_grasp_plugin.dataset.hub import lerobot_home
from lerobot_grasp_plugin.dataset.installed_files import installed_file
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.preflight.config_view import is_file, named_path
from lerobot_grasp_plugin.preflight.dataset_facts import read_object
from lerobot_grasp_plugin.preflight.facts import SO_ARMS, SO_JOINTS, Facts

_URDF = "env.processor.inverse_kinematics.urdf_path"
_FOLDERS = {
    "so100_follower": "so_follower",
    "so101_follower": "so_follower",
    "so101_follower_hil": "so_follower",
    "so100_leader": "so_leader",
    "so101_leader": "so_leader",
    "so101_leader_hil": "so_leader",
    "koch_follower": "koch_follower",
    "koch_leader": "koch_leader",
}
"""LeRobot's folder of calibrations by config type; types without a calibration are left out."""

_SO_LEADERS = ("so100_leader", "so101_leader", "so101_leader_hil")
_ENDS = ("range_min", "range_max")


def check_machine(facts: Facts) -> Iterator[Problem]:
    """Checks the files that the actor opens before the robot moves."""
    for block, folder in (("env.robot", "robots"), ("env.teleop", "teleoperators")):
        yield from _calibration(facts, block, folder)
    if not facts.end_effector:
        return
    urdf = facts.config.text(_URDF)
    if urdf is None:
        message = "is missing: without it inverse kinematics is off, and actions are zero"
        yield Problem("no-urdf", message, _URDF, "give the robot's URDF file")
        return
    try:
        found = is_file(named_path(installed_file(urdf, _URDF)))
        message = f"the file {urdf!r} does not exist on this machine"
    except UsageError as reason:
        found, message = False, reason.problems[0].message
    if not found:
        yield Problem(
            "no-urdf",
            message,
            _URDF,
            "give the file; the machine that runs the actor needs it",
            severity="warning",
        )


def _calibration(facts: Facts, block: str, folder: str) -> Iterator[Problem]:
    config = facts.config
    name = _FOLDERS.get(config.text(f"{block}.type") or "")
    if name is None:
        return
    identity = config.text(f"{block}.id")
    if identity is None:
        message = "is missing, so LeRobot looks for the calibration None.json"
        yield Problem("calibration-missing", message, f"{block}.id", "give the id of its calibration")
        return
    own = config.text(f"{block}.calibration_dir")
    home = Path(os.environ.get("HF_LEROBOT_CALIBRATION") or lerobot_home() / "calibration").expanduser()
    path = (named_path(own) if own else home / folder / name) / f"{identity}.json"
    if not is_file(path):
        message = f"the calibration of {identity!r} is missing at {path}: connecting asks for one"
        yield Problem("calibration-missing", message, f"{block}.id", "calibrate it, or give its id")
        return
    calibration = read_object(path)
    if calibration is None:
        message = "the calibration is not a JSON object"
        yield Problem("calibration-unreadable", message, path, "recalibrate the arm")
    elif config.text(f"{block}.type") in (*SO_ARMS, *_SO_LEADERS):
        lacking = [joint for joint in SO_JOINTS if not _is_calibrated(calibration.get(joint))]
        if lacking:
            message = (
                f"{', '.join(lacking)}: range_min is not below range_max; connecting asks for a calibration"
            )
            yield Problem("calibration-unreadable", message, path, "recalibrate the arm")


def _is_calibrated(entry: object) -> bool:
    low, high = (entry.get(name) for name in _ENDS) if isinstance(entry, Mapping) else (None, None)
    return isinstance(low, int) and isinstance(high, int) and low < high
