"""Handles LeRobot's keys (next, re-record, quit) in each phase of a session."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from lerobot.utils.keyboard_input import apply_recording_control

Phase = Literal["between", "episode", "reset"]

_KEYS = {"n": "right", "right": "right", "r": "left", "left": "left", "q": "esc", "esc": "esc"}
_WORDS = {"right": "next", "left": "re-record"}


class Controls:
    """Keeps the events that ``record_loop`` reads.

    In an episode, next and re-record wait for its first frame: LeRobot's loop would end without any,
    and such an episode cannot be saved. Between the loops they are ignored, with a message. Quit
    works at any time.

    Args:
        show: Shows a line to the person.

    Attributes:
        events: LeRobot's, by its names.
        ended: Whether the person ended the current or last loop.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self.events = {"exit_early": False, "rerecord_episode": False, "stop_recording": False}
        self.ended = False
        self._show = show
        self._lock = threading.Lock()
        self._phase: Phase = "between"
        self._frames = False
        self._waiting: str | None = None

    @property
    def quit(self) -> bool:
        """Whether the person wants the session to end."""
        return self.events["stop_recording"]

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Surrounds one of LeRobot's loops; its events do not carry over to the next."""
        with self._lock:
            self._phase, self._frames, self._waiting = phase, False, None
            self.events["exit_early"] = self.ended = self.events["stop_recording"]
            self.events["rerecord_episode"] = False
        try:
            yield
        finally:
            with self._lock:
                self._phase = "between"

    def press(self, key: str) -> None:
        """Handles a key, from any thread; ignores keys that are not LeRobot's."""
        control = _KEYS.get(key.lower())
        if control is None:
            return
        with self._lock:
            if control == "esc" or self._phase == "reset" or self._frames:
                self._apply(control)
            elif self._phase == "episode":
                self._waiting = control
            else:
                self._show(f"{_WORDS[control]}: ignored outside an episode or reset")

    def frame_added(self) -> None:
        """Notes that the episode has a frame, so that it can end."""
        if not self._frames:
            with self._lock:
                self._frames = True
                if self._waiting is not None:
                    self._apply(self._waiting)

    def _apply(self, control: str) -> None:
        self.ended = True
        apply_recording_control(control, self.events)

    def take_rerecord(self) -> bool:
        """Whether to record the last loop's episode again; resets the request."""
        wanted = self.events["rerecord_episode"]
        self.events["rerecord_episode"] = False
        return wanted

    def stop(self) -> None:
        """Requests the end of the session, by an answer."""
        self.events["stop_recording"] = True
