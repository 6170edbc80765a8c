"""Maps keys to marks, and explains keys that have no effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.core.marks import MarkAction
from lerobot_grasp_plugin.recording.options import GraspOptions
from lerobot_grasp_plugin.recording.pause import SPEED

if TYPE_CHECKING:
    from lerobot_grasp_plugin.recording.recorder import EpisodeRecorder


class MarkKeys:
    """Sends keys to the episode that is being recorded; upper case is the same key.

    Args:
        options: The keys.
        others: Handles every other key.
        show: Shows a line to the person.

    Attributes:
        recorder: The recorder of the current episode; None between episodes.
    """

    def __init__(
        self, options: GraspOptions, others: Callable[[str], None], show: Callable[[str], None]
    ) -> None:
        self.recorder: EpisodeRecorder | None = None
        self._others = others
        self._show = show
        self._actions: dict[str, MarkAction] = {
            options.success_key.lower(): "toggle",
            options.failure_key.lower(): "fail_rest",
            options.undo_key.lower(): "undo",
        }
        self._pause = options.pause_key.lower()

    def press(self, key: str, pressed: float) -> None:
        """Handles a key, from any thread.

        Args:
            key: Its name.
            pressed: When it was pressed, by ``time.perf_counter``.
        """
        action, recorder = self._actions.get(key.lower()), self.recorder
        if key.lower() == self._pause:
            self._show(self._paused(key))
        elif action is None:
            self._others(key)
        elif recorder is not None:
            recorder.press(action, pressed)
        else:
            self._show(f"{key}: ignored; marks can only be set while an episode is recorded")

    def _paused(self, key: str) -> str:
        if self.recorder is None:
            return f"{key}: ignored; only a running episode can be paused"
        paused = self.recorder.toggle_pause()
        if paused is None:
            return f"{key}: ignored; only an arm controlled by positions can hold its place"
        if paused:
            return f"PAUSED: the arm holds its place, and nothing is recorded; press {key} to continue"
        return (
            f"Continuing: the arm moves at {SPEED:.0f} units per second until it reaches the leader's "
            "position"
        )
