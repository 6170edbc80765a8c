"""Measures how evenly an episode was recorded, compared with its fps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lerobot_grasp_plugin.findings.words import agree, count
from lerobot_grasp_plugin.recording.hooks import LATE


@dataclass(frozen=True)
class Timing:
    """The times at which frames were added.

    Attributes:
        times: Seconds, shape (frames,), in order.
        fps: Frames per second of the dataset.
        min_rate: The least share of ``fps`` that is not slow.
        simulated: Whether LeRobot's loop ran by a simulated clock, which is always even.
    """

    times: Sequence[float]
    fps: int
    min_rate: float = 0.9
    simulated: bool = False

    @property
    def rate(self) -> float | None:
        """Frames per second as a share of ``fps``; None for one frame, and under a simulated clock."""
        if len(self.times) < 2 or self.simulated:
            return None
        return (len(self.times) - 1) / max(self._seconds * self.fps, 1e-9)

    @property
    def slow(self) -> bool:
        """Whether the episode has too few frames for its duration."""
        rate = self.rate
        return rate is not None and rate < self.min_rate

    @property
    def dropped(self) -> int:
        """Number of frames that are missing for its duration."""
        return max(0, round(self._seconds * self.fps) - (len(self.times) - 1))

    @property
    def _seconds(self) -> float:
        return self.times[-1] - self.times[0]

    def record(self) -> dict[str, Any]:
        """For the sidecar."""
        if len(self.times) < 2:
            return {}
        periods = 1000 * np.diff(self.times)
        figures: dict[str, Any] = {
            "mean_period_ms": round(float(periods.mean()), 3),
            "p99_period_ms": round(float(np.quantile(periods, 0.99)), 3),
            "max_period_ms": round(float(periods.max()), 3),
            "late_frames": int((periods > LATE * 1000 / self.fps).sum()),
        }
        if self.rate is not None:
            figures |= {"dropped_frames": self.dropped, "rate": round(self.rate, 4), "slow": self.slow}
        return figures

    def lines(self) -> list[str]:
        """For the person; empty if nothing was measured."""
        rate, figures = self.rate, self.record()
        if rate is None:
            return []
        lines = [
            f"  {rate * self.fps:.1f} frames per second: {figures['mean_period_ms']:.0f} ms per frame "
            "on average, at "
            f"worst {figures['max_period_ms']:.0f} ms; {count(figures['late_frames'], 'frame')} late, "
            f"{self.dropped} dropped"
        ]
        if self.slow:
            rows = f"{count(len(self.times), 'row')} {agree(len(self.times), 'claims', 'claim')}"
            lines.append(f"  SLOW: {rows} {self.fps} frames per second; press r to record the episode again")
        return lines
