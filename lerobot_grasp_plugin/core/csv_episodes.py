"""Collects the rows of one episode in a CSV annotation file and makes its annotation."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from lerobot_grasp_plugin.core.annotations import EpisodeAnnotation, IndexBase
from lerobot_grasp_plugin.core.csv_text import Row
from lerobot_grasp_plugin.core.grammar_ranges import WrittenRange, format_ranges, to_intervals
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.core.source_text import Findings, Span


@dataclass(slots=True)
class EpisodeRows:
    """The contents of the rows of one episode.

    Attributes:
        index: LeRobot's ``episode_index``.
        place: The number of the episode in its first row.
        before: Comment lines above its first row.
        frames: Whether each frame, by its number in the file, is success; and its row.
        ranges: The success ranges.
        all_fail: The row that gives it neither start nor end.
        comments: The remarks in its rows, each once.
        is_partial: Whether a row of it is left out because of an error.
    """

    index: int
    place: Span
    before: tuple[str, ...]
    frames: dict[int, tuple[bool, Row]] = field(default_factory=dict)
    ranges: list[WrittenRange] = field(default_factory=list)
    all_fail: Span | None = None
    comments: dict[str, None] = field(default_factory=dict)
    is_partial: bool = False

    def annotation(
        self, base: IndexBase, findings: Findings, *, has_frames: bool, is_known: bool
    ) -> EpisodeAnnotation | None:
        """The annotation of the episode; None when its rows are resets only.

        Args:
            base: The number of an episode's first frame.
            findings: Where errors are noted.
            has_frames: Whether a row is a frame.
            is_known: Whether the index base is known.
        """
        if self.all_fail and self.ranges:
            message = (
                f"this row labels episode {self.index} as all failure, but another row has success frames"
            )
            findings.error("conflicting-rows", message, self.all_fail, "delete the wrong row")
        if not has_frames and not self.ranges and not self.all_fail:
            return None
        written = self._runs(base, findings, is_known=is_known) if has_frames else self.ranges
        intervals, places = to_intervals(written, base, findings)
        return EpisodeAnnotation(
            self.index,
            intervals,
            "; ".join(self.comments) or None,
            self.before,
            line=self.place.line,
            places=places,
            frames=len(self.frames) if has_frames and not self.is_partial else None,
        )

    def _runs(self, base: IndexBase, findings: Findings, *, is_known: bool) -> list[WrittenRange]:
        """The runs of success frames, after a check that no frame is missing."""
        frames = sorted(self.frames)
        if is_known and frames and frames[0] < base:
            hint = "frames count from 1 here; a file that counts from 0 must state it: `# index_base: 0`"
            findings.error("frame-zero", "frames of a 1-indexed file start at 1, not at 0", self.place, hint)
            self.is_partial = True
            return []
        missing = _gaps(frames, base if is_known or not frames else frames[0])
        if missing and not self.is_partial:
            gaps = format_ranges([FrameInterval(a - base, b - base) for a, b in missing[:3]], base)
            message = f"episode {self.index}: rows are missing for frames {gaps}" + ", ..." * (
                len(missing) > 3
            )
            hint = "give every frame one row; for ranges use the columns episode,start,end"
            if missing == [(0, 1)]:
                hint = "if the first frame is 1, use index base 1"
            findings.error("frames-missing", message, self.place, hint)
            self.is_partial = True
        hits = [frame for frame in frames if self.frames[frame][0]]
        numbered = groupby(enumerate(hits), key=lambda pair: pair[1] - pair[0])
        runs = [[frame for _, frame in run] for _, run in numbered]
        return [WrittenRange(run[0], run[-1], self.frames[run[0]][1].place()) for run in runs]


def _gaps(frames: list[int], first: int) -> list[tuple[int, int]]:
    """The half-open gaps between ascending numbers, and before them down to ``first``."""
    pairs = zip([first - 1, *frames], frames, strict=False)
    return [(before + 1, after) for before, after in pairs if after > before + 1]
