"""The clock of a simulated recording, which counts frames instead of the wall clock."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

_LONG = Fraction(10**9)
_HAIR = Fraction(1, 10**12)
"""How much longer than a frame it counts: the float 1.1 is more than 11 frames at 10 frames per second."""


class FrameClock:
    """Stands in place of the module ``time`` where a recorder measures an episode.

    Seconds are fractions: an episode of 5 s at 30 frames per second has 150 frames, never 149 or 151.

    The first reading after a frame is exactly one frame later, so that the recorder finds no frame late. What
    else passes, passes after that reading.
    """

    def __init__(self, fps: int) -> None:
        """Args:
        fps: Frames per second.
        """
        self._frame = Fraction(1, fps)
        self._now = Fraction(0)
        self._passed = False
        self._skips = False

    def perf_counter(self) -> Fraction:
        """Seconds since the clock was made."""
        now = self._now
        if self._passed:
            self._now += self._frame * _HAIR + _LONG * self._skips
            self._passed = self._skips = False
        return now

    def observed(self) -> None:
        """A frame passes."""
        self._now += self._frame
        self._passed = True

    def acted(self, *, ready: bool) -> None:
        """An action was carried out.

        Args:
            ready: The next episode may start: unless this frame is recorded, the time for the reset is over.
        """
        self._skips = ready

    def recorded(self) -> None:
        """The frame belongs to an episode."""
        self._skips = False

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)
