"""Reports what killed sessions left: folders with unfinished episodes, and running encoders."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from lerobot_grasp_plugin.dataset.writer_lock import Writer
from lerobot_grasp_plugin.findings.words import agree
from lerobot_grasp_plugin.recording.checkpoint import ASIDE_MARK


def leftover_lines(root: Path, killed: Writer | None) -> Iterator[str]:
    """Lists them, each with the command that removes it.

    Args:
        root: The dataset's folder.
        killed: The last session that recorded into it, if it was killed.
    """
    mark = f"{root.name}{ASIDE_MARK}"
    folders = sorted(path for path in root.parent.glob(f"{root.name}*") if path.name.startswith(mark))
    if folders:
        yield "Unfinished episodes of interrupted sessions are kept; to remove them:"
        yield f"  rm -r {shlex.join(map(str, folders))}"
    processes = [] if killed is None else running_children(killed)
    if processes:
        yield f"The killed session left {agree(len(processes), 'a process', 'processes')}; to stop:"
        yield f"  kill {' '.join(map(str, processes))}"


def running_children(killed: Writer) -> list[int]:
    """Process ids that a killed session started; empty if the system does not list them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        try:
            command = (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            group = os.getpgid(pid)
        except OSError:  # it has ended, or is not ours to look at
            continue
        same = command == [os.fsencode(word) for word in killed.argv]
        if same and group == killed.group and pid not in (os.getpid(), killed.pid):
            found.append(pid)
    return sorted(found)
