"""Commands of LeRobot's kind without their longest part: the import of PyTorch and of other libraries.

A process imports those libraries once and forks for each command. In the fork the command's script runs
from its first line on, with its own arguments, environment, folder and streams; LeRobot and this package are
imported there, as always. Whoever starts it can wait for it, read from it and kill it.
"""

from __future__ import annotations

import gc
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

LIBRARIES = ("torchvision", "transformers.modeling_utils", "datasets", "gymnasium", "grpc", "av", "draccus")
"""None of them may start a thread when it is imported, or read a variable that a test sets."""

_NUMBER = 8
"""Bytes of a pid, and of an exit code, on the pipe that a command's process has."""


class Fork:
    """A command in a fork, used as a ``subprocess.Popen`` whose stderr goes to stdout.

    Attributes:
        pid: Of the command's process.
        stdout: What it prints, unless that goes to a file.
        returncode: As of ``subprocess.Popen``.
    """

    def __init__(self, command: Sequence[str], end: int, stdout: int | None) -> None:
        self.command = command
        self.stdout = None if stdout is None else os.fdopen(stdout, "rb", buffering=0)
        self.returncode: int | None = None
        self._end = end
        self.pid = self._number()

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._end], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.command, timeout or 0)
            self.returncode = self._number()
            os.close(self._end)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _number(self) -> int:
        data = os.read(self._end, _NUMBER)
        assert len(data) == _NUMBER, "the process with the libraries has ended"
        return int.from_bytes(data, signed=True)


def start(
    command: Sequence[object],
    environment: Mapping[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    forked: bool = True,
) -> Fork | subprocess.Popen[bytes]:
    """Starts a command in a fork.

    Args:
        command: A script; or Python, and ``-m``, ``-c`` or a script.
        environment: All of its variables.
        stdin: A file descriptor.
        stdout: A file descriptor, for stderr also.
        forked: Whether it may be a fork; a process of its own is made of it also where libraries do not
            survive a fork, which is the case on macOS.
    """
    words = [str(word) for word in command]
    if not (forked and sys.platform.startswith("linux")):
        return subprocess.Popen(
            words, stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT, env=dict(environment)
        )
    if words[0] == sys.executable:
        words = words[1:]
    printed = None
    nothing = os.open(os.devnull, os.O_RDWR)
    end, of_command = os.pipe()
    if stdout == subprocess.PIPE:
        printed, stdout = os.pipe()
    streams = (nothing if stdin == subprocess.DEVNULL else stdin, stdout, of_command)
    asked = {"command": words, "environment": dict(environment), "folder": os.getcwd()}  # noqa: PTH109
    socket.send_fds(_process_with_libraries(), [json.dumps(asked).encode()], streams)
    os.close(nothing)
    os.close(of_command)
    if printed is not None:
        os.close(stdout)
    return Fork(words, end, printed)


def run(command: Sequence[object], environment: Mapping[str, str]) -> tuple[int, str]:
    """Runs a command to its end; its exit code and what it printed."""
    process = start(command, environment)
    assert process.stdout is not None
    try:
        printed = process.stdout.read()
        return process.wait(), printed.decode(errors="replace")
    finally:
        process.kill()  # where the wait was broken off


@cache
def _process_with_libraries() -> socket.socket:
    """The socket on which commands are asked for; the process ends when this one does."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {**os.environ, "JE_ARROW_MALLOC_CONF": "background_thread:false"}
    environment.pop("DISPLAY", None)
    call = [sys.executable, str(Path(__file__)), str(its.fileno())]
    subprocess.Popen(call, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()], env=environment)
    its.close()
    return ours


# -- the process with the libraries --------------------------------------------------------------------


def _serve(asked: socket.socket) -> dict[str, Any]:
    """Forks for each command that is asked for; returns in the forks only, with what is to be run there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends pytest, which ends this
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks that wait
    while True:
        message, descriptors, *_ = socket.recv_fds(asked, 2**20, 3)
        if not message:
            raise SystemExit
        if os.fork() == 0:
            break
        _close(descriptors)
    asked.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, end = descriptors
    if pid := os.fork():
        _close(streams)
        os.write(end, pid.to_bytes(_NUMBER, signed=True))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(end, code.to_bytes(_NUMBER, signed=True))
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate([*streams, streams[1]]):
        os.dup2(stream, number)
    _close(descriptors)
    return json.loads(message)


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _become(environment: Mapping[str, str], folder: str) -> None:
    """What Python does when it starts: variables, the path, and the three streams."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[1:1] = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = _printing(1, environment, line_buffering=os.isatty(1))
    sys.stderr = sys.__stderr__ = _printing(2, environment, line_buffering=True, errors="backslashreplace")


def _printing(stream: int, environment: Mapping[str, str], **options: Any) -> io.TextIOWrapper:
    at_once = bool(environment.get("PYTHONUNBUFFERED"))
    file = open(stream, "wb", 0 if at_once else -1, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(file, write_through=at_once, **options)


def _run(command: Sequence[str]) -> None:
    """Runs what follows the name of Python in a call."""
    kind, name, *arguments = command if command[0] in ("-c", "-m") else ("", *command)
    sys.path[0] = "" if kind else str(Path(name).parent)
    sys.argv[:] = ["-c" if kind == "-c" else name, *arguments]
    if kind == "-m":
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    elif kind == "-c":
        exec(compile(name, "<string>", "exec"), {"__name__": "__main__"})
    else:
        runpy.run_path(name, run_name="__main__")


if __name__ == "__main__":
    gc.disable()
    for library in LIBRARIES:
        import_module(library)
    gc.freeze()  # else each fork's first collection looks through all that is shared, and copies it
    gc.enable()
    threads = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    assert len(threads) == 1, f"threads are not forked, and a library has started some: {threads}"
    chosen = _serve(socket.socket(fileno=int(sys.argv[1])))
    _become(chosen["environment"], chosen["folder"])
    _run(chosen["command"])
