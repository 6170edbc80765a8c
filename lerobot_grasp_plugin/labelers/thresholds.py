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
    """The thresholds of success on a curve from 0 to 1."""

    # a success range begins where the curve is above this value
    enter: float = 0.5
    # and lasts while it is above this one (default: half of enter)
    leave: float | None = None
    # shorter success ranges are dropped, and shorter gaps are closed; in frames
    min_length: int = 3

    @property
    def has_curve(self) -> bool:
        return True

    @property
    def leaves(self) -> float:
        """The value above which a success range lasts."""
        return self.enter / 2 if self.leave is None else self.leave

    def ranges(self, curve: NDArray[np.floating[Any]]) -> IntervalSet:
        """Success frames of a curve of shape (length,)."""
        return success_ranges(curve, enter=self.enter, leave=self.leaves, min_length=self.min_length)

    def threshold_problems(self) -> Iterator[Problem]:
        """Checks that thresholds agree with each other and the curve."""
        return threshold_problems(self.type, self.enter, self.leaves, self.min_length)


def threshold_problems(name: str, enter: float, leave: float, min_length: int) -> Iterator[Problem]:
    """Checks that thresholds agree with each other, and with a curve from 0 to 1.

    Args:
        name: The labeler's name.
        enter: A success range begins above it.
        leave: And lasts above it.
        min_length: Minimum length of success ranges and of gaps, in frames.
    """
    if not 0 <= leave <= enter < 1 or min_length < 1:
        message = f"{name}: enter {enter:g}, leave {leave:g}, min_length {min_length}"
        yield Problem("bad-value", message, hint="expected 0 <= leave <= enter < 1, and min_length 1 or more")
