"""Converts an episode's entry in ``grasp_recording.json`` to one for a part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.dataset.cut import Part

_RANGES: Final = ("success", "marked", "suggestion")


def cut_recording(entry: Mapping[str, Any], part: Part, fps: float) -> dict[str, Any]:
    """The entry of a part, from the entry of its episode.

    Frame numbers and times become those of the part; marks and pauses outside it are left out. ``part_of``
    says which frames of the recorded episode it has; all else, such as ``timing``, is of that episode.

    Args:
        entry: The entry of the episode.
        part: Its part.
        fps: Frames per second.
    """
    cut: dict[str, Any] = {}
    for name, value in entry.items():
        if name == "length":
            cut[name] = part.length
        elif name in _RANGES:
            cut[name] = _ranges(value, part)
        elif name == "pauses" and isinstance(value, list):
            cut[name] = list(_pauses(value, part))
        elif name == "keys" and isinstance(value, list):
            cut[name] = list(_keys(value, part, fps))
        elif name == "hooks" and isinstance(value, Mapping):
            cut[name] = {hook: _of_hook(record, part) for hook, record in value.items()}
        else:
            cut[name] = value
    start, length = part.start, entry.get("length")
    match entry.get("part_of"):
        case {"start": int(before), "length": whole}:
            start, length = start + before, whole
    cut["part_of"] = {"start": start, "stop": start + part.length, "length": length}
    return cut


def _ranges(value: Any, part: Part) -> Any:
    with suppress(ValueError, TypeError):
        return IntervalSet.of_pairs(value).within(part.start, part.stop).pairs()
    return value


def _pauses(pauses: list[Any], part: Part) -> Iterator[Any]:
    for pause in pauses:
        match pause:
            case [int(frame), *rest]:
                if part.start <= frame < part.stop:
                    yield [frame - part.start, *rest]
            case _:
                yield pause


def _keys(keys: list[Any], part: Part, fps: float) -> Iterator[Any]:
    for key in keys:
        match key:
            case {"frame_index": int(frame)}:
                if part.start <= frame < part.stop:
                    yield {name: _moved(name, value, part, fps) for name, value in key.items()}
            case _:
                yield key


def _moved(name: str, value: Any, part: Part, fps: float) -> Any:
    if name in ("frame_index", "from_frame") and isinstance(value, int):
        return max(0, value - part.start)
    if name == "time_s" and isinstance(value, int | float):
        return round(max(0.0, value - part.start / fps), 3)
    return value


def _of_hook(record: Any, part: Part) -> Any:
    if not isinstance(record, Mapping):
        return record
    return {name: _ranges(value, part) if name in _RANGES else value for name, value in record.items()}
