"""An object of a sidecar, read field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.findings.problem import Place, Problem
from lerobot_grasp_plugin.findings.words import short

LATER: Final = "another version of this package may have written it"
"""Why the format of a sidecar may be unknown."""


@dataclass(frozen=True)
class Entry:
    """An object of a JSON file; errors of fields become problems.

    Attributes:
        values: Its fields.
        name: Its place in the file, such as ``sources[0]``; empty for the whole file.
        path: The file.
        problems: The file's errors, as warnings.
    """

    values: Mapping[str, Any]
    name: str
    path: Path
    problems: list[Problem]

    @classmethod
    def of(cls, raw: object, name: str, path: Path, problems: list[Problem]) -> Entry:
        """The entry of a JSON value; another value than an object is a problem."""
        entry = cls(raw if isinstance(raw, Mapping) else {}, name, path, problems)
        if not isinstance(raw, Mapping):
            message = f"{short(repr(raw))} is not an object"
            problems.append(Problem("bad-sidecar", message, Place(str(path), field=name), severity="warning"))
        return entry

    def note(self, key: str, message: str) -> None:
        """Adds a problem of a field."""
        place = Place(str(self.path), field=f"{self.name}.{key}" if self.name else key)
        self.problems.append(Problem("bad-sidecar", message, place, severity="warning"))

    def get[T](self, key: str, kind: type[T], expected: str, *, required: bool = False) -> T | None:
        """The value of a field; None if it is null, missing or invalid."""
        value = self.values.get(key)
        if value is None and required:
            self.note(key, f"is missing; expected {expected}")
        if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
            return value
        self.note(key, f"{short(repr(value))} is not {expected}")
        return None
