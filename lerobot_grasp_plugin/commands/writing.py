"""Runs the operations that write datasets: progress, report, upload and exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.publish import check_publishing, push
from lerobot_grasp_plugin.commands.run import TerminalProgress, guarded
from lerobot_grasp_plugin.findings.collect import folded

if TYPE_CHECKING:
    from lerobot_grasp_plugin.core.progress import Progress
    from lerobot_grasp_plugin.findings.problem import Problem
    from lerobot_grasp_plugin.merging.merge import BeforeWriting
    from lerobot_grasp_plugin.merging.recipe import OutputOptions
    from lerobot_grasp_plugin.merging.report import MergeReport


@dataclass(frozen=True)
class Outcome:
    """What an operation did, or would do.

    Attributes:
        text: To be printed.
        reports: Of the datasets that it wrote.
        warnings: Of a dry run, to be printed to stderr; a report has its own.
    """

    text: str
    reports: Sequence[MergeReport] = ()
    warnings: Sequence[Problem] = ()


type Operation = Callable[[Progress, BeforeWriting], Outcome]


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
            outcome = operation(progress, partial(check_publishing, config))
        finally:
            progress.close()
        written.extend(outcome.reports)
        for line in folded(outcome.warnings):
            print(line, file=sys.stderr)
        print(outcome.text)
        return 0

    def upload() -> int:
        for report in written:
            push(config, report)
        return 0

    return guarded(write, writes=True) or guarded(upload)
