"""Checks that the folders of a dataset can be opened."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import DatasetError, Problem


def check_access(folder: Path) -> None:
    """Refuses a folder that cannot be opened, or contains one that cannot.

    Raises:
        DatasetError: It names the folder.
    """
    effective = os.access in os.supports_effective_ids
    pending = [folder]
    while pending:
        here = pending.pop()
        if os.access(here, os.F_OK) and not os.access(here, os.R_OK | os.X_OK, effective_ids=effective):
            message = "the folder cannot be opened (permission denied)"
            hint = f"run `chmod -R u+rX {folder}`, or run as its owner"
            raise DatasetError(Problem("unreadable-folder", message, here, hint))
        with suppress(OSError), os.scandir(here) as entries:
            pending += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
