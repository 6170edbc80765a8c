"""Output whose reader has closed it, such as ``| head``."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


def outlive_readers() -> None:
    """Lets the program continue, and end with its usual exit code, when its output is closed.

    So ``lerobot-grasp-verify ... | head -1`` ends without an error message, with the exit code of its
    findings.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and stream is getattr(sys, f"__{name}__"):
            stream.flush()
            setattr(sys, name, _lasting(stream))


def _lasting(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    raw = _Lasting(stream.fileno(), "w", closefd=False)
    unbuffered: Any = raw if stream.write_through else io.BufferedWriter(raw)  # as Python itself does
    return io.TextIOWrapper(
        unbuffered,
        stream.encoding,
        stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _Lasting(io.FileIO):
    """A file that ignores writes once its reader has closed it."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data)
