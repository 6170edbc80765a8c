"""Compares the expected numbers of episodes and frames with the dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.verify.view import View


@dataclass(frozen=True)
class Expected:
    """What a person expects of a dataset; None for no expectation.

    Attributes:
        episodes: Number of episodes.
        frames: Number of frames of all episodes.
    """

    episodes: int | None = None
    frames: int | None = None


def check_expected(view: View, rows: int | None, expected: Expected) -> Iterator[Problem]:
    """Findings for numbers that differ from the expected ones.

    Args:
        view: The dataset.
        rows: Rows in all tables; None if not all were read.
        expected: The expected numbers.
    """
    listed = 0 if view.episodes is None else len(view.episodes.indices)
    frames = int(view.lengths.sum()) if rows is None else rows
    for code, noun, wanted, number in (
        ("unexpected-episodes", "episode", expected.episodes, listed),
        ("unexpected-frames", "frame", expected.frames, frames),
    ):
        if wanted is not None and wanted != number:
            message = f"--expected_{noun}s {wanted}: the dataset has {count(number, noun)}"
            hint = (
                "see [state-jump] for attempts saved as one episode, and the errors for lost rows and files"
            )
            yield Problem(code, message, view.info.where, hint)
