"""Reads ``meta/info.json`` of any supported version into typed values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.timeline import exact_fps
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.file_format import format_of
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.findings.words import short

NOT_JSON_HINT = "fix it by hand, or copy it again from the dataset's source"
_MAX_JSON_BYTES = 64 * 2**20
_MAX_VALUES = 2**28
"""Values a feature may have per frame; an image of 16k has half of that."""


_CHANNELS = (1, 3, 4)
_FEATURE_KEYS = frozenset({"info", "video_info", "fps"})
_KNOWN_KEYS = frozenset(
    {
        *("codebase_version", "fps", "features", "robot_type", "splits", "tools"),
        *("total_episodes", "total_frames", "total_tasks", "total_videos", "total_chunks"),
        *("chunks_size", "data_files_size_in_mb", "video_files_size_in_mb", "data_path", "video_path"),
    }
)
"""Keys of ``info.json`` that some version of LeRobot writes."""


def is_depth(entry: Mapping[str, Any]) -> bool:
    """Whether the entry of a feature marks its images as depth maps.

    LeRobot has used two names in two places for this mark, and reads all of them.
    """
    places = [entry.get(place) for place in ("info", "video_info")]
    marks = ("is_depth_map", "video.is_depth_map")
    return any(bool(place.get(mark)) for place in places if isinstance(place, Mapping) for mark in marks)


@dataclass(frozen=True, slots=True)
class Feature:
    """One entry of ``features``.

    Attributes:
        dtype: ``float32``, ``int64``, ``bool``, ``string``, ``image``, ``video``, ...
        shape: Without the batch axis; ``(1,)`` for scalars, ``(height, width, channels)`` for images.
        names: Names of the dimensions, or None.
        extra: Every other key, unchanged (``info``, ``fps``, ...).
    """

    dtype: str
    shape: tuple[int, ...]
    names: Any
    extra: Mapping[str, Any]

    @property
    def video_info(self) -> Mapping[str, Any]:
        """The file's entry on the video stream (``video.codec``, ``video.pix_fmt``, ...).

        ``info``, and what only the older ``video_info`` says; a mark of depth maps under its present name.
        """
        places = [self.extra.get(place) for place in ("video_info", "info")]
        info = {key: value for place in places if isinstance(place, Mapping) for key, value in place.items()}
        if self.is_depth:
            info.pop("video.is_depth_map", None)
            info["is_depth_map"] = True
        return info

    @property
    def dimensions(self) -> list[str]:
        """Names of the dimensions in order; empty without names."""
        names = self.names
        if isinstance(names, Mapping):
            if len(names) == 1 and isinstance(next(iter(names.values())), list):
                return [str(entry) for entry in next(iter(names.values()))]
            if all(type(place) is int for place in names.values()):
                return [str(entry) for entry in sorted(names, key=names.__getitem__)]
        return [str(entry) for entry in names] if isinstance(names, (Mapping, list, tuple)) else []

    @property
    def is_channels_first(self) -> bool:
        """Whether the shape of a camera is (channels, height, width).

        The numbers decide if only one end can be channels, whatever the names say; otherwise the names.
        """
        first, last = self.shape[0] in _CHANNELS, self.shape[-1] in _CHANNELS
        return first if first != last else self.dimensions[:1] in (["channel"], ["channels"])

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """(channels, height, width) of a camera's images; None if the shape is not of images."""
        if len(self.shape) != 3:
            return None
        first, second, third = self.shape
        return (first, second, third) if self.is_channels_first else (third, first, second)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of a camera's images, whether the channels are first or last."""
        height, width = self.shape[-2:] if self.is_channels_first else self.shape[:2]
        return height, width

    @property
    def is_depth(self) -> bool:
        """Whether the images are depth maps."""
        return is_depth(self.extra)

    @property
    def unknown(self) -> dict[str, Any]:
        """The keys that LeRobot does not define."""
        return {key: value for key, value in self.extra.items() if key not in _FEATURE_KEYS}

    def to_json(self) -> dict[str, Any]:
        """The entry as ``info.json`` spells it; ``video_info`` of v2.0 becomes ``info``."""
        entry: dict[str, Any] = {"dtype": self.dtype, "shape": list(self.shape), "names": self.names}
        info = self.video_info
        if info:
            entry["info"] = info
        return entry | {key: value for key, value in self.extra.items() if key not in ("info", "video_info")}

    def with_video_info(self, info: Mapping[str, Any]) -> Feature:
        """The same feature with another ``info``."""
        extra = {key: value for key, value in self.extra.items() if key not in ("info", "video_info")}
        return replace(self, extra={**extra, "info": dict(info)})


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """``meta/info.json``.

    Attributes:
        codebase_version: One of ``layout.READABLE_VERSIONS``.
        fps: Frames per second; an int if it is an integer.
        features: By name, in the file's order.
        total_episodes: As the file claims.
        total_frames: As the file claims.
        robot_type: As in the file: text, None, or another value, which LeRobot also reads.
        chunks_size: Files (v3.0) or episodes (v2.x) per chunk folder.
        data_path: Template of the tables.
        video_path: Template of the videos; None without videos.
        splits: As in the file: a mapping of names to ranges, or another value.
        tools: Tool schemas (``tools``), or None.
        unknown: Every key that LeRobot does not write, and ``tools`` that are not a list.
    """

    codebase_version: str
    fps: float
    features: Mapping[str, Feature]
    total_episodes: int
    total_frames: int
    robot_type: Any
    chunks_size: int
    data_path: str
    video_path: str | None
    splits: Any
    tools: Sequence[Any] | None
    unknown: Mapping[str, Any]

    @property
    def video_keys(self) -> tuple[str, ...]:
        """Cameras stored as video."""
        return tuple(key for key, feature in self.features.items() if feature.dtype == "video")

    @property
    def image_keys(self) -> tuple[str, ...]:
        """Cameras stored as images in the table."""
        return tuple(key for key, feature in self.features.items() if feature.dtype == "image")

    @property
    def camera_keys(self) -> tuple[str, ...]:
        """All cameras."""
        return tuple(key for key, feature in self.features.items() if feature.dtype in ("video", "image"))

    @property
    def column_keys(self) -> tuple[str, ...]:
        """Features that are columns of the table: all but videos."""
        return tuple(key for key, feature in self.features.items() if feature.dtype != "video")

    @property
    def is_v3(self) -> bool:
        """Whether several episodes share a file."""
        return self.codebase_version == "v3.0"


def parse_json(data: bytes) -> Any:
    """Parses JSON of a dataset, and makes sure that every text can be written again.

    Raises:
        ValueError: It is not UTF-8, not JSON, or escapes half a character.
    """
    value = json.loads(data.decode("utf-8"))
    if b"\\ud" in data.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value


def read_json(path: Path) -> Any:
    """Reads a JSON file of a dataset.

    Raises:
        DatasetError: Missing, too large to be metadata, not UTF-8, or not JSON.
    """
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            message = f"the metadata file is too large ({path.stat().st_size} bytes)"
            raise DatasetError(Problem("bad-json", message, path))
        return parse_json(path.read_bytes())
    except FileNotFoundError:
        raise DatasetError(layout.missing(path)) from None
    except OSError as error:
        raise DatasetError(Problem("unreadable-file", error.strerror or str(error), path)) from None
    except (ValueError, RecursionError) as error:
        message = f"not a JSON file: {error}"
        raise DatasetError(Problem("bad-json", message, path, NOT_JSON_HINT)) from None


def read_info(root: Path) -> DatasetInfo:
    """Reads and checks ``meta/info.json``.

    Raises:
        DatasetError: With all values that this package does not support.
    """
    path = root / layout.INFO_PATH
    raw = read_json(path)
    checker = _Checker(path, raw if isinstance(raw, dict) else {})
    if not isinstance(raw, dict):
        checker.wrong("info.json", "an object", raw)
    version = checker.version()
    templates = format_of(version).templates
    tools = checker.raw.get("tools")
    unknown = {key: value for key, value in checker.raw.items() if key not in _KNOWN_KEYS}
    info = DatasetInfo(
        codebase_version=version,
        fps=checker.fps(),
        features=checker.features(),
        total_episodes=checker.count("total_episodes"),
        total_frames=checker.count("total_frames"),
        robot_type=checker.raw.get("robot_type"),
        chunks_size=checker.count("chunks_size", layout.CHUNKS_SIZE) or layout.CHUNKS_SIZE,
        data_path=checker.optional("data_path", str) or templates["data_path"],
        video_path=checker.optional("video_path", str) or templates["video_path"],
        splits=checker.raw.get("splits") or {},
        tools=tools if isinstance(tools, list) else None,
        unknown=unknown if tools is None or isinstance(tools, list) else {**unknown, "tools": tools},
    )
    if checker.problems:
        raise DatasetError(checker.problems)
    return info


class _Checker:
    """Reads fields of ``info.json`` and collects their errors."""

    def __init__(self, where: Path, raw: Mapping[str, Any]) -> None:
        self.where = where
        self.raw = raw
        self.problems: list[Problem] = []

    def wrong(self, field: str, expected: str, value: object) -> None:
        message = f"{field} should be {expected}, not {short(repr(value))}"
        self.problems.append(Problem("bad-info", message, self.where))

    def version(self) -> str:
        value = self.raw.get("codebase_version")
        version = layout.readable_version(value)
        if version is not None:
            return version
        known = ", ".join(layout.READABLE_VERSIONS)
        message = f"codebase_version {value!r} is not supported"
        self.problems.append(Problem("unknown-codebase-version", message, self.where, f"supported: {known}"))
        return layout.CODEBASE_VERSION

    def fps(self) -> float:
        value = self.raw.get("fps")
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 10_000:
            with suppress(ValueError):
                exact_fps(value)
                return int(value) if value == int(value) else value
        self.wrong("fps", "a positive number", value)
        return 1

    def count(self, field: str, default: int | None = None) -> int:
        value = self.raw.get(field, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62:
            return value
        self.wrong(field, "a count", value)
        return 0

    def optional[T](self, field: str, kind: type[T]) -> T | None:
        value = self.raw.get(field)
        if value is None or isinstance(value, kind):
            return value
        self.wrong(field, f"a {kind.__name__} or null", value)
        return None

    def features(self) -> dict[str, Feature]:
        raw = self.raw.get("features")
        if not isinstance(raw, dict) or not raw:
            self.wrong("features", "an object with an entry for each feature", raw)
            return {}
        features = {}
        for name, entry in raw.items():
            if not isinstance(entry, dict):
                self.wrong(f"features.{name}", "an object", entry)
                continue
            dtype, shape = entry.get("dtype"), entry.get("shape")
            if not isinstance(dtype, str):
                self.wrong(f"features.{name}.dtype", "a string", dtype)
                continue
            if not isinstance(shape, list) or not all(isinstance(n, int) and 0 <= n < 2**31 for n in shape):
                self.wrong(f"features.{name}.shape", "a list of integers", shape)
                continue
            if dtype in ("image", "video") and 0 in shape:
                self.wrong(f"features.{name}.shape", "height, width and channels", shape)
                continue
            if math.prod(shape) > _MAX_VALUES:
                self.wrong(f"features.{name}.shape", f"at most {_MAX_VALUES} values per frame", shape)
                continue
            if dtype == "video" and ("/" in name or name in ("", ".", "..")):
                self.wrong(f"features.{name}", "a valid folder name", name)
                continue
            extra = {key: value for key, value in entry.items() if key not in ("dtype", "shape", "names")}
            features[name] = Feature(dtype, tuple(shape), entry.get("names"), extra)
        return features
