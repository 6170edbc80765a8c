"""Where something was found: the first place, and how much more of it there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import Problem, Severity
from lerobot_grasp_plugin.findings.words import agree, count, episodes_text, ranges_text

__all__ = ["Tally", "agree", "count", "episodes_text", "ranges_text"]


@dataclass(slots=True)
class Tally:
    """Rows that are wrong in one way.

    Attributes:
        where: The file of the first one.
        episode: The episode of the first one, 0-based; -1 where nothing says which it is.
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

    def problem(
        self, code: str, message: str, hint: str = "", *, severity: Severity | None = None
    ) -> Problem:
        """The finding, at the first place."""
        known = self.episode is not None and self.episode >= 0
        return Problem(
            code,
            message,
            self.where,
            hint,
            severity=severity,
            episode=self.episode if known else None,
            frame=self.frame if known else None,
        )

    @property
    def extent(self) -> str:
        """``3 rows of episode 7``, or ``20 rows of episodes 0-3, 7``."""
        return f"{count(self.rows, 'row')} of {episodes_text(self.episodes)}"
