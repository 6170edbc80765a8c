"""Finds links in a dataset that lead outside its folder and may be followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import Problem

LINKABLE = ("data", "videos")
"""Folders whose links can be followed. Files of ``meta`` are copied into outputs, so its links never are."""


@dataclass(frozen=True, slots=True)
class Links:
    """The links in ``data`` and ``videos`` of a dataset, and their targets.

    Links in a folder that is reached through a link are not among them.

    Attributes:
        files: Link to a file -> the file.
        folders: Link to a folder -> the folder.
    """

    files: tuple[tuple[Path, Path], ...] = ()
    folders: tuple[tuple[Path, Path], ...] = ()

    @classmethod
    def of(cls, root: Path) -> Links:
        """The links of a dataset that lead outside it; no file is opened."""
        home = root.resolve()
        files: list[tuple[Path, Path]] = []
        folders: list[tuple[Path, Path]] = []
        for link in _links(root):
            try:
                target = link.resolve(strict=True)
            except (OSError, RuntimeError):  # broken, or circular
                continue
            if not target.is_relative_to(home):
                (folders if target.is_dir() else files).append((link, target))
        return cls(tuple(files), tuple(folders))

    def allows(self, real: Path) -> bool:
        """Whether a path outside the dataset is a link's target, or in a folder that is one."""
        return any(real.is_relative_to(folder) for _, folder in self.folders) or real in _targets(self.files)

    def notes(self) -> list[Problem]:
        """One note for each link."""
        return [
            Problem("followed-link", f"a link to {target} was followed", link)
            for link, target in (*self.folders, *self.files)
        ]


@cache
def _targets(files: tuple[tuple[Path, Path], ...]) -> frozenset[Path]:
    return frozenset(target for _, target in files)


def _links(root: Path) -> Iterator[Path]:
    for name in LINKABLE:
        if (root / name).is_symlink():
            yield root / name
            continue
        for folder, below, files in os.walk(root / name):
            entries = (Path(folder, entry) for entry in (*below, *files))
            yield from (path for path in entries if path.is_symlink())
