"""The callback by which operations report their progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called from the thread that runs the operation."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """Reports that ``done`` of ``total`` parts of ``step`` are finished."""


def silent(step: str, done: int, total: int) -> None:
    """Shows nothing."""
