"""A learner of HIL-SERL as a process of its own, with its log."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import preloaded
from tests.support.deadline import DEADLINE_S, wait_until


def free_port() -> int:
    """A port nobody listens on; from below those that the system hands out to other processes meanwhile."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Learner:
    """A learner's process and its log."""

    def __init__(self, process: preloaded.Fork | subprocess.Popen[bytes], printed: Path) -> None:
        self.process = process
        self.printed = printed

    @property
    def output(self) -> str:
        return self.printed.read_text(errors="replace")

    def until(self, condition: Any, what: str) -> None:
        """Waits; a learner that ended, or takes for ever, fails the test with its log."""

        def holds() -> bool:
            running = self.process.poll() is None
            held = bool(condition())
            assert held or running, f"ended before {what}:\n{self.output[-5000:]}"
            return held

        wait_until(holds, lambda: f"{what} never came:\n{self.output[-5000:]}")

    def until_printed(self, text: str) -> None:
        self.until(lambda: text in self.output, text)

    def stop(self) -> None:
        """Ends it as Ctrl+C does."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(DEADLINE_S) == 0, self.output[-5000:]


@contextmanager
def running(printed: Path, *command: str, forked: bool = True) -> Iterator[Learner]:
    """A learner as a process of its own, or as a fork of one that has imported its libraries."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with printed.open("wb") as file:
        call = [sys.executable, *command]
        process = preloaded.start(call, environment, stdout=file.fileno(), forked=forked)
        try:
            yield Learner(process, printed)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
