"""Keys while recording and answers in between: by LeRobot's key listener, else line by line."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from lerobot.utils.keyboard_input import create_key_listener, pynput_can_capture

HELP = "Right/Left/Esc, or n=next, r=re-record, q=quit"


class Keys:
    """Where the person's keys and answers come from.

    On a terminal, or with a display, LeRobot's listener tells single keys. Otherwise each line of
    stdin is one key, by its name; at the end of stdin nobody is asked any more.

    Args:
        dispatch: Told each key, on another thread.
        repeat_s: The same key again within this time, with no other in between, is a held key, and not
            told. Lines never repeat.
        controls: What the keys are, for the log.
    """

    def __init__(self, dispatch: Callable[[str], None], repeat_s: float, controls: str) -> None:
        self._dispatch = dispatch
        self._repeat_s = repeat_s
        self._controls = f"{controls}; {HELP}"
        self._by_line = not (sys.stdin.isatty() or pynput_can_capture())
        self._listener: Any = None
        self._last: tuple[str, float] = ("", 0.0)
        self._asking = threading.Event()
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._ended = threading.Event()
        if self._by_line:
            threading.Thread(target=self._read_lines, name="keys by line", daemon=True).start()

    def start(self) -> None:
        """Listens for keys."""
        if not self._by_line and self._listener is None:
            self._last = ("", 0.0)
            self._listener = create_key_listener(self._pressed, controls_help=self._controls)

    def stop(self) -> None:
        """Listens no more, and gives the terminal back."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def ask(self, question: str) -> str | None:
        """The person's answer, one line; None when there is nobody to ask."""
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
                self._dispatch(key)
        self._ended.set()
        self._answers.put(None)

    def _pressed(self, key: str) -> None:
        now = time.monotonic()
        held = key == self._last[0] and now - self._last[1] < self._repeat_s
        self._last = (key, now)
        if not held:
            self._dispatch(key)
