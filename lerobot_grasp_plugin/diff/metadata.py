"""Compares what two datasets say of themselves: features, fps, robot_type, tasks, files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lerobot_grasp_plugin.dataset.info import DatasetInfo, Feature
from lerobot_grasp_plugin.diff.report import Difference
from lerobot_grasp_plugin.diff.side import Side


def compare_metadata(a: Side, b: Side) -> Iterator[Difference]:
    """Differences besides the episodes. The format version and places of files are none."""
    one, other = a.reader.info, b.reader.info
    if one.fps != other.fps:
        yield Difference("fps", "", one.fps, other.fps)
    if one.robot_type != other.robot_type:
        yield Difference("robot_type", "", one.robot_type, other.robot_type)
    yield from _by_name("features", _features(one), _features(other))
    yield from _by_name("info", _keys(one), _keys(other))
    tasks = [frozenset(side.reader.tasks.values()) for side in (a, b)]
    for field, (first, second) in (("tasks", tasks), ("files", (a.files, b.files))):
        for name in sorted(first ^ second):
            yield Difference(field, name, name in first, name in second)


def _by_name(field: str, one: dict[str, Any], other: dict[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*one, *other]):
        if one.get(name) != other.get(name):
            yield Difference(field, name, one.get(name), other.get(name))


def _features(info: DatasetInfo) -> dict[str, Any]:
    return {name: _feature(feature) for name, feature in info.features.items()}


def _feature(feature: Feature) -> dict[str, Any]:
    """What an entry says of the values; how its file is encoded is left out."""
    image = feature.image_shape if feature.dtype in ("image", "video") else None
    if image is None:
        return {"dtype": feature.dtype, "shape": list(feature.shape), "names": feature.dimensions}
    channels, height, width = image
    shape = [height, width, channels]
    return {"dtype": feature.dtype, "shape": shape, "is_depth_map": feature.is_depth}


def _keys(info: DatasetInfo) -> dict[str, Any]:
    """Keys that LeRobot does not define, and the tools."""
    return {**info.unknown, **({} if not info.tools else {"tools": info.tools})}
