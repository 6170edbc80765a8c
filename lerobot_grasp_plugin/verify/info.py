"""``info.json`` as far as it can be understood, and all that is wrong with it by itself."""

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
"""Types by the names Arrow has for them, which LeRobot's reader takes as well."""
_TOTALS = {
    "total_episodes": "LeRobot counts through the episodes by it",
    "total_frames": "LeRobot takes it for the length of the dataset",
    "total_tasks": "LeRobot reads no tasks where it is 0 or missing",
}


@dataclass(frozen=True)
class Info:
    """What can be taken from ``info.json``.

    Attributes:
        where: The file.
        raw: Its fields; empty where it cannot be read.
        version: One of ``layout.READABLE_VERSIONS``; None where it does not say.
        fps: Frames per second; None where it does not say.
        features: The entries that are well-formed: ``dtype`` by LeRobot's name, ``shape`` a tuple.
        chunks_size: Files (v3.0) or episodes (v2.x) per chunk folder.
        problems: What is wrong with the file.
    """

    where: Path
    raw: Mapping[str, Any]
    version: str | None
    fps: float | None
    features: Mapping[str, Mapping[str, Any]]
    chunks_size: int
    problems: tuple[Problem, ...]

    def count(self, field: str) -> int | None:
        """A count, or None where there is none."""
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
            problems.append(Problem("bad-info", f"should be an object, and is {short(repr(found))}", where))
    except GraspError as error:
        problems += error.problems
    if not raw:
        if not problems:
            problems.append(Problem("bad-info", "it has no fields", where))
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
    """Takes fields out of ``info.json`` and collects what is wrong with them."""

    def __init__(self, where: Path, raw: Mapping[str, Any], problems: list[Problem]) -> None:
        self.where = where
        self.raw = raw
        self.problems = problems

    def wrong(self, field: str, expected: str, value: object, severity: Severity = "error") -> None:
        message = f"{field} should be {expected}, and is {short(repr(value))}"
        self.problems.append(Problem("bad-info", message, self.where, severity=severity))

    def version(self) -> str | None:
        value = self.raw.get("codebase_version")
        version = layout.readable_version(value)
        if version is not None:
            if value != version:
                message = (
                    f"codebase_version is spelled {short(repr(value))}, LeRobot's own writer has {version!r}"
                )
                hint = "LeRobot reads it as the same; other tools compare the text"
                self.problems.append(Problem("version-spelling", message, self.where, hint))
            return version
        hint = f"known: {', '.join(layout.READABLE_VERSIONS)}"
        message = f"codebase_version {short(repr(value))} is not one that can be read"
        self.problems.append(Problem("unknown-codebase-version", message, self.where, hint))
        return None

    def fps(self) -> float | None:
        value = self.raw.get("fps")
        number = _number(value)
        if number is None or not 0 < number <= 10_000:
            self.wrong("fps", "a positive number of frames per second", value)
            return None
        if not number.is_integer():
            message = f"fps is {value}, and LeRobot's format counts whole frames per second"
            hint = "LeRobot reads it; it records and encodes whole frames per second only"
            self.problems.append(Problem("fractional-fps", message, self.where, hint))
        return number

    def sizes(self) -> int:
        for field in ("chunks_size", "data_files_size_in_mb", "video_files_size_in_mb"):
            value = self.raw.get(field, 1)
            number = _number(value)
            if number is None or not number > 0:
                self.wrong(field, "a positive number (LeRobot refuses to open any other)", value)
            elif field == "chunks_size" and _count(value) is None:
                self.wrong(field, "a whole number of files or episodes in a folder", value)
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
            message = f"features does not declare {name!r}"
            hint = "LeRobot's own writer declares it" + ("; it gives no item without" * (name in _NEEDED))
            self.problems.append(Problem("missing-feature", message, self.where, hint, severity=severity))
        return features

    def _plain_dtype(self, name: str, dtype: str) -> str:
        """The dtype by the name LeRobot's writer has for it."""
        plain = _ALIASES.get(dtype, dtype)
        if plain != dtype:
            message = f"features.{name}.dtype is {dtype!r}, another name of {plain}"
            hint = f"LeRobot reads it, but records and merges by the name: write {plain}"
            self.problems.append(Problem("dtype-alias", message, self.where, hint))
        return plain

    def _rates(self, features: Mapping[str, Mapping[str, Any]]) -> None:
        """``fps`` of features, which converted datasets have."""
        fps = _number(self.raw.get("fps"))
        other = [name for name, entry in features.items() if _number(entry.get("fps", fps)) != fps]
        if other and fps is not None:
            message = f"fps is {fps:g}, features.{other[0]}.fps {short(repr(features[other[0]]['fps']))}"
            self.problems.append(Problem("feature-fps", message, self.where))

    def _names(self, name: str, feature: Mapping[str, Any]) -> None:
        """``names``: of the values, or of the axes; none is right as well."""
        shape, number = feature["shape"], _names_in(feature.get("names"))
        if number in (0, len(shape), math.prod(shape), sum(shape)):
            return
        message = f"features.{name}: {number} names for shape {list(shape)}"
        if number is None:
            message = f"features.{name}.names is {short(repr(feature['names']))}, which is no list of names"
        values = " x ".join(map(str, shape))
        hint = (
            f"name each of the {values} values, or set names to null; robots and policies find values by name"
        )
        self.problems.append(Problem("wrong-names", message, self.where, hint))

    def _codec(self, name: str, feature: Mapping[str, Any]) -> None:
        """``video.codec``, by which LeRobot's edit commands choose the encoder."""
        infos = [feature.get(place) for place in ("info", "video_info")]
        stated = [info["video.codec"] for info in infos if isinstance(info, dict) and "video.codec" in info]
        codec = next(iter(stated), None)
        if feature["dtype"] != "video" or not isinstance(codec, str) or codec in ACCEPTED:
            return
        message = f"features.{name}.info: video.codec is {short(repr(codec))}, which LeRobot does not accept"
        plain = canonical_codec(codec)
        hint = "LeRobot reads such videos; its edits that encode videos stop with an error"
        if plain in ACCEPTED:
            hint = f"LeRobot's edits that encode videos stop with an error; merge and relabel write {plain!r}"
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
            self.wrong(f"features.{name}.shape", "a list of whole numbers", shape)
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
            self.wrong(f"features.{name}.info", "an object (LeRobot refuses to open any other)", info)
        if dtype == "video" and ("/" in name or name in ("", ".", "..") or "\0" in name):
            self.wrong(f"features.{name}", "a name that can be a folder", name)
            return False
        return True


def _names_in(names: object) -> int | None:
    """How many names there are: in a list, in lists by kind (``motors``, ``axes``), or as keys."""
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
