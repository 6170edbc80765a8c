"""A dataset that another program writes while it is verified."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.dataset.writer_lock import other_writer
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.view import View


def check_in_use(view: View) -> Iterator[Problem]:
    """Names the process: what else is found may be of the episode that it is writing."""
    writer = other_writer(view.root)
    if writer is not None:
        hint = "other findings may be of the episode that is not yet whole; verify it again afterwards"
        yield writer.problem(view.root, hint, "warning")
