"""Tells key presses from the repetitions of a key that is held down.

Terminals report no key-up. A key that is held comes again after a quarter to half a second, and then every
few hundredths of a second; nobody presses a key that fast. So the same key again, soon but not at once, is
decided on when the next one comes, or does not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

DELAY_S = 0.7
"""The longest that a keyboard waits before it repeats a key that is held."""

type Later = Callable[[float, Callable[[], None]], Any]


def later(seconds: float, action: Callable[[], None]) -> threading.Timer:
    """Starts a timer."""
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    return timer


class Presses:
    """Dispatches presses in order, each with its time.

    Args:
        dispatch: Called with each press: the key, and when it was pressed, in seconds.
        gap_s: The same key that comes again within this time is held down.
        later: Calls something after some seconds; what it returns can be cancelled.
    """

    def __init__(self, dispatch: Callable[[str, float], None], gap_s: float, later: Later = later) -> None:
        self._dispatch = dispatch
        self._gap_s = gap_s
        self._later = later
        self._lock = threading.RLock()
        self._timer: Any = None
        self._last: tuple[str, float] | None = None
        self._undecided: tuple[str, float] | None = None

    def take(self, key: str, now: float) -> None:
        """Handles a key from the keyboard."""
        with self._lock:
            same = self._last is not None and self._last[0] == key
            since = now - self._last[1] if self._last is not None else 0.0
            self._last = (key, now)
            if same and since <= self._gap_s:
                self._forget()  # held down: neither this one nor the one before is a press
                return
            self.decide()
            if same and since <= DELAY_S:
                self._undecided = (key, now)
                self._timer = self._later(self._gap_s, self.decide)
            else:
                self._dispatch(key, now)

    def decide(self) -> None:
        """Dispatches the last key as a press, because no other followed in time."""
        with self._lock:
            undecided = self._undecided
            self._forget()
            if undecided is not None:
                self._dispatch(*undecided)

    def clear(self) -> None:
        """Dispatches the undecided key, and forgets it."""
        with self._lock:
            self.decide()
            self._last = None

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._undecided = None
