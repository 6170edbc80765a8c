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

    @property
    def leaves(self) -> float:
        """The value over which a success lasts."""
        return self.enter / 2 if self.leave is None else self.leave

    def ranges(self, curve: NDArray[np.floating[Any]]) -> IntervalSet:
        """Success frames of a curve of shape (length,)."""
        return success_ranges(curve, enter=self.enter, leave=self.leaves, min_length=self.min_length)

    def threshold_problems(self) -> Iterator[Problem]:
        """Thresholds that contradict each other or the curve."""
        return threshold_problems(self.type, self.enter, self.leaves, self.min_length)


def threshold_problems(name: str, enter: float, leave: float, min_length: int) -> Iterator[Problem]:
    """Says that thresholds contradict each other, or a curve from 0 to 1.

    Args:
        name: Whose they are.
        enter: A success begins over it.
        leave: And lasts over it.
        min_length: Of successes and of the gaps between them, in frames.
    """
    if not 0 <= leave <= enter < 1 or min_length < 1:
        message = f"{name}: enter {enter:g}, leave {leave:g}, min_length {min_length}"
        yield Problem("bad-value", message, hint="0 <= leave <= enter < 1, and min_length 1 or more")
