"""Tallies the rows of one kind of finding: the first place, and the number of rows and episodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import EPISODES, NOWHERE, Place, Problem, Severity, the_episodes
from lerobot_grasp_plugin.findings.words import agree, count, episodes_text, ranges_text

__all__ = ["Tally", "agree", "count", "episodes_text", "ranges_text"]


@dataclass(slots=True)
class Tally:
    """Rows that are wrong in one way.

    Attributes:
        place: The first place.
        rows: Number of rows.
        episodes: Rows of each episode that has any.
        example: Description of the first one.
    """

    place: Place = NOWHERE
    rows: int = 0
    episodes: dict[int, int] = field(default_factory=dict)
    example: str = ""

    def add(
        self, path: Path | str, episode: int, frame: int | None, rows: int = 1, example: str = ""
    ) -> None:
        """Counts rows of one episode, -1 for an unknown one; the first call sets the place."""
        if not self.rows:
            known = episode >= 0
            self.place = Place(
                str(path), episode=int(episode) if known else None, frame=frame if known else None
            )
            self.example = example
        self.rows += rows
        self.episodes[int(episode)] = self.episodes.get(int(episode), 0) + rows

    def problem(self, code: str, text: str, hint: str = "", *, severity: Severity | None = None) -> Problem:
        """The finding, at the first place; its text may name the episodes by ``EPISODES``."""
        return Problem(code, text, self.place, hint, severity=severity, episodes=the_episodes(self.episodes))

    @property
    def extent(self) -> str:
        """``3 rows of episode 7``, or ``20 rows of episodes 0-3, 7``, in the text of the finding."""
        return f"{count(self.rows, 'row')} of {EPISODES}"
