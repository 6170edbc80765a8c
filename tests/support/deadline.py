"""The one deadline of all waits: tests wait for events, and this only ends a hang."""

from __future__ import annotations

import time
from collections.abc import Callable

DEADLINE_S = 600.0
_LOOK_S = 0.02


def wait_until(holds: Callable[[], object], what: str | Callable[[], str]) -> None:
    """Waits until something holds.

    Args:
        holds: Asked again and again; may raise to end the wait at once.
        what: What is waited for; a function is called when the time is over.

    Raises:
        AssertionError: It does not hold at the deadline.
    """
    give_up = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < give_up, what if isinstance(what, str) else what()
        time.sleep(_LOOK_S)
