"""Timestamps: on the grid of the frame rate, in order, and such that LeRobot finds the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.reader import VideoSpan
from lerobot_grasp_plugin.errors import Problem, Severity
from lerobot_grasp_plugin.ops.verification.place import Tally, episodes_text
from lerobot_grasp_plugin.ops.verification.tables import Rows
from lerobot_grasp_plugin.ops.verification.view import View


class TimestampCheck:
    """``timestamp`` of every row against ``frame_index / fps`` and against LeRobot's way of reading."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._fps = view.info.fps
        self._off = Tally()
        self._low, self._high = np.inf, -np.inf
        self._squares = 0.0
        self._steps = 0
        self._step_sum = 0.0
        self._back = Tally()
        self._lost = {key: Tally() for key in view.video_keys}

    def see(self, rows: Rows) -> None:
        values = rows.columns.get(layout.TIMESTAMP)
        if values is None or values.shape[1] != 1 or self._fps is None:
            return
        stamps = values.reshape(-1).astype(np.float64)
        expected = rows.frames / self._fps
        deviation = stamps - expected
        off = ~(np.abs(deviation) <= layout.TIMESTAMP_TOLERANCE_S)
        finite = np.isfinite(deviation)
        self._low = min(self._low, float(deviation.min(initial=np.inf, where=finite)))
        self._high = max(self._high, float(deviation.max(initial=-np.inf, where=finite)))
        steps = np.diff(stamps)
        inside = (rows.frames[1:] > 0) & np.isfinite(steps)
        kept = steps[inside]
        self._steps += len(kept)
        self._step_sum += float(kept.sum())
        self._squares += float(np.square(kept - 1 / self._fps).sum())
        for run, frame, number in rows.per_run(off):
            at = int(rows.offsets[run]) + frame
            example = f"timestamp is {stamps[at]:.6f} s, should be {expected[at]:.6f} s"
            self._off.add(rows.files[run], int(rows.episodes[run]), frame, number, example)
        back = np.concatenate(([False], (rows.frames[1:] > 0) & ~(steps > 0)))
        for run, frame, number in rows.per_run(back):
            at = int(rows.offsets[run]) + frame
            example = f"timestamp goes from {stamps[at - 1]:.6f} s to {stamps[at]:.6f} s"
            self._back.add(rows.files[run], int(rows.episodes[run]), frame, number, example)
        for key, spans in self._view.spans.items():
            self._readable(rows, values.reshape(-1), off, key, spans)

    def _readable(
        self,
        rows: Rows,
        stamps: NDArray[Any],
        off: NDArray[np.bool_],
        key: str,
        spans: Sequence[VideoSpan | None],
    ) -> None:
        """LeRobot adds from_timestamp, rounds to float32, and wants the frame's pts within its tolerance."""
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
            example = f"{first[at]:.6f} + {stamps[at]:.6f} s is not where frame {frame} is shown"
            self._lost[key].add(rows.files[run], int(rows.episodes[run]), frame, number, example)

    def found(self) -> Iterator[Problem]:
        if self._off.rows:
            yield self._off_grid()
        if self._back.rows:
            message = f"{self._back.example}; {self._back.extent} do not come after the row before"
            yield self._back.problem("timestamp-order", message)
        for key, tally in self._lost.items():
            if tally.rows:
                message = f"LeRobot does not find the pictures of {key!r}: {tally.example}; {tally.extent}"
                hint = (
                    "from_timestamp has to be on the grid of fps, and small enough for float32 (about 1000 s)"
                )
                yield tally.problem("frame-unreadable", message, hint)

    def _off_grid(self) -> Problem:
        assert self._fps is not None
        jitter = (self._squares / max(1, self._steps)) ** 0.5
        rate = self._steps / self._step_sum if self._step_sum > 0 else 0.0
        frames = self._low * self._fps
        if self._high - self._low <= layout.TIMESTAMP_TOLERANCE_S and abs(frames - round(frames)) < 0.01:
            how = (
                f"all by {self._low:+.6f} s: LeRobot shows the picture {round(frames):+d} frames from theirs"
            )
        else:
            worst = max(abs(self._low), abs(self._high))
            how = (
                f"by up to {worst:.6f} s; steps between rows differ from 1 / fps by {jitter:.6f} s (RMS), "
                f"{rate:.2f} rows a second on average"
            )
        message = (
            f"{self._off.rows} timestamps of {episodes_text(self._off.episodes)} are off frame_index / fps "
            f"(the first: {self._off.example}), {how}"
        )
        hint = (
            f"LeRobot reads pictures by timestamp, within {layout.TIMESTAMP_TOLERANCE_S} s; "
            "lerobot-grasp-merge sets them to the grid"
        )
        severity: Severity = "error" if self._view.video_keys else "warning"
        return self._off.problem("timestamp-off-grid", message, hint, severity)
