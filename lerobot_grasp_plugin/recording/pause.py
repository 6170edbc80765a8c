"""Pauses an episode: the arm holds its place, no frame is recorded, and it continues smoothly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

SPEED: Final = 60.0
"""Speed of a joint after a pause until it reaches the leader's position, in units per second."""


class Pause:
    """Filters the leader's actions on their way to the arm.

    Args:
        fps: Actions per second.
        joints: Names of the robot's actions; an arm holds its place only where all of them are positions.

    Attributes:
        active: Whether the action that was passed on last holds the arm.
    """

    def __init__(self, fps: float, joints: Iterable[str]) -> None:
        self.active = False
        self._step = SPEED / fps
        self._possible = all(name.endswith(".pos") for name in joints)
        self._wanted = False
        self._last: dict[str, float] | None = None
        self._behind = False

    def toggle(self) -> bool | None:
        """Pauses or continues; may be called from any thread.

        Returns:
            Whether the episode is paused now; None if the arm cannot hold its place.
        """
        if not self._possible:
            return None
        self._wanted = not self._wanted
        return self._wanted

    def end(self) -> None:
        """Ends the pause together with its episode."""
        self._wanted = self.active = False

    def action(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The action for the arm, and for the frame.

        Args:
            asked: The leader's action, by name.
        """
        self.active = self._wanted
        if self._last is None or not (self.active or self._behind):
            self._last = dict(asked)
            return self._last
        if self.active:
            self._behind = True
            return dict(self._last)
        followed = {name: self._followed(self._last[name], goal) for name, goal in asked.items()}
        self._behind = followed != dict(asked)
        self._last = followed
        return dict(followed)

    def _followed(self, place: float, goal: float) -> float:
        if abs(goal - place) <= self._step:
            return goal
        return place + (self._step if goal > place else -self._step)
