"""A command, and somebody at its terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence

from tests.support import preloaded
from tests.support.deadline import wait_until


class Talk:
    """Starts a command, sends keys and reads what it prints."""

    def __init__(self) -> None:
        self.process: preloaded.Fork | subprocess.Popen[bytes] | None = None
        self.terminal = -1
        self.output = ""

    def begin(
        self,
        command: Sequence[object],
        environment: Mapping[str, str],
        *,
        terminal: bool = True,
        forked: bool = True,
    ) -> None:
        """Starts a command on a terminal of its own, or with a pipe for keys.

        Args:
            command: As of ``preloaded.start``.
            environment: All of its variables.
            terminal: Whether it reads keys from a terminal.
            forked: Whether it may be a fork of a process that has imported its libraries.
        """
        master, slave = pty.openpty() if terminal else os.pipe()[::-1]
        self.process = preloaded.start(command, environment, stdin=slave, forked=forked)
        os.close(slave)
        self.terminal = master
        self.output = ""
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def send(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def expect(self, text: str) -> str:
        """Waits until the command has printed a text that it had not before; what came before it."""

        def is_printed() -> bool:
            ended = self.process.poll() is not None
            self._read()
            assert text in self.output or not ended, f"ended without {text!r}:\n{self.output}"
            return text in self.output

        wait_until(is_printed, lambda: f"no {text!r} in:\n{self.printed()}")
        before, _, self.output = self.output.partition(text)
        return before

    def finish(self) -> tuple[int, str]:
        """Waits for the end; the exit code and what was printed since the last text expected."""

        def has_ended() -> bool:
            ended = self.process.poll() is not None
            self._read()  # a command that is not listened to stops at some point
            return ended

        wait_until(has_ended, lambda: f"did not end:\n{self.printed()}")
        self.hang_up()
        assert self.process is not None
        assert self.process.returncode is not None
        return self.process.returncode, self.output

    def hang_up(self) -> None:
        """Ends what the command reads its keys from."""
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1

    def kill(self) -> None:
        """Ends the command if it is still running."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hang_up()

    def lines(self) -> list[str]:
        """Whole lines printed since the last call."""
        self._read()
        *whole, self.output = self.output.split("\n")
        return whole

    def printed(self) -> str:
        self._read()
        return self.output

    def _read(self) -> None:
        data = self.process.stdout.read()
        if data:
            self.output += data.decode(errors="replace")
