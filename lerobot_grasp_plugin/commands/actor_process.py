"""The actor as a process that the learner starts: each ends when the other does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

_PATIENCE_S = 60.0
_ALONE_S = 20.0
"""Seconds that a connected actor gets to end by itself; a second signal would force it."""

_LEARNER = "GRASP_LEARNER_PID"
"""Environment variable of the actor: the process that started it."""


class ActorProcess:
    """``lerobot-grasp-actor``, started with the learner's flags."""

    def __init__(self, given: Sequence[str]) -> None:
        """Args:
        given: The learner's flags.
        """
        threads = str(max(1, (os.cpu_count() or 2) // 2))
        environment = {"OMP_NUM_THREADS": threads, **os.environ, _LEARNER: str(os.getpid())}
        program = [sys.executable, "-m", "lerobot_grasp_plugin.commands.actor", *given]
        self._ending = False
        self._process = subprocess.Popen(program, env=environment)
        self._watch = threading.Thread(target=self._wait, daemon=True)
        self._watch.start()

    @property
    def failed(self) -> bool:
        """Handles an actor that ended before its steps were done."""
        return not self._ending and bool(self._process.returncode)

    def _wait(self) -> None:
        """End the learner with the actor, as LeRobot's learner ends: by a signal to this process."""
        code = self._process.wait()
        if not self._ending:
            if code:
                print(f"The actor ended with exit code {code}", file=sys.stderr)
            os.kill(os.getpid(), signal.SIGTERM)

    def end(self) -> None:
        """End the actor, if it still runs."""
        if self._process.poll() is not None:
            return
        self._ending = True
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def end_with_learner() -> None:
    """End this process, an actor, when the learner that started it has ended, also before they connect.

    Does nothing in an actor that a person started.
    """
    learner = os.environ.pop(_LEARNER, None)
    if learner is not None:
        threading.Thread(target=_end_after, args=(int(learner),), daemon=True).start()


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    time.sleep(_ALONE_S)
    os.kill(os.getpid(), signal.SIGTERM)
