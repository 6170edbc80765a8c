"""A pause within an episode: the arm holds its place, no frame is recorded, and it goes on smoothly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

SPEED: Final = 60.0
"""How fast a joint follows the leader after a pause until it is where the leader is, in units per second."""


class Pause:
    """Stands between the leader's actions and the arm.

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
        """Pauses, or goes on; may be called from any thread.

        Returns:
            Whether the episode is to be paused now; None where the arm cannot be held.
        """
        if not self._possible:
            return None
        self._wanted = not self._wanted
        return self._wanted

    def end(self) -> None:
        """An episode is over, and with it its pause."""
        self._wanted = self.active = False

    def action(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The action for the arm, and for the frame.

        Args:
            asked: What the leader asks for, by name.
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
