"""The verification block: a few lines that summarize the checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.file_format import V2X, V30
from lerobot_grasp_plugin.findings.code import Line
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.report import Check
from lerobot_grasp_plugin.verify.view import View


def verification_block(view: View, problems: Sequence[Problem], *, checked: Set[str]) -> list[Check]:
    """The block's lines.

    Args:
        view: The dataset.
        problems: All findings.
        checked: The index columns that were checked in every table.
    """
    errors = [problem for problem in problems if problem.severity == "error"]
    broken = {line for problem in errors for line in _lines(problem)}
    video_files = {span.path for spans in view.spans.values() for span in spans if span is not None}
    listed = 0 if view.episodes is None else len(view.episodes.indices)
    totals = "Totals in info.json" not in broken if view.episodes is not None else None

    def rows(name: Line, column: str, detail: str = "") -> Check:
        wrong = name in broken
        return Check(name, not wrong if wrong or column in checked else None, detail)

    return [
        Check("Parquet files", "Parquet files" not in broken, str(len(view.data_files))),
        Check("Video files", "Video files" not in broken, str(len(video_files))),
        rows("Global indices", layout.INDEX, "contiguous"),
        rows("Episode indices", layout.EPISODE_INDEX),
        rows("Frame indices", layout.FRAME_INDEX),
        Check("Totals in info.json", totals and bool(view.info.raw), ""),
        Check("Episodes in metadata", "Episodes in metadata" not in broken and listed > 0, str(listed)),
    ]


def _lines(problem: Problem) -> Iterator[Line]:
    """The block's lines that an error changes to WRONG."""
    for line in CODES[problem.code].breaks:
        if line != "Parquet files" or _below(problem, "data"):
            yield line
    if _below(problem, "videos"):
        yield "Video files"
    if any(_below(problem, each.episodes) for each in (V2X, V30)):
        yield "Episodes in metadata"


def _below(problem: Problem, folder: str) -> bool:
    return Path(problem.place.file).is_relative_to(folder)
