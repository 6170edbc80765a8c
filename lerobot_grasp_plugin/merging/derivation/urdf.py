"""Reads the chain of joints from an arm's base to one of its frames from a URDF file."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.kinematics import Chain, Link
from lerobot_grasp_plugin.findings.problem import Problem, UsageError

_TURNING: Final = ("revolute", "continuous")
_LARGEST_BYTES: Final = 16 * 2**20


def read_chain(path: Path, frame: str) -> Chain:
    """The chain that ends in ``frame``.

    Args:
        path: The URDF file.
        frame: The frame, a link of the URDF: ``gripper_frame_link``.

    Raises:
        UsageError: The file cannot be read, is not a URDF, or has no such chain of revolute joints.
    """
    joints = _by_child(path)
    if frame not in joints:
        names = ", ".join(joints) or "none"
        message = f"target_frame_name: the URDF has no frame {frame!r}"
        raise UsageError(Problem("unknown-frame", message, path, f"frames: {names}"))
    links: list[Link] = []
    child, seen = frame, {frame}
    while child in joints:
        joint = joints[child]
        links.append(_link(joint, path))
        child = _attribute(joint, "parent", "link", path)
        if child in seen:
            raise _bad(path, f"link {child!r} is its own parent")
        seen.add(child)
    return Chain(links[::-1])


def _by_child(path: Path) -> Mapping[str, ET.Element]:
    """Link -> the joint that leads to it."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise _bad(path, "the file is too large")
        text = path.read_text(encoding="utf-8")
        if "<!ENTITY" in text:
            raise _bad(path, "the file declares XML entities")
        root = ET.fromstring(text)
    except OSError as error:
        problem = Problem("no-urdf", f"the URDF cannot be read: {error.strerror}", path)
        raise UsageError(problem) from None
    except (ET.ParseError, UnicodeDecodeError) as error:
        raise _bad(path, str(error)) from None
    if root.tag != "robot":
        raise _bad(path, f"the root element is <{root.tag}>, not <robot>")
    return {_attribute(joint, "child", "link", path): joint for joint in root.iterfind("joint")}


def _link(joint: ET.Element, path: Path) -> Link:
    name, kind = joint.get("name", ""), joint.get("type", "")
    origin = joint.find("origin")
    offset, turn = (
        _numbers(origin.get(key, "0 0 0") if origin is not None else "0 0 0", path) for key in ("xyz", "rpy")
    )
    if kind == "fixed":
        return Link(name, offset, _rotation(turn))
    if kind not in _TURNING:
        raise _bad(path, f"joint {name!r} is {kind or 'without a type'}; only revolute joints are supported")
    axis_entry, limit = joint.find("axis"), joint.find("limit")
    axis = _numbers(axis_entry.get("xyz", "1 0 0") if axis_entry is not None else "1 0 0", path)
    length = float(np.linalg.norm(axis))
    if not length > 0:
        raise _bad(path, f"joint {name!r} has no axis")
    limits = (-np.inf, np.inf)
    if limit is not None and kind == "revolute":
        low, high = _numbers(f"{limit.get('lower', '0')} {limit.get('upper', '0')} 0", path)[:2]
        limits = (float(low), float(high))
    return Link(name, offset, _rotation(turn), axis / length, limits)


def _attribute(joint: ET.Element, tag: str, key: str, path: Path) -> str:
    entry = joint.find(tag)
    value = None if entry is None else entry.get(key)
    if value is None:
        raise _bad(path, f"joint {joint.get('name', '')!r} has no {tag}")
    return value


def _numbers(text: str, path: Path) -> NDArray[np.float64]:
    try:
        values = np.array(list(_floats(text)))
    except ValueError:
        values = np.empty(0)
    if values.shape != (3,) or not np.isfinite(values).all():
        raise _bad(path, f"{text!r} is not three numbers")
    return values


def _floats(text: str) -> Iterator[float]:
    return map(float, text.split())


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix of fixed-axis roll, pitch and yaw, (3, 3)."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(angles), np.sin(angles)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def _bad(path: Path, reason: str) -> UsageError:
    hint = "give the URDF of the arm that was recorded, with --kinematics.urdf_path"
    return UsageError(Problem("bad-urdf", f"not the URDF of an arm: {reason}", path, hint))
