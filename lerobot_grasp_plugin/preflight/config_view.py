"""Reads a training config as plain JSON, so that one broken field does not hide the others."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.findings.problem import Problem, UsageError


@dataclass(frozen=True)
class ConfigView:
    """The config's values by dotted path. A value of the wrong type counts as absent.

    Attributes:
        path: The file.
        raw: Its content.
    """

    path: Path
    raw: Mapping[str, Any]

    def get(self, dotted: str) -> Any:
        """The value at a path such as ``env.processor.reset``; None if absent."""
        value: Any = self.raw
        for name in dotted.split("."):
            if not isinstance(value, Mapping):
                return None
            value = value.get(name)
        return value

    def has(self, dotted: str) -> bool:
        """Whether the key exists, even with null."""
        parent, _, name = dotted.rpartition(".")
        value = self.get(parent) if parent else self.raw
        return isinstance(value, Mapping) and name in value

    def number(self, dotted: str, default: float | None = None) -> float | None:
        """A number."""
        value = self.get(dotted)
        return value if is_number(value) else default

    def flag(self, dotted: str, default: bool) -> bool:
        """A boolean."""
        value = self.get(dotted)
        return value if isinstance(value, bool) else default

    def text(self, dotted: str) -> str | None:
        """A string."""
        value = self.get(dotted)
        return value if isinstance(value, str) else None

    def with_dataset_root(self, root: str | Path) -> ConfigView:
        """The same config with another folder of the dataset."""
        dataset = {**self.mapping("dataset"), "root": str(root)}
        return ConfigView(self.path, {**self.raw, "dataset": dataset})

    def mapping(self, dotted: str) -> Mapping[str, Any]:
        """An object; empty if absent."""
        value = self.get(dotted)
        return value if isinstance(value, Mapping) else {}


def read_config(path: Path) -> ConfigView:
    """Reads a config file.

    Raises:
        UsageError: It cannot be read, or is not a JSON object.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise UsageError(Problem("config-unreadable", reason.strerror or str(reason), path)) from None
    except (UnicodeDecodeError, ValueError, RecursionError) as reason:
        raise UsageError(Problem("config-unreadable", f"not a JSON file: {reason}", path)) from None
    if not isinstance(raw, dict):
        raise UsageError(Problem("config-unreadable", "not a JSON object", path))
    return ConfigView(path, raw)


def is_number(value: Any) -> bool:
    """Whether it is a number: not a boolean, infinity or NaN (which Python accepts in JSON)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def named_path(name: str) -> Path:
    """The path of a setting, with ``~`` resolved if possible."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def is_folder(path: Path) -> bool:
    """Whether a folder exists; accepts any path."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether a file exists; accepts any path."""
    try:
        return path.is_file()
    except OSError:
        return False


def shape_of(feature: Any) -> tuple[int, ...] | None:
    """``shape`` of one entry of a feature map; None if missing or invalid."""
    shape = feature.get("shape") if isinstance(feature, Mapping) else None
    if isinstance(shape, (list, tuple)) and shape and all(type(size) is int and size > 0 for size in shape):
        return tuple(shape)
    return None


def is_image(key: str, feature: Any = None) -> bool:
    """Whether a feature holds images, by its type or, as LeRobot's policy does, by its name."""
    kind = feature.get("type") if isinstance(feature, Mapping) else None
    return kind == "VISUAL" if isinstance(kind, str) else key.startswith("observation.image")


def numbers_of(value: Any) -> tuple[float, ...] | None:
    """A (nested) list of numbers, flattened; None for an empty one and for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (float(value),)
    if not isinstance(value, (list, tuple)):
        return None
    flat: list[float] = []
    for item in value:
        inner = numbers_of(item)
        if inner is None:
            return None
        flat += inner
    return tuple(flat) or None
