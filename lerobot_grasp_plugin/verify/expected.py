"""How many episodes and frames a person recorded, against what is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.verify.view import View


@dataclass(frozen=True)
class Expected:
    """What a person expects of a dataset; None for what nobody said.

    Attributes:
        episodes: Number of episodes.
        frames: Number of frames of all episodes.
    """

    episodes: int | None = None
    frames: int | None = None


def check_expected(view: View, rows: int | None, expected: Expected) -> Iterator[Problem]:
    """Numbers that are not the expected ones.

    Args:
        view: The dataset.
        rows: Rows in all tables; None where they were not all read.
        expected: What is expected.
    """
    listed = 0 if view.episodes is None else len(view.episodes.indices)
    frames = int(view.lengths.sum()) if rows is None else rows
    for code, noun, wanted, number in (
        ("unexpected-episodes", "episode", expected.episodes, listed),
        ("unexpected-frames", "frame", expected.frames, frames),
    ):
        if wanted is not None and wanted != number:
            message = f"--expected_{noun}s {wanted}: the dataset has {count(number, noun)}"
            hint = "attempts saved as one episode are named as [state-jump], lost rows and files as errors"
            yield Problem(code, message, view.info.where, hint)
