"""Finds a dataset that another program is writing."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.dataset.writer_lock import other_writer
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.view import View


def check_in_use(view: View) -> Iterator[Problem]:
    """Names the process; other findings may concern the episode that it is writing."""
    writer = other_writer(view.root)
    if writer is not None:
        hint = "other findings may concern the unfinished episode; verify again afterwards"
        yield writer.problem(view.root, hint, "warning")
