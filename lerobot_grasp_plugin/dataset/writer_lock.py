"""Locks a dataset for one writing program; the lock ends with the program."""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from lerobot_grasp_plugin.findings.problem import Problem, Severity, UsageError

Doing = Literal["recorded", "relabelled", "edited"]


@dataclass(frozen=True)
class Writer:
    """The program that writes a dataset.

    Attributes:
        pid: Its process id; 0 if unknown.
        command: Its command line.
        doing: What it does to the dataset.
        argv: The same command line as a list.
        group: Its process group.
    """

    pid: int
    command: str
    doing: str
    argv: tuple[str, ...] = ()
    group: int = 0

    def problem(self, root: Path, hint: str, severity: Severity = "error") -> Problem:
        """The finding that this program writes the dataset now."""
        message = f"the dataset is being {self.doing} by process {self.pid}: {self.command}"
        return Problem("dataset-in-use", message, root, hint, severity=severity)


def lock_path(root: Path) -> Path:
    """The file that is locked: next to the dataset's folder, so that no copy of the dataset has it."""
    real = root.expanduser().resolve()
    return real.parent / f".{real.name}.grasp-lock"


class WriterLock:
    """Keeps other programs from writing a dataset until it is released, or until the process has died.

    The system unlocks the file when the process ends, however it ends. A second lock of the same process
    is granted. On a file system without locks, nothing is locked.

    Args:
        root: The dataset's folder; need not exist yet.
        doing: What it does to the dataset, for the messages of other programs.

    Attributes:
        killed: The last holder, if it did not release the lock; None if it did.

    Raises:
        UsageError: Another program writes the dataset.
    """

    def __init__(self, root: Path, doing: Doing) -> None:
        self._path = lock_path(root)
        self._descriptor = _locked(root, self._path)
        self.killed: Writer | None = None
        if self._descriptor is not None:
            before = _read(self._descriptor)
            self.killed = before if before.pid else None
            command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
            said = {
                "pid": os.getpid(),
                "command": command,
                "doing": doing,
                "argv": sys.orig_argv,
                "group": os.getpgrp(),
            }
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, json.dumps(said).encode("utf-8"), 0)
            os.register_at_fork(after_in_child=self._leave)

    def release(self) -> None:
        """Releases the lock; can be called again."""
        if self._descriptor is not None:
            with suppress(OSError):
                self._path.unlink()
            self._leave()

    def _leave(self) -> None:
        """Closes the file; in a child process, which may live longer, the lock stays the parent's."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def other_writer(root: Path) -> Writer | None:
    """The other program that is writing a dataset; None without one."""
    try:
        import fcntl

        descriptor = os.open(lock_path(root), os.O_RDONLY)
    except (ImportError, OSError, RuntimeError):  # not a Unix; no lock; links in a circle
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        writer = _read(descriptor)
        return None if writer.pid == os.getpid() else writer
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def refuse_in_use(root: Path) -> None:
    """Refuses a dataset that another program is writing.

    Raises:
        UsageError: It names the process.
    """
    writer = other_writer(root)
    if writer is not None:
        raise UsageError(writer.problem(root, "wait until it has ended, or stop it"))


def _read(descriptor: int) -> Writer:
    try:
        said = json.loads(os.pread(descriptor, 1 << 20, 0))
        argv, group = tuple(said.get("argv", ())), int(said.get("group", 0))
        return Writer(int(said["pid"]), str(said["command"]), str(said["doing"]), argv, group)
    except (OSError, ValueError, KeyError, TypeError):  # the lock exists, but not yet the name of its holder
        return Writer(0, "another program", "written")


def _locked(root: Path, path: Path) -> int | None:
    """The locked file; None if this process already has the lock, or files cannot be locked."""
    try:
        import fcntl
    except ImportError:
        return None
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:  # a writer that cannot write here fails with its own message
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
            os.close(descriptor)  # the last holder has removed it
        except FileNotFoundError:
            os.close(descriptor)
        except BlockingIOError:
            said = _read(descriptor)
            os.close(descriptor)
            refuse_in_use(root)
            if said.pid == os.getpid():
                return None
        except OSError:
            os.close(descriptor)
            return None
