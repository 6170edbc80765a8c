"""Reads ``info.json`` as far as possible, and collects its errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.codecs import ACCEPTED, canonical_codec
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.findings.problem import GraspError, Problem, Severity
from lerobot_grasp_plugin.findings.words import short

_MAX_VALUES = 2**28
_INTEGERS = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_DTYPES = _INTEGERS | {"bool", "float16", "float32", "float64", "image", "video", "string", "language"}
_NEEDED = (layout.EPISODE_INDEX, layout.INDEX, layout.TASK_INDEX, layout.TIMESTAMP)
"""Columns without which LeRobot cannot give an item."""


_ALIASES = {"float": "float32", "double": "float64"}
_ALIASES |= dict.fromkeys(("utf8", "large_utf8", "large_string", "string_view"), "string")
"""Arrow's names of types, which LeRobot's reader accepts too."""
_TOTALS = {
    "total_episodes": "LeRobot iterates over the episodes by it",
    "total_frames": "LeRobot uses it as the length of the dataset",
    "total_tasks": "LeRobot reads no tasks if it is 0 or missing",
}


@dataclass(frozen=True)
class Info:
    """The valid contents of ``info.json``.

    Attributes:
        where: The file.
        raw: Its fields; empty if it cannot be read.
        version: One of ``layout.READABLE_VERSIONS``; None if unknown.
        fps: Frames per second; None if unknown.
        features: The well-formed entries: ``dtype`` by LeRobot's name, ``shape`` a tuple.
        chunks_size: Files (v3.0) or episodes (v2.x) per chunk folder.
        problems: The file's errors.
    """

    where: Path
    raw: Mapping[str, Any]
    version: str | None
    fps: float | None
    features: Mapping[str, Mapping[str, Any]]
    chunks_size: int
    problems: tuple[Problem, ...]

    def count(self, field: str) -> int | None:
        """A count, or None without one."""
        return _count(self.raw.get(field))

    def keys(self, *dtypes: str) -> list[str]:
        """Names of the features of some dtypes."""
        return [name for name, feature in self.features.items() if feature["dtype"] in dtypes]


def inspect_info(root: Path) -> Info:
    """Reads ``meta/info.json`` of a folder that may be damaged in any way."""
    where = root / layout.INFO_PATH
    problems: list[Problem] = []
    raw: Mapping[str, Any] = {}
    try:
        found = read_json(root / layout.INFO_PATH)
        if isinstance(found, dict):
            raw = found
        else:
            problems.append(Problem("bad-info", f"expected an object, found {short(repr(found))}", where))
    except GraspError as error:
        problems += error.problems
    if not raw:
        if not problems:
            problems.append(Problem("bad-info", "the file has no fields", where))
        return Info(where, {}, None, None, {}, layout.CHUNKS_SIZE, tuple(problems))
    reader = _Fields(where, raw, problems)
    version = reader.version()
    fps = reader.fps()
    features = reader.features()
    chunks = reader.sizes()
    reader.totals()
    for field, kind in (("robot_type", str), ("splits", dict), ("tools", list)):
        value = raw.get(field)
        if value is not None and not isinstance(value, kind):
            reader.wrong(field, f"a {kind.__name__} or null", value, "warning")
    return Info(where, raw, version, fps, features, chunks, tuple(problems))


class _Fields:
    """Reads fields of ``info.json`` and collects their errors."""

    def __init__(self, where: Path, raw: Mapping[str, Any], problems: list[Problem]) -> None:
        self.where = where
        self.raw = raw
        self.problems = problems

    def wrong(self, field: str, expected: str, value: object, severity: Severity = "error") -> None:
        message = f"{field} should be {expected}, not {short(repr(value))}"
        self.problems.append(Problem("bad-info", message, self.where, severity=severity))

    def version(self) -> str | None:
        value = self.raw.get("codebase_version")
        version = layout.readable_version(value)
        if version is not None:
            if value != version:
                message = (
                    f"codebase_version is {short(repr(value))}, LeRobot's own writer spells it {version!r}"
                )
                hint = "LeRobot accepts both, but other tools compare the text"
                self.problems.append(Problem("version-spelling", message, self.where, hint))
            return version
        hint = f"known: {', '.join(layout.READABLE_VERSIONS)}"
        message = f"codebase_version {short(repr(value))} is not supported"
        self.problems.append(Problem("unknown-codebase-version", message, self.where, hint))
        return None

    def fps(self) -> float | None:
        value = self.raw.get("fps")
        number = _number(value)
        if number is None or not 0 < number <= 10_000:
            self.wrong("fps", "a positive number of frames per second", value)
            return None
        if not number.is_integer():
            message = f"fps is {value}, but LeRobot's format expects an integer"
            hint = "LeRobot reads it, but records and encodes integer frame rates only"
            self.problems.append(Problem("fractional-fps", message, self.where, hint))
        return number

    def sizes(self) -> int:
        for field in ("chunks_size", "data_files_size_in_mb", "video_files_size_in_mb"):
            value = self.raw.get(field, 1)
            number = _number(value)
            if number is None or not number > 0:
                self.wrong(field, "a positive number (LeRobot refuses all others)", value)
            elif field == "chunks_size" and _count(value) is None:
                self.wrong(field, "an integer, the number of files or episodes per folder", value)
        chunks = _count(self.raw.get("chunks_size"))
        return chunks if chunks else layout.CHUNKS_SIZE

    def totals(self) -> None:
        for field, use in _TOTALS.items():
            value = self.raw.get(field)
            count = _count(value)
            if count is None:
                self.wrong(field, f"a count ({use})", value)
            elif isinstance(value, float):
                harmless: Severity = "warning" if field == "total_tasks" else "error"
                self.wrong(field, f"{count}, without a decimal point ({use})", value, harmless)

    def features(self) -> dict[str, Mapping[str, Any]]:
        raw = self.raw.get("features")
        if not isinstance(raw, dict) or not raw:
            self.wrong("features", "an object with an entry for each feature", raw)
            return {}
        features: dict[str, Mapping[str, Any]] = {}
        for name, entry in raw.items():
            if self._feature(name, entry):
                dtype = self._plain_dtype(name, entry["dtype"])
                features[name] = {**entry, "dtype": dtype, "shape": tuple(entry["shape"])}
                self._names(name, features[name])
                self._codec(name, features[name])
        self._rates(features)
        for name in (*_NEEDED, layout.FRAME_INDEX):
            if name in raw:
                continue
            severity: Severity = "error" if name in _NEEDED else "warning"
            message = f"{name!r} is missing in features"
            hint = "LeRobot's own writer always declares it" + (
                "; without it LeRobot returns no item" * (name in _NEEDED)
            )
            self.problems.append(Problem("missing-feature", message, self.where, hint, severity=severity))
        return features

    def _plain_dtype(self, name: str, dtype: str) -> str:
        """The dtype by the name that LeRobot's writer uses."""
        plain = _ALIASES.get(dtype, dtype)
        if plain != dtype:
            message = f"features.{name}.dtype is {dtype!r}, an alias of {plain}"
            hint = f"LeRobot reads it, but its recorder and merge compare names: write {plain}"
            self.problems.append(Problem("dtype-alias", message, self.where, hint))
        return plain

    def _rates(self, features: Mapping[str, Mapping[str, Any]]) -> None:
        """Checks ``fps`` of features, which converted datasets have."""
        fps = _number(self.raw.get("fps"))
        other = [name for name, entry in features.items() if _number(entry.get("fps", fps)) != fps]
        if other and fps is not None:
            message = (
                f"fps is {fps:g}, but features.{other[0]}.fps is {short(repr(features[other[0]]['fps']))}"
            )
            self.problems.append(Problem("feature-fps", message, self.where))

    def _names(self, name: str, feature: Mapping[str, Any]) -> None:
        """Checks ``names``, which are of the values or of the axes; none is valid too."""
        shape, number = feature["shape"], _names_in(feature.get("names"))
        if number in (0, len(shape), math.prod(shape), sum(shape)):
            return
        message = f"features.{name}: {number} names for shape {list(shape)}"
        if number is None:
            message = f"features.{name}.names is {short(repr(feature['names']))}, not a list of names"
        values = " x ".join(map(str, shape))
        hint = (
            f"give a name for each of the {values} values, or set names to null; robots and policies "
            "find values by name"
        )
        self.problems.append(Problem("wrong-names", message, self.where, hint))

    def _codec(self, name: str, feature: Mapping[str, Any]) -> None:
        """Checks ``video.codec``, by which LeRobot's edit commands choose the encoder."""
        infos = [feature.get(place) for place in ("info", "video_info")]
        stated = [info["video.codec"] for info in infos if isinstance(info, dict) and "video.codec" in info]
        codec = next(iter(stated), None)
        if feature["dtype"] != "video" or not isinstance(codec, str) or codec in ACCEPTED:
            return
        message = f"features.{name}.info: video.codec is {short(repr(codec))}, which LeRobot does not accept"
        plain = canonical_codec(codec)
        hint = "LeRobot reads such videos, but its edit commands cannot encode them"
        if plain in ACCEPTED:
            hint = f"LeRobot's edit commands cannot encode such videos; merge and relabel write {plain!r}"
        self.problems.append(Problem("codec-name", message, self.where, hint))

    def _feature(self, name: str, entry: object) -> bool:
        if not isinstance(entry, dict):
            self.wrong(f"features.{name}", "an object", entry)
            return False
        dtype, shape = entry.get("dtype"), entry.get("shape")
        if not isinstance(dtype, str):
            self.wrong(f"features.{name}.dtype", "a string", dtype)
        elif dtype not in _DTYPES and dtype not in _ALIASES:
            self.wrong(f"features.{name}.dtype", f"one of {', '.join(sorted(_DTYPES))}", dtype)
        whole = isinstance(shape, list) and all(type(n) is int and 0 <= n < 2**31 for n in shape)
        if not isinstance(shape, list) or not whole or not shape or math.prod(shape) > _MAX_VALUES:
            self.wrong(f"features.{name}.shape", "a list of integers", shape)
            return False
        if 0 in shape and dtype in ("image", "video"):
            self.wrong(f"features.{name}.shape", "height, width and channels, none of them 0", shape)
            return False
        if not isinstance(dtype, str):
            return False
        if dtype in ("image", "video") and len(shape) != 3:
            self.wrong(f"features.{name}.shape", "height, width and channels", shape)
        elif len(shape) > 5:
            self.wrong(f"features.{name}.shape", "of at most 5 dimensions", shape)
        info = entry.get("info")
        if dtype == "video" and info is not None and not isinstance(info, dict):
            self.wrong(f"features.{name}.info", "an object (LeRobot refuses all others)", info)
        if dtype == "video" and ("/" in name or name in ("", ".", "..") or "\0" in name):
            self.wrong(f"features.{name}", "a valid folder name", name)
            return False
        return True


def _names_in(names: object) -> int | None:
    """Number of names: in a list, in lists by kind (``motors``, ``axes``), or as keys."""
    if names is None:
        return 0
    if isinstance(names, str):
        return 1
    if not isinstance(names, (list, dict)):
        return None
    inner = names if isinstance(names, list) else names.values()
    counts = [_names_in(each) if isinstance(each, (list, dict)) else 1 for each in inner]
    return None if None in counts else sum(count for count in counts if count is not None)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if -1e18 < value < 1e18 else None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < 2**62 and value == int(value) else None
