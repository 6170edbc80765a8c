"""Checks timestamps: on the grid of fps, ascending, and such that LeRobot finds the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.timeline import off_grid
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.reader import VideoSpan
from lerobot_grasp_plugin.findings.problem import EPISODES, Problem, Severity
from lerobot_grasp_plugin.verify.place import Tally, count
from lerobot_grasp_plugin.verify.rows import Rows
from lerobot_grasp_plugin.verify.view import View

_CLOCK = 1e8
"""Longer than any episode, in seconds: three years."""
_ALIKE = 1e-4
_EVEN = 0.01


class TimestampCheck:
    """Checks ``timestamp`` of every row against ``frame_index / fps`` and LeRobot's lookup of frames."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._fps = view.info.fps
        self._off = Tally()
        self._deviations = _Deviations()
        self._back = Tally()
        self._seen: set[int] = set()
        self._lost = {key: Tally() for key in view.video_keys}

    def see(self, rows: Rows) -> None:
        values = rows.columns.get(layout.TIMESTAMP)
        if values is None or values.shape[1] != 1 or self._fps is None:
            return
        stamps = values.reshape(-1).astype(np.float64)
        expected = rows.frames / self._fps
        if values.dtype == np.float32:  # after half an hour its steps are wider than the tolerance
            expected = expected.astype(np.float32).astype(np.float64)
        deviation = off_grid(values.reshape(-1), rows.frames, self._fps)
        known = np.isfinite(stamps) & ~self._pieces(rows)  # the others have their own finding
        off = (deviation != 0) & known
        steps = np.diff(stamps)
        inside = (rows.frames[1:] > 0) & known[1:] & known[:-1]
        for run, frame, number in rows.per_run(off):
            at = int(rows.offsets[run]) + frame
            example = f"timestamp is {stamps[at]:.6f} s, expected {expected[at]:.6f} s"
            self._off.add(rows.files[run], int(rows.episodes[run]), frame, number, example)
            own = slice(int(rows.offsets[run]), int(rows.offsets[run] + rows.lengths[run]))
            within = slice(own.start, own.stop - 1)
            self._deviations.add(deviation[own][off[own]], steps[within][inside[within]])
        back = np.concatenate(([False], inside & ~(steps > 0)))
        for run, frame, number in rows.per_run(back):
            at = int(rows.offsets[run]) + frame
            example = f"timestamp goes from {stamps[at - 1]:.6f} s to {stamps[at]:.6f} s"
            self._back.add(rows.files[run], int(rows.episodes[run]), frame, number, example)
        for key, spans in self._view.spans.items():
            self._readable(rows, values.reshape(-1), off | ~known, key, spans)

    def _pieces(self, rows: Rows) -> NDArray[np.bool_]:
        """Rows whose episode began in another file: their position in it is unknown."""
        again = []
        for episode in rows.episodes.tolist():
            again.append(episode in self._seen)
            self._seen.add(episode)
        return np.repeat(np.array(again, dtype=bool), rows.lengths)

    def _readable(
        self,
        rows: Rows,
        stamps: NDArray[Any],
        off: NDArray[np.bool_],
        key: str,
        spans: Sequence[VideoSpan | None],
    ) -> None:
        """Repeats LeRobot's lookup: add from_timestamp, round to float32, compare with the frame's pts."""
        assert self._fps is not None
        starts = np.full(len(rows.episodes), np.nan)
        for run, episode in enumerate(rows.episodes.tolist()):
            row = self._view.rows_of.get(episode)
            span = spans[row] if row is not None else None
            starts[run] = span.from_timestamp if span is not None else np.nan
        first = np.repeat(starts, rows.lengths)
        wanted = (first + stamps.astype(np.float64)).astype(np.float32)
        shown = ((np.round(first * self._fps) + rows.frames) / self._fps).astype(np.float32)
        lost = (np.abs(wanted - shown) >= layout.TIMESTAMP_TOLERANCE_S) & np.isfinite(first) & ~off
        for run, frame, number in rows.per_run(lost):
            at = int(rows.offsets[run]) + frame
            example = f"{first[at]:.6f} + {stamps[at]:.6f} s is not the time of frame {frame}"
            self._lost[key].add(rows.files[run], int(rows.episodes[run]), frame, number, example)

    def found(self) -> Iterator[Problem]:
        if self._off.rows:
            yield self._off_grid()
        if self._back.rows and not self._deviations.still:
            message = f"{self._back.example}; {self._back.extent} are not later than the row before"
            yield self._back.problem("timestamp-order", message)
        for key, tally in self._lost.items():
            if tally.rows:
                message = f"LeRobot does not find the images of {key!r}: {tally.example}; {tally.extent}"
                hint = (
                    "from_timestamp must be on the grid of fps, and small enough for float32 (about 1000 s)"
                )
                yield tally.problem("frame-unreadable", message, hint)

    def _off_grid(self) -> Problem:
        assert self._fps is not None
        message = (
            f"{self._off.rows} timestamps of {EPISODES} differ from frame_index / fps "
            f"(the first: {self._off.example}), {self._deviations.described(self._fps)}"
        )
        rate = self._deviations.rate(self._fps)
        fix = "lerobot-grasp-merge sets them to frame_index / fps"
        if rate is not None and self._seen == self._off.episodes.keys():
            fix = f"set fps in info.json to {rate:g}, if it was recorded at this rate"
        elif rate is not None:
            fix = "a dataset has one frame rate: leave these episodes out with lerobot-grasp-merge"
        hint = f"LeRobot reads images by timestamp, within {layout.TIMESTAMP_TOLERANCE_S} s; {fix}"
        severity: Severity = "error" if self._view.video_keys else "warning"
        return self._off.problem("timestamp-off-grid", message, hint, severity=severity)


class _Deviations:
    """The deviations of timestamps from the grid, in episodes that have any."""

    def __init__(self) -> None:
        self._least, self._most = np.inf, -np.inf
        self._alike = True
        self._steps: list[NDArray[np.float64]] = []

    def add(self, deviations: NDArray[np.float64], steps: NDArray[np.float64]) -> None:
        """Adds the wrong rows of an episode, and the steps between all its rows."""
        low, high = float(deviations.min()), float(deviations.max())
        self._alike &= high - low <= _ALIKE + _ulp(high)
        self._least, self._most = min(self._least, low), max(self._most, high)
        self._steps.append(steps)

    @property
    def still(self) -> bool:
        """Whether no row is later than another: a constant, or clock time that float32 cannot hold."""
        return any(map(len, self._steps)) and not any(steps.any() for steps in self._steps)

    def rate(self, fps: float) -> float | None:
        """Their frame rate, if it is steady and differs from ``fps``."""
        steps = np.concatenate(self._steps)
        mean = float(steps.mean()) if len(steps) else 0.0
        even = mean > 0 and not self._alike and float(np.abs(steps - mean).max()) < _EVEN * mean
        other = even and abs(mean * fps - 1) > _EVEN and _unit(mean, fps) is None
        return float(f"{1 / mean:.4g}") if other else None

    def described(self, fps: float) -> str:
        """The description of the deviations, for the end of a sentence."""
        steps = np.concatenate(self._steps)
        low, high = self._least, self._most
        if low > _CLOCK:
            return "they are the time of day; each episode must start at 0"
        if self.still:
            return "they are constant"
        mean = float(steps.mean()) if len(steps) else 0.0
        jitter = float(np.sqrt(np.square(steps - 1 / fps).mean())) if len(steps) else 0.0
        if self._alike and high - low <= _ALIKE + _ulp(high):
            frames = round(low * fps)
            if frames and abs(low - frames / fps) <= layout.TIMESTAMP_TOLERANCE_S:
                other = f"{count(abs(frames), 'frame')} {'later' if frames > 0 else 'earlier'}"
                return f"all by {low:+.6f} s: LeRobot shows images from {other}"
            return f"all by {low:+.6f} s, {low * fps:+.4f} frames: LeRobot finds no image at such a time"
        if self._alike:
            return (
                f"each episode by its own offset, {low:+.3f} to {high:+.3f} s: they do not start at 0 "
                "in every episode"
            )
        even = mean > 0 and float(np.abs(steps - mean).max()) < _EVEN * mean
        if even and abs(mean * fps - 1) > _EVEN:
            unit, rate = _unit(mean, fps), f"they have {1 / mean:.4g} fps, info.json says {fps:g}"
            why = rate if unit is None else f"they are {unit} instead of seconds"
            return f"by up to {max(abs(low), abs(high)):.6f} s: {why}"
        return (
            f"by up to {max(abs(low), abs(high)):.6f} s; steps between rows differ from 1 / fps by "
            f"{jitter:.6f} s (RMS), {1 / mean if mean > 0 else 0:.2f} rows per second on average"
        )


def _ulp(seconds: float) -> float:
    """A time rounded to float32."""
    return float(np.spacing(np.float32(abs(seconds))))


def _unit(step: float, fps: float) -> str | None:
    """The unit of a step between rows that is not 1 / fps seconds; None if unknown."""
    for unit, factor in (("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9)):
        if abs(step * fps / factor - 1) < _EVEN:
            return unit
    return "frame numbers" if abs(step - 1) < _EVEN else None
