"""Replaces the clock of LeRobot's ``record_loop`` while a simulated arm is connected.

``record_loop`` ends an episode by the wall clock and sleeps until the next frame is due, so a loaded machine
records fewer frames than were asked for. Its ``time`` and its ``precise_sleep`` are replaced.
"""

from __future__ import annotations

from typing import Any

from lerobot_grasp_plugin.lerobot_seams.access import current, is_loaded, replace, require

_MODULE = "lerobot.scripts.lerobot_record"
_REPLACED = ("time", "precise_sleep")
_originals: dict[str, Any] = {}


def run_by(clock: Any) -> None:
    """Let ``record_loop`` read ``clock`` and never sleep, until ``run_by_the_wall``.

    Does nothing in a process that has not imported the recorder.

    Args:
        clock: Has ``perf_counter()``, and everything else that the module ``time`` has.

    Raises:
        SeamError: The installed lerobot does not have what is replaced.
    """
    if not is_loaded(_MODULE):
        return
    require("clock")
    for name in _REPLACED:
        _originals.setdefault(name, current(_MODULE, name))
    replace(_MODULE, "time", clock)
    replace(_MODULE, "precise_sleep", _no_sleep)


def run_by_the_wall() -> None:
    """Restore LeRobot's own clock."""
    for name, original in _originals.items():
        replace(_MODULE, name, original)
    _originals.clear()


def is_simulated() -> bool:
    """Whether ``record_loop`` runs by another clock than LeRobot's."""
    return bool(_originals)


def _no_sleep(seconds: Any, **options: Any) -> None:
    """The simulated time has passed already."""
