"""Checks whether a dataset's files changed since they were first read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import Problem


@dataclass(frozen=True, slots=True)
class FileState:
    """Size, time of change and inode of every file below a folder, hidden folders left out.

    Attributes:
        root: The folder.
        linked: Other folders that belong to it.
        files: By path in it.
    """

    root: Path
    linked: Sequence[Path]
    files: Mapping[str, tuple[int, int, int]]

    @classmethod
    def of(cls, root: Path, linked: Sequence[Path] = ()) -> FileState:
        """The state of a folder now, and of others that belong to it; no file is opened."""
        files = {}
        for folder, below, names in chain.from_iterable(map(os.walk, (root, *linked))):
            below[:] = [name for name in below if not name.startswith(".")]
            for name in names:
                path = Path(folder, name)
                try:
                    found = path.stat()
                except OSError:  # a broken link
                    continue
                files[os.path.relpath(path, root)] = (found.st_size, found.st_mtime_ns, found.st_ino)
        return cls(root, linked, files)

    def changes(self) -> list[Problem]:
        """The files that are missing or changed now; new files do not matter."""
        now = FileState.of(self.root, self.linked).files
        gone = [name for name in self.files if name not in now]
        changed = [name for name in self.files if name in now and now[name] != self.files[name]]
        problems = []
        for names, what in ((gone, "disappeared"), (changed, "changed")):
            if not names:
                continue
            more = f", and {len(names) - 1} more files of this dataset" if len(names) > 1 else ""
            message = f"the file {what} while it was being read{more}"
            hint = "run again when no program writes to the source"
            problems += [Problem("source-changed", message, self.root / names[0], hint)]
        return problems
