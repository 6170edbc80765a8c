"""Finds frames that look like a grasp by the gripper's signal: it closes, and stalls before it is shut.

The result is a suggestion for a person to check, with a reason if the signal cannot decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet

_MOVES = 0.2
"""Share of its travel that a gripper must move in an episode for a usable signal."""
_CLOSES = 0.15
"""Share of the travel it closes by before a hold."""
_CLOSING_S = 1.5
"""Seconds that may take."""
_STILL = 0.025
"""Share of the travel per frame below which it stands still."""
_SHUT = 0.06
"""Share of the travel within which it counts as shut, with nothing in it."""
_PRESSES = 0.05
"""Share of the travel it is commanded to close further than it does while it presses."""
_SAME = 0.01
"""Share of the travel within which command and position are one signal, recorded twice."""
_LOADED = 2.0
"""Current of a gripper that presses, in multiples of its current while it is open and still."""
_SHORTEST_S = 0.3
_LETS_GO_S = 0.6
"""Seconds from the command to open to jaws that have let go."""
_JOINED_S = 0.2


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Frames that look like a grasp.

    Attributes:
        intervals: Candidate success frames, 0-based and half-open, ascending; empty for none.
        reason: Why there are none, or what the signal cannot decide; empty for clear candidates.
        decided: Whether the signal tells success from failure; no candidate means all failure then.
    """

    intervals: tuple[FrameInterval, ...] = ()
    reason: str = ""
    decided: bool = True


def gripper_dimension(names: Any) -> int | None:
    """Which dimension of a feature is the gripper, by the feature's ``names`` in ``info.json``.

    Args:
        names: A list, or an object with one list in it (``{"motors": [...]}``).

    Returns:
        Its place, 0-based; None when no name or more than one says gripper or jaw.
    """
    if isinstance(names, Mapping) and len(names) == 1:
        names = next(iter(names.values()))
    if not isinstance(names, Sequence) or isinstance(names, str):
        return None
    found = [place for place, name in enumerate(names) if _is_gripper(str(name).lower())]
    return found[0] if len(found) == 1 else None


def _is_gripper(name: str) -> bool:
    return ("gripper" in name or "jaw" in name) and not name.endswith(
        (".vel", "_vel", ".current", "_current")
    )


def suggest_success(
    position: NDArray[Any],
    current: NDArray[Any] | None = None,
    *,
    command: NDArray[Any] | None = None,
    closed: float | None = None,
    opened: float | None = None,
    fps: float = 10,
) -> Suggestion:
    """Frames in which the gripper has closed and stands still without being shut.

    Pressing is what sets a grasp apart from a gripper that was only closed half way: the command goes
    further than the position, or the current stays high. With neither, every such stall is a candidate
    and ``reason`` says so; ``closed`` must then be given.

    Args:
        position: Measured gripper position of each frame, shape (length,), any unit.
        current: Motor current of each frame, shape (length,), any unit and sign.
        command: Commanded position of each frame (the action), shape (length,), unit of ``position``.
        closed: Position when shut on nothing. None for the lowest value of position and command, which
            holds where larger is wider open.
        opened: Position when wide open. None for the value seen that is farthest from ``closed``.
        fps: Frames per second.

    Raises:
        ValueError: The arrays are not one-dimensional and of equal length, or ``fps`` is not positive.
    """
    signals = [
        np.asarray(values, dtype=np.float64) for values in (position, current, command) if values is not None
    ]
    if any(values.shape != signals[0].shape or values.ndim != 1 for values in signals):
        raise ValueError(f"signals must have one length, got shapes {[values.shape for values in signals]}")
    if fps <= 0:
        raise ValueError(f"fps must be positive, got {fps}")
    if len(signals[0]) < 2 or not all(np.isfinite(values).all() for values in signals):
        return _undecided("the gripper signal is too short, or has values that are not finite")
    place = signals[0]
    if len(np.unique(place)) <= 2:
        return _undecided(
            "the gripper signal has two values, open and closed: a command does not show whether "
            "the jaws hold anything"
        )
    aim = None if command is None else np.asarray(command, dtype=np.float64)
    seen = place if aim is None else np.concatenate([place, aim])
    shut = float(seen.min()) if closed is None else float(closed)
    wide = float(seen[np.argmax(np.abs(seen - shut))]) if opened is None else float(opened)
    if wide == shut:
        return _undecided("the gripper does not move")
    opening = (place - shut) / (wide - shut)
    if np.ptp(opening) < _MOVES:
        return _undecided(f"the gripper moves by {100 * np.ptp(opening):.0f} % of its travel only")
    presses, doubt = _pressing(opening, current, None if aim is None else (aim - shut) / (wide - shut))
    if doubt and closed is None:
        return _undecided("the closed position is unknown, and whether the jaws press")
    holds = _holds(opening, presses, fps)
    if holds:
        return Suggestion(holds, doubt)
    return Suggestion(reason="the gripper never closes and stalls on something")


def suggest_release(command: NDArray[Any], *, fps: float = 10) -> Suggestion:
    """Frames after the command to open that follows a command to close: something was put down.

    For tasks whose success is that a thing lies where it belongs, and a signal with two values, the
    first of which is open. The candidate begins a moment after the command, when the jaws have let go,
    and lasts to the end.

    Args:
        command: Commanded position of each frame, shape (length,), with two values.
        fps: Frames per second.

    Returns:
        One interval with an open end, and always a reason: a command does not show whether anything was
        held. No interval unless the gripper is commanded to close and then to open, exactly once.

    Raises:
        ValueError: ``command`` is not one-dimensional, or ``fps`` is not positive.
    """
    values = np.asarray(command, dtype=np.float64)
    if values.ndim != 1 or fps <= 0:
        raise ValueError(
            f"expected a one-dimensional signal and a positive fps, got {values.shape} and {fps}"
        )
    if len(np.unique(values)) != 2 or not np.isfinite(values).all():
        return _undecided("the gripper's command does not have exactly two values, open and closed")
    changes = np.flatnonzero(np.diff(values)) + 1
    if len(changes) == 1:
        return Suggestion(reason="the gripper is not commanded to close and then to open")
    if len(changes) > 2:
        return _undecided("the gripper is commanded to close and open more than once")
    start = int(changes[1]) + round(_LETS_GO_S * fps)
    if changes[1] - changes[0] < max(2, round(_SHORTEST_S * fps)) or start >= len(values):
        return _undecided("the gripper is closed too briefly, or opens at the very end")
    doubt = "valid if success means putting the object down; the command does not show whether it was held"
    return Suggestion((FrameInterval(start, None),), doubt)


def _undecided(reason: str) -> Suggestion:
    return Suggestion(reason=reason, decided=False)


def _pressing(
    opening: NDArray[Any], current: NDArray[Any] | None, aim: NDArray[Any] | None
) -> tuple[NDArray[np.bool_], str]:
    """Frames in which the jaws press on something, bool of shape (length,), and the remaining doubt."""
    if current is not None:
        load = np.abs(np.asarray(current, dtype=np.float64))
        still = np.abs(np.diff(opening, prepend=opening[0])) < _STILL
        free = load[still & (opening > 0.5)]
        if len(free) >= 3 and load.max() > 0:
            return load > max(_LOADED * float(np.median(free)), 0.1 * float(load.max())), ""
    if aim is not None and np.abs(opening - aim).max() > _SAME:
        return opening - aim > _PRESSES, ""
    doubt = "neither current nor command shows whether the jaws press: half closed looks the same"
    return np.ones(len(opening), dtype=np.bool_), doubt


def _holds(opening: NDArray[Any], presses: NDArray[np.bool_], fps: float) -> tuple[FrameInterval, ...]:
    still = np.abs(np.diff(opening, prepend=opening[0])) < _STILL
    runs = list(IntervalSet.from_mask(still & presses & (opening > _SHUT)))
    joined: list[FrameInterval] = []
    for run in runs:
        if joined and run.start - _stop(joined[-1]) <= max(1, round(_JOINED_S * fps)):
            between = opening[_stop(joined[-1]) - 1 : run.start + 1]
            if np.ptp(between) < _CLOSES and between.min() > _SHUT:
                joined[-1] = FrameInterval(joined[-1].start, run.stop)
                continue
        joined.append(run)
    reach = max(2, round(_CLOSING_S * fps))
    return tuple(
        run
        for run in joined
        if _stop(run) - run.start >= max(2, round(_SHORTEST_S * fps))
        and opening[max(0, run.start - reach) : run.start + 1].max() - opening[run.start] >= _CLOSES
    )


def _stop(interval: FrameInterval) -> int:
    assert interval.stop is not None
    return interval.stop
