"""Settings of labelers that turn a curve into ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.hysteresis import success_ranges
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.labelers.labeler import LabelerConfig


@dataclass
class CurveLabelerConfig(LabelerConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Where a success begins and ends on a curve from 0 to 1."""

    # a success begins where the curve is over this value
    enter: float = 0.5
    # and lasts while it is over this one (without a value: half of enter)
    leave: float | None = None
    # shorter successes are left out, and shorter gaps in one are closed; in frames
    min_length: int = 3

    @property
    def has_curve(self) -> bool:
        return True

    def ranges(self, curve: NDArray[np.floating[Any]]) -> IntervalSet:
        """Success frames of a curve of shape (length,)."""
        leave = self.enter / 2 if self.leave is None else self.leave
        return success_ranges(curve, enter=self.enter, leave=leave, min_length=self.min_length)

    def threshold_problems(self) -> Iterator[Problem]:
        """Thresholds that contradict each other or the curve."""
        leave = self.enter / 2 if self.leave is None else self.leave
        if not 0 <= leave <= self.enter < 1 or self.min_length < 1:
            message = f"{self.type}: enter {self.enter:g}, leave {leave:g}, min_length {self.min_length}"
            yield Problem("bad-value", message, hint="0 <= leave <= enter < 1, and min_length 1 or more")
