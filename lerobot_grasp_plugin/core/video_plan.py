"""Plans which packets of which files make up each output video, before anything is written.

Consecutive episodes that lie side by side in one source file form a *run*. A run is copied as it stands;
only its first packet has to be a place where a decoder may begin. Frames a run needs for decoding but
that no row refers to come before it (pre-roll) or after it (post-roll) on the output's frame grid, which
therefore has no holes. Paths are used as names here, never opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.mp4_size import OUTER_BOXES, FileTotals, moov_bound
from lerobot_grasp_plugin.core.timeline import timestamp_of
from lerobot_grasp_plugin.core.video_index import (
    NOT_A_START,
    OPEN_START,
    Segment,
    StreamSignature,
    VideoIndex,
)
from lerobot_grasp_plugin.findings.problem import Problem, VideoError


@dataclass(frozen=True, slots=True, eq=False)
class PacketRun:
    """Packets to copy from one place of one file, in decode order.

    Attributes:
        path: The source file.
        first_packet: Position of the first packet in the source's decode order, 0-based.
        time_base: Seconds per tick of ``pts``.
        pts: Source pts of every packet read, in ticks.
        sizes: Payload bytes of every packet read.
        out_frames: Frame on the output's grid, 0-based; -1 for a packet that is left out.
        preroll: Frames before the first one that a row refers to.
        postroll: Frames after the last one that a row refers to.
    """

    path: Path
    first_packet: int
    time_base: Fraction
    pts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    out_frames: NDArray[np.int64]
    preroll: int
    postroll: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one segment ends up.

    Attributes:
        segment: The source frames.
        shard: Ordinal of the output file, 0-based.
        from_frame: First frame on the output file's grid, 0-based.
    """

    segment: Segment
    shard: int
    from_frame: int

    @property
    def to_frame(self) -> int:
        """First frame after the segment on the output file's grid."""
        return self.from_frame + self.segment.length

    def timestamps(self, fps: float) -> tuple[float, float]:
        """``from_timestamp`` and ``to_timestamp`` of the episode, in seconds."""
        return timestamp_of(self.from_frame, fps), timestamp_of(self.to_frame, fps)


@dataclass(frozen=True, slots=True, eq=False)
class VideoShardPlan:
    """One output file.

    Attributes:
        ordinal: Position among the output files, 0-based.
        signature: Parameters of its stream.
        runs: What to copy, in order.
        placements: The segments it holds, in order.
        total_frames: Frames in the file, pre-roll and post-roll included.
        preroll: Frames before runs that no row refers to.
        postroll: Frames after runs that no row refers to.
        reorder_depth: Frames by which dts runs ahead of pts, the same through the file.
        packet_bytes: Sum of the payloads.
        moov_bytes: Upper bound of the file's ``moov`` box.
    """

    ordinal: int
    signature: StreamSignature
    runs: tuple[PacketRun, ...]
    placements: tuple[Placement, ...]
    total_frames: int
    preroll: int
    postroll: int
    reorder_depth: int
    packet_bytes: int
    moov_bytes: int

    @property
    def estimated_bytes(self) -> int:
        """Upper bound of the file's size."""
        return self.packet_bytes + self.moov_bytes + OUTER_BOXES


class _Source:
    """Lookups by frame in one index."""

    def __init__(self, index: VideoIndex) -> None:
        self.index = index
        self.shard_key = (index.signature, index.parameter_sets)
        self._order = np.argsort(index.frames, kind="stable")
        self._sorted = index.frames[self._order]
        self._starts = np.flatnonzero(index.starts != NOT_A_START)
        self._bytes_before = np.concatenate([[0], np.cumsum(index.sizes)])
        self._starts_before = np.concatenate([[0], np.cumsum(index.starts != NOT_A_START)])

    def first_missing(self, segment: Segment) -> int | None:
        """The first frame of a segment that the file does not show; None when all are there."""
        if not len(self._sorted) or segment.start_frame < self._sorted[0]:
            return segment.start_frame
        end = max(segment.start_frame, int(self._sorted[-1]) + 1) + 1  # behind it nothing needs a look
        wanted = np.arange(segment.start_frame, min(segment.stop_frame, end))
        at = np.searchsorted(self._sorted, wanted)
        found = at < len(self._sorted)
        found[found] = self._sorted[at[found]] == wanted[found]
        found[found] = self.index.shown[self._order[at[found]]]
        gaps = np.flatnonzero(~found)
        return int(wanted[gaps[0]]) if len(gaps) else None

    def packets(self, segment: Segment) -> NDArray[np.int64]:
        """Decode positions of a segment's frames, all of which must be there, in presentation order."""
        first = int(np.searchsorted(self._sorted, segment.start_frame))
        return self._order[first : first + segment.length]

    def start_for(self, segment: Segment) -> int | None:
        """Decode position of the nearest packet from which copying makes all of a segment decodable.

        That is a start shown no later than the segment's first frame with nothing of the segment before
        it. Frames coded after a start and shown before it may refer to what is not copied; by the first
        condition none of them belongs to the segment.
        """
        earliest = int(self.packets(segment).min())
        limit = int(np.searchsorted(self._starts, earliest, side="right"))
        for packet in self._starts[:limit][::-1]:
            if self.index.frames[packet] <= segment.start_frame:
                return int(packet)
        return None

    def leading(self, first: int) -> NDArray[np.int64]:
        """Decode positions after ``first`` that are shown before it."""
        return first + np.flatnonzero(self.index.frames[first:] < self.index.frames[first])

    def totals(self, first: int, last: int, dropped: NDArray[np.int64]) -> FileTotals:
        """What ``first..last`` add up to without the dropped ones."""
        dropped = dropped[: np.searchsorted(dropped, last, side="right")]
        starts = int(self._starts_before[last + 1] - self._starts_before[first])
        size = int(self._bytes_before[last + 1] - self._bytes_before[first])
        return FileTotals(
            packets=last + 1 - first - len(dropped),
            keyframes=starts,
            packet_bytes=size - int(self.index.sizes[dropped].sum()),
            reordered=self.index.reorder_depth > 0,
            extradata=len(self.index.signature.extradata),
        )


@dataclass(slots=True)
class _Draft:
    """A run that may still grow.

    Attributes:
        source: Where its packets are.
        first: Decode position of the first packet.
        last: Decode position of the last packet.
        dropped: Decode positions after ``first`` that are left out, ascending.
        segments: What it holds; side by side in the source.
    """

    source: _Source
    first: int
    last: int
    dropped: NDArray[np.int64]
    segments: tuple[Segment, ...]

    @classmethod
    def begin(cls, source: _Source, segment: Segment) -> _Draft:
        first = source.start_for(segment)
        assert first is not None, "checked before drafting"
        return cls(source, first, int(source.packets(segment).max()), source.leading(first), (segment,))

    @property
    def starts_open(self) -> bool:
        """Whether only the beginning of a file is a safe place for it."""
        return bool(self.source.index.starts[self.first] == OPEN_START)

    def shares_file_with(self, other: _Draft) -> bool:
        """Whether one sample description serves both."""
        return self.source.shard_key == other.source.shard_key

    def extended(self, source: _Source, segment: Segment) -> _Draft | None:
        """The run with one more segment; None when that is not the next one of the same file."""
        if source is not self.source or segment.start_frame != self.segments[-1].stop_frame:
            return None
        packets = source.packets(segment)
        if int(packets.min()) < self.first:
            return None
        last = max(self.last, int(packets.max()))
        return _Draft(source, self.first, last, self.dropped, (*self.segments, segment))

    def totals(self) -> FileTotals:
        return self.source.totals(self.first, self.last, self.dropped)

    def run(self, base: int) -> tuple[PacketRun, int]:
        """Its copy instructions from frame ``base`` of the output on, and its reorder depth."""
        index = self.source.index
        frames = index.frames[self.first : self.last + 1]
        kept = frames >= frames[0]
        out_frames = np.full(len(frames), -1, dtype=np.int64)
        rank = np.argsort(np.argsort(frames[kept]))
        out_frames[kept] = base + rank
        run = PacketRun(
            path=index.path,
            first_packet=self.first,
            time_base=index.time_base,
            pts=index.pts[self.first : self.last + 1],
            sizes=index.sizes[self.first : self.last + 1],
            out_frames=out_frames,
            preroll=int((frames[kept] < self.segments[0].start_frame).sum()),
            postroll=int((frames[kept] >= self.segments[-1].stop_frame).sum()),
        )
        return run, int((np.arange(len(rank)) - rank).max())


def _check(segments: Sequence[Segment], sources: Mapping[Path, _Source]) -> None:
    problems = []
    for segment in segments:
        where = segment.path
        span = f"frames {segment.start_frame} to {segment.stop_frame - 1}"
        source = sources[segment.path]
        if segment.length < 1:
            message = f"a segment at frame {segment.start_frame} has length {segment.length}"
            problems.append(Problem("empty-video-segment", message, where))
            continue
        missing = source.first_missing(segment)
        if missing is not None:
            shown = source.index.frames[source.index.shown]
            message = f"{span} are needed, but frame {missing} is not in the file"
            if len(shown):
                message += f", which shows {len(shown)} frames from {shown.min()} to {shown.max()}"
            problems.append(Problem("video-frame-missing", message, where))
        elif source.start_for(segment) is None:
            message = (
                f"{span} are needed, but the file has no keyframe at or before frame {segment.start_frame}"
            )
            problems.append(Problem("video-keyframe-missing", message, where))
    if problems:
        raise VideoError(problems)


def plan_shards(
    segments: Sequence[Segment], indices: Mapping[Path, VideoIndex], fps: float, max_bytes: int
) -> list[VideoShardPlan]:
    """Distribute episodes over output files, in the order given.

    A new file is opened where the stream's parameters change, where a run starts with a frame that is
    safe only at the beginning of a file, and where a file would reach ``max_bytes``. One episode that is
    larger than that gets a file of its own.

    Args:
        segments: One per output episode.
        indices: The index of every source file named by a segment.
        fps: Frames per second of all of them.
        max_bytes: Size every file of more than one episode stays under.

    Returns:
        The files; their placements, one after the other, are the segments in the order given.

    Raises:
        VideoError: Frames are missing or cannot be decoded by a copy; all such segments are named.
        ValueError: A segment names a file without an index, or ``fps`` or ``max_bytes`` is not positive.
    """
    if fps <= 0 or max_bytes < 1:
        raise ValueError(f"fps is {fps} and max_bytes is {max_bytes}; both must be positive")
    unknown = sorted({str(segment.path) for segment in segments if segment.path not in indices})
    if unknown:
        raise ValueError(f"no index given for {', '.join(unknown)}")
    sources = {path: _Source(indices[path]) for path in {segment.path for segment in segments}}
    _check(segments, sources)

    shards: list[list[_Draft]] = []
    closed = FileTotals()  # of the current file, all runs but the last one
    for segment in segments:
        source = sources[segment.path]
        drafts = shards[-1] if shards else []
        longer = drafts[-1].extended(source, segment) if drafts else None
        if longer is not None and closed.plus(longer.totals()).file_bytes < max_bytes:
            drafts[-1] = longer
            continue
        draft = _Draft.begin(source, segment)
        if drafts and longer is None and not draft.starts_open and drafts[-1].shares_file_with(draft):
            before = closed.plus(drafts[-1].totals())
            if before.plus(draft.totals()).file_bytes < max_bytes:
                closed = before
                drafts.append(draft)
                continue
        closed = FileTotals()
        shards.append([draft])
    return [_finished(ordinal, drafts) for ordinal, drafts in enumerate(shards)]


def _finished(ordinal: int, drafts: Sequence[_Draft]) -> VideoShardPlan:
    runs: list[PacketRun] = []
    placements: list[Placement] = []
    base = depth = 0
    for draft in drafts:
        run, run_depth = draft.run(base)
        origin = base + run.preroll - draft.segments[0].start_frame
        placements.extend(Placement(part, ordinal, origin + part.start_frame) for part in draft.segments)
        runs.append(run)
        depth = max(depth, run_depth)
        base += int((run.out_frames >= 0).sum())
    totals = FileTotals()
    for draft in drafts:
        totals = totals.plus(draft.totals())
    return VideoShardPlan(
        ordinal=ordinal,
        signature=drafts[0].source.index.signature,
        runs=tuple(runs),
        placements=tuple(placements),
        total_frames=base,
        preroll=sum(run.preroll for run in runs),
        postroll=sum(run.postroll for run in runs),
        reorder_depth=depth,
        packet_bytes=totals.packet_bytes,
        moov_bytes=moov_bound(*totals),
    )
