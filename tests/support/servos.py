"""An emulated bus of servos in a process of its own.

A thread of pytest's process would share its interpreter with whatever the test does, imports of torch for
example, and answer late.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.support.deadline import wait_until
from tests.support.feetech_bus import FeetechBus, sway
from tests.support.project import environment

_MOTIONS = {"sway": sway, "goal": None}


class Servos:
    """Six servos behind one port, as ``FeetechBus``.

    Args:
        motion: ``sway`` as if moved by hand, or ``goal`` for servos that go to their goal.
    """

    def __init__(self, motion: str = "goal") -> None:
        command = [sys.executable, "-S", "-m", "tests.support.servos", motion]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, text=True)
        self.port: str = self._answer()

    @property
    def sync_reads(self) -> int:
        return self._ask("get", "sync_reads")

    @property
    def bad_answers(self) -> int:
        return self._ask("get", "bad_answers")

    def spoil_every(self, number: int) -> None:
        """Each so-manieth answer to a sync read has a wrong checksum from now on."""
        self._ask("set", "bad_every", number)

    def deafen(self) -> None:
        """Single writes are not answered any more."""
        self._ask("set", "deaf", True)

    def move(self, joint: str, steps: int) -> None:
        """Turns a servo by hand."""
        self._ask("move", joint, steps)

    def wait_for_reads(self, number: int) -> None:
        """Waits until so many more sync reads were answered."""
        wanted = self.sync_reads + number
        wait_until(lambda: self.sync_reads >= wanted, "the driver reads no positions")

    def unplug(self) -> None:
        """Pulls the cable: the port is gone, and stays so."""
        if self._process.poll() is None:
            self._process.communicate()

    def _ask(self, *question: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def patient(module: str) -> list[str]:
    """The call of a module of LeRobot with a driver that waits for emulated servos."""
    code = f"import runpy, tests.support.patient_feetech; runpy.run_module({module!r}, run_name='__main__')"
    return [sys.executable, "-c", code]


def _serve(motion: str) -> None:
    """Emulates the servos until stdin ends, and answers what is asked on it."""
    bus = FeetechBus(_MOTIONS[motion])
    print(json.dumps(bus.port), flush=True)
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        answer = None
        if verb == "get":
            answer = getattr(bus, *arguments)
        elif verb == "set":
            setattr(bus, *arguments)
        else:
            bus.move(*arguments)
        print(json.dumps(answer), flush=True)
    bus.unplug()


if __name__ == "__main__":
    _serve(sys.argv[1])
