"""The installed version of LeRobot, and the rules that depend on it."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

SUPPORTED: Final = "0.6."
"""Prefix of the versions that this package supports."""

_SAVES_AT_THE_END = (0, 6, 2)
_TOLERATES_THE_LIMIT = (0, 6, 2)


def installed() -> str:
    """The version of the lerobot that is installed, or ``none``."""
    try:
        return version("lerobot")
    except PackageNotFoundError:
        return "none"


def is_at_least(*release: int) -> bool:
    """Whether the installed lerobot is of a release or a later one; ``0.6.2.dev0`` counts as ``0.6.2``."""
    found = re.match(r"\d+(?:\.\d+)*", installed())
    return found is not None and tuple(map(int, found[0].split("."))) >= release


def save_freq_may_be_zero() -> bool:
    """Whether the learner takes ``save_freq: 0`` for "at the end alone", where 0.6.1 divides by it."""
    return is_at_least(*_SAVES_AT_THE_END)


def is_within_tolerance(distance_s: Any, tolerance_s: float) -> Any:
    """Whether LeRobot takes a frame that is this far from the time it looks for.

    Args:
        distance_s: Distance in seconds, a number or an array.
        tolerance_s: ``tolerance_s`` of the dataset, in seconds.

    Returns:
        A boolean, or an array of booleans of the shape of ``distance_s``. A distance equal to the tolerance
        is within it from 0.6.2 on, and not before.
    """
    if is_at_least(*_TOLERATES_THE_LIMIT):
        return distance_s <= tolerance_s
    return distance_s < tolerance_s
