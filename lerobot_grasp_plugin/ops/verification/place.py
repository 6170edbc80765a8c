"""Where something was found: the first place, and how much more of it there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.errors import Problem, Severity

_SHOWN_RANGES = 8


@dataclass(slots=True)
class Tally:
    """Rows that are wrong in one way.

    Attributes:
        where: The file of the first one.
        episode: The episode of the first one, 0-based.
        frame: The frame of the first one, 0-based.
        rows: How many there are.
        episodes: Rows of each episode that has any.
        example: What the first one looks like.
    """

    where: str = ""
    episode: int | None = None
    frame: int | None = None
    rows: int = 0
    episodes: dict[int, int] = field(default_factory=dict)
    example: str = ""

    def add(
        self, path: Path | str, episode: int, frame: int | None, rows: int = 1, example: str = ""
    ) -> None:
        """Counts rows of one episode; the first call's place is the one that is shown."""
        if not self.rows:
            self.where, self.episode, self.frame, self.example = str(path), int(episode), frame, example
        self.rows += rows
        self.episodes[int(episode)] = self.episodes.get(int(episode), 0) + rows

    def problem(self, code: str, message: str, hint: str = "", severity: Severity = "error") -> Problem:
        """The finding, at the first place."""
        return Problem(
            code, message, self.where, hint, severity=severity, episode=self.episode, frame=self.frame
        )

    @property
    def extent(self) -> str:
        """``3 rows of episode 7``, or ``20 rows of episodes 0-3, 7``."""
        return f"{count(self.rows, 'row')} of {episodes_text(self.episodes)}"


def count(number: int, noun: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def agree(number: int, one: str, more: str) -> str:
    """The verb that goes with a number: ``one`` with 1, else ``more``."""
    return one if number == 1 else more


def episodes_text(episodes: Iterable[int]) -> str:
    """``episode 7``, or ``episodes 0-3, 7``; many ranges are cut short."""
    numbers = sorted({int(episode) for episode in episodes})
    return ("episode " if len(numbers) == 1 else "episodes ") + ranges_text(numbers)


def ranges_text(numbers: Iterable[int]) -> str:
    """``0-3, 7``; many ranges are cut short."""
    ordered: NDArray[np.int64] = np.array(sorted({int(number) for number in numbers}), dtype=np.int64)
    breaks = np.flatnonzero(np.diff(ordered) != 1) + 1
    ranges = [
        str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}"
        for run in np.split(ordered, breaks)
        if len(run)
    ]
    shown = ", ".join(ranges[:_SHOWN_RANGES])
    left = len(ranges) - _SHOWN_RANGES
    return shown if left <= 0 else f"{shown} and {left} more ranges"
