"""Checks the values of columns: finite, and of which width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.place import Tally
from lerobot_grasp_plugin.verify.rows import Rows


class FiniteCheck:
    """Finds NaN and infinity in columns of numbers.

    Attributes:
        widths: Every column with its values per row, and the file and episode it was first seen in.
    """

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self.widths: dict[tuple[str, int], tuple[Path, int]] = {}

    def see(self, rows: Rows) -> None:
        for name, values in rows.columns.items():
            if len(values):
                self.widths.setdefault((name, values.shape[1]), (rows.files[0], int(rows.episodes[0])))
            if values.dtype.kind != "f":
                continue
            if np.isfinite(values.sum(dtype=np.float64)):
                continue  # one NaN or infinity makes the sum one, too
            wrong = ~np.isfinite(values).all(axis=1)
            for run, frame, number in rows.per_run(wrong):
                at = int(rows.offsets[run]) + frame
                worst = values[at][~np.isfinite(values[at])][0]
                tally = self._tallies.setdefault(name, Tally())
                tally.add(rows.files[run], int(rows.episodes[run]), frame, number, str(worst))

    def found(self) -> Iterator[Problem]:
        for name, tally in self._tallies.items():
            message = f"{name!r} is {tally.example} in {tally.extent}"
            if name == layout.TIMESTAMP:
                hint = "LeRobot cannot find the image; lerobot-grasp-merge sets it to frame_index / fps"
                yield tally.problem("timestamp-not-finite", message, hint)
            else:
                hint = "it turns the training loss into NaN: leave the episode out with lerobot-grasp-merge"
                yield tally.problem("not-finite", message, hint)
