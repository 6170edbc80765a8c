"""Notifies listeners of what is recorded, by whichever program of LeRobot.

LeRobot does not notify a robot or teleoperator when an episode begins or is saved. A watch listens where
every
recorder passes: at ``add_frame``, ``save_episode`` and ``clear_episode_buffer`` of ``LeRobotDataset``. What
they do is not changed, and after the last watch they are LeRobot's again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

from lerobot_grasp_plugin.lerobot_seams.access import current, replace, require

_MODULE = "lerobot.datasets.lerobot_dataset"
_WATCHED = ("add_frame", "save_episode", "clear_episode_buffer")


class Listener(Protocol):
    """The events of a watch, each called after the fact, by LeRobot or, for a pause, by this package."""

    def frame_added(self, dataset: Any, frame: dict[str, Any]) -> None:
        """``frame`` became the next row of the episode."""

    def frame_held(self, dataset: Any) -> None:
        """The episode is paused: an action was carried out, and no row is recorded of it."""

    def frames_kept(self, dataset: Any, start: int, stop: int) -> None:
        """The rows of the episode before ``start`` and from ``stop`` on were dropped, 0-based."""

    def episode_saved(self, dataset: Any, episode_index: int) -> None:
        """The episode is in the dataset, as ``episode_index`` (0-based)."""

    def episode_discarded(self, dataset: Any) -> None:
        """The rows since the last episode were thrown away."""


_listeners: list[Listener] = []
_originals: dict[str, Callable[..., Any]] = {}


def start_watch(listener: Listener) -> None:
    """Notify ``listener`` of every dataset that this process records from now on; once is enough.

    Raises:
        SeamError: The installed lerobot does not have what a watch listens at.
    """
    require("watch")
    if listener not in _listeners:
        _listeners.append(listener)
    if not _originals:
        for name in _WATCHED:
            _originals[name] = current(_MODULE, f"LeRobotDataset.{name}")
            replace(_MODULE, f"LeRobotDataset.{name}", _watched(name, _originals[name]))


def tell_held(dataset: Any) -> None:
    """Notify every listener that the episode is paused, once for each action."""
    for listener in tuple(_listeners):
        listener.frame_held(dataset)


def tell_kept(dataset: Any, start: int, stop: int) -> None:
    """Notify every listener that the current episode was trimmed to ``start`` to ``stop``."""
    for listener in tuple(_listeners):
        listener.frames_kept(dataset, start, stop)


def stop_watch(listener: Listener) -> None:
    """Stop notifying ``listener``; after the last one LeRobot is restored."""
    if listener in _listeners:
        _listeners.remove(listener)
    if not _listeners:
        for name, original in _originals.items():
            replace(_MODULE, f"LeRobotDataset.{name}", original)
        _originals.clear()


def _watched(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(dataset: Any, *args: Any, **kwargs: Any) -> Any:
        episode_index = int(dataset.meta.total_episodes)
        # LeRobot takes the task out of the frame it is given
        frame = dict(args[0] if args else kwargs["frame"]) if name == "add_frame" else {}
        result = original(dataset, *args, **kwargs)
        for listener in tuple(_listeners):
            if name == "add_frame":
                listener.frame_added(dataset, frame)
            elif name == "save_episode":
                listener.episode_saved(dataset, episode_index)
            else:
                listener.episode_discarded(dataset)
        return result

    return call
