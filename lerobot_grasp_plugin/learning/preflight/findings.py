"""What preflight reports: one disagreement a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]

ORDER: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """Two things that disagree, or one that cannot be right.

    Attributes:
        code: Stable kebab-case name of the kind of finding, e.g. ``image-size``.
        severity: ``error`` for what crashes or silently ruins training, ``warning`` for what probably
            does harm, ``note`` for what should be known.
        where: A path in the config (``env.processor.image_preprocessing.resize_size``), a dataset
            column (``dataset: column action``) or a file.
        message: What disagrees, with both values.
        change: What to change.
    """

    code: str
    severity: Severity
    where: str
    message: str
    change: str

    def __str__(self) -> str:
        return f"{self.where}: {self.severity}: {self.message} [{self.code}]\n    {self.change}"


def error(code: str, where: str, message: str, change: str) -> Finding:
    """A finding that must be settled before training."""
    return Finding(code, "error", where, message, change)


def warning(code: str, where: str, message: str, change: str) -> Finding:
    """A finding that should be settled before training."""
    return Finding(code, "warning", where, message, change)


def note(code: str, where: str, message: str, change: str) -> Finding:
    """A finding to know of."""
    return Finding(code, "note", where, message, change)
