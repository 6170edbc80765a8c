"""Runs the operations that write datasets: progress, report, upload and exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.publish import check_publishing, push
from lerobot_grasp_plugin.commands.run import TerminalProgress, guarded

if TYPE_CHECKING:
    from lerobot_grasp_plugin.core.progress import Progress
    from lerobot_grasp_plugin.merging.merge import BeforeWriting
    from lerobot_grasp_plugin.merging.recipe import OutputOptions
    from lerobot_grasp_plugin.merging.report import MergeReport

type Operation = Callable[[Progress, BeforeWriting], tuple[Sequence[MergeReport], str]]
"""Writes datasets; returns their reports and the text to print."""


def run_writing(config: OutputOptions, operation: Operation) -> int:
    """Runs an operation, prints its text, uploads its outputs if the options ask for it.

    Args:
        config: The options of the output.
        operation: Called once.

    Returns:
        The exit code.
    """
    written: list[MergeReport] = []

    def write() -> int:
        progress = TerminalProgress()
        try:
            reports, text = operation(progress, partial(check_publishing, config))
        finally:
            progress.close()
        written.extend(reports)
        print(text)
        return 0

    def upload() -> int:
        for report in written:
            push(config, report)
        return 0

    return guarded(write, writes=True) or guarded(upload)
