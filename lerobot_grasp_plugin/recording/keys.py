"""Reads keys during recording and answers in between: by LeRobot's key listener, else line by line."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from lerobot.utils.keyboard_input import create_key_listener, pynput_can_capture

from lerobot_grasp_plugin.recording.presses import Presses

HELP = "Right/Left/Esc, or n=next, r=re-record, q=quit"


class Keys:
    """The source of the person's keys and answers.

    On a terminal, or with a display, LeRobot's listener tells single keys. Otherwise each line of
    stdin is one key, by its name; after the end of stdin no questions are asked.

    Args:
        dispatch: Called with each press, on another thread: the key, and when it was pressed, by
            ``time.perf_counter``.
        repeat_s: The same key again within this time is held down, and not pressed again. Lines never
            repeat.
        controls: What the keys are, for the log.
    """

    def __init__(self, dispatch: Callable[[str, float], None], repeat_s: float, controls: str) -> None:
        self._dispatch = dispatch
        self._presses = Presses(dispatch, repeat_s)
        self._controls = f"{controls}; {HELP}"
        self._by_line = not (sys.stdin.isatty() or pynput_can_capture())
        self._listener: Any = None
        self._asking = threading.Event()
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._ended = threading.Event()
        if self._by_line:
            threading.Thread(target=self._read_lines, name="keys by line", daemon=True).start()

    def start(self) -> None:
        """Listens for keys."""
        if not self._by_line and self._listener is None:
            self._listener = create_key_listener(self._pressed, controls_help=self._controls)

    def settle(self) -> None:
        """Dispatches a press that could have been a key held down."""
        self._presses.decide()

    def stop(self) -> None:
        """Stops listening and restores the terminal."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
            self._presses.clear()

    def ask(self, question: str) -> str | None:
        """The person's answer, one line; None when nobody can answer."""
        if not self._by_line:
            self.stop()
            if not sys.stdin.isatty():
                return None
            try:
                return input(question).strip()
            except EOFError:
                return None
        if self._ended.is_set():
            return None
        self._asking.set()  # first: whoever reads the question may answer at once
        try:
            print(question, flush=True)
            answer = self._answers.get()
        finally:
            self._asking.clear()
        return None if answer is None else answer.strip()

    def _read_lines(self) -> None:
        for line in sys.stdin:
            if self._asking.is_set():
                self._answers.put(line)
            elif key := line.strip():
                self._dispatch(key, time.perf_counter())
        self._ended.set()
        self._answers.put(None)

    def _pressed(self, key: str) -> None:
        self._presses.take(key, time.perf_counter())
