"""Which row shows which frame of a video file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.reader import VideoSpan
from lerobot_grasp_plugin.findings.problem import Place
from lerobot_grasp_plugin.verify.place import Tally
from lerobot_grasp_plugin.video.samples import VideoSamples

_FAR = 2**62
_MOST_MISSING = 1_000_000
"""Rows without a frame that are looked at by themselves, before the rest counts as late."""


@dataclass(frozen=True, slots=True)
class FileUse:
    """The episodes whose frames of one camera are in one file, in the order of their times; n of them.

    Attributes:
        key: The camera.
        path: The file.
        episodes: Episode indices, 0-based, shape (n,).
        starts: ``from_timestamp``, seconds, shape (n,).
        stops: ``to_timestamp``, seconds, shape (n,); NaN where the format does not say.
        lengths: Rows, shape (n,).
        complete: Whether the metadata says of every episode where its frames are.
    """

    key: str
    path: Path
    episodes: NDArray[np.int64]
    starts: NDArray[np.float64]
    stops: NDArray[np.float64]
    lengths: NDArray[np.int64]
    complete: bool = True

    def at(self, episode: int, frame: int | None = None) -> Place:
        """An episode of the file, or a frame of it."""
        return Place(str(self.path), episode=episode, frame=frame)

    @property
    def start(self) -> Place:
        """The first episode of the file."""
        return self.at(int(self.episodes[0]))


def files_in_use(
    spans: Mapping[str, Sequence[VideoSpan | None]], lengths: NDArray[np.int64]
) -> dict[str, list[FileUse]]:
    """The files that are there, per video key; arguments as of ``check_videos``."""
    uses: dict[str, list[FileUse]] = {}
    for key, each in spans.items():
        members: dict[Path, list[int]] = {}
        for episode, span in enumerate(each):
            if span is not None:
                members.setdefault(span.path, []).append(episode)
        complete = sum(map(len, members.values())) == len(each)
        uses[key] = [
            _use(key, path, episodes, each, lengths, complete)
            for path, episodes in members.items()
            if path.is_file()
        ]
    return uses


def _use(
    key: str,
    path: Path,
    episodes: Sequence[int],
    spans: Sequence[VideoSpan | None],
    lengths: NDArray[np.int64],
    complete: bool,
) -> FileUse:
    chosen = [spans[episode] for episode in episodes]
    starts = np.array([span.from_timestamp for span in chosen if span], dtype=np.float64)
    stops = [np.nan if span.to_timestamp is None else span.to_timestamp for span in chosen if span]
    order = np.argsort(starts, kind="stable")
    own = np.array(episodes, dtype=np.int64)
    return FileUse(
        key=key,
        path=path,
        episodes=own[order],
        starts=starts[order],
        stops=np.array(stops, dtype=np.float64)[order],
        lengths=lengths[own[order]],
        complete=complete,
    )


@dataclass
class Match:
    """What LeRobot finds in a file for the rows that look there, n frames.

    It looks for the image of row ``k`` of an episode at ``from_timestamp + k / fps`` and refuses one that is
    ``tolerance_s`` away or more.

    Attributes:
        owner: Episode of each frame, shape (n,); -1 where no row refers to it.
        frame: Its frame in that episode, 0-based, shape (n,).
        firsts: The video frame that row 0 of each episode gets; -1 for none. As ``FileUse.episodes``.
        late: Rows after the last frame.
        absent: Other rows with no video frame within half a frame's time.
        off: Rows whose video frame is within half a frame's time, and outside the tolerance.
        off_by: The largest distance of those, in seconds.
        shared: Rows whose frame is another episode's as well.
        miscounted: Rows whose frame is there, but not where torchcodec looks for it.
    """

    owner: NDArray[np.int64]
    frame: NDArray[np.int64]
    firsts: NDArray[np.int64]
    late: Tally = field(default_factory=Tally)
    absent: Tally = field(default_factory=Tally)
    off: Tally = field(default_factory=Tally)
    off_by: float = 0.0
    shared: Tally = field(default_factory=Tally)
    miscounted: Tally = field(default_factory=Tally)

    @property
    def lost(self) -> int:
        """Rows LeRobot cannot read."""
        return self.late.rows + self.absent.rows + self.off.rows + self.miscounted.rows


def match_rows(use: FileUse, samples: VideoSamples, fps: float) -> Match:
    """Looks for the frame of every row, as LeRobot does.

    Memory grows with the frames in the file, not with what metadata or header claim.
    """
    seconds = samples.seconds
    count = len(seconds)
    match = Match(
        owner=np.full(count, -1, dtype=np.int64),
        frame=np.full(count, -1, dtype=np.int64),
        firsts=np.full(len(use.episodes), -1, dtype=np.int64),
    )
    rows = zip(use.episodes.tolist(), use.starts.tolist(), use.lengths.tolist(), strict=True)
    for at, (episode, start, length) in enumerate(rows):
        reach = int(max(0.0, seconds[-1] - start) * fps) + 2  # the rows after these have no frame
        looked = min(length, reach, count + _MOST_MISSING)
        wanted = start + np.arange(looked) / fps
        nearest = _nearest(seconds, wanted)
        distance = np.abs(seconds[nearest] - wanted)
        near = distance < 0.5 / fps
        late = ~near & (wanted > seconds[-1])
        off = near & ~(distance < layout.TIMESTAMP_TOLERANCE_S)
        _add(match.late, use.path, episode, late, more=length - looked)
        _add(match.absent, use.path, episode, ~near & ~late)
        _add(match.off, use.path, episode, off)
        match.off_by = max(match.off_by, float(distance.max(initial=0.0, where=off)))
        shown = nearest[near]
        taken = np.zeros(looked, dtype=np.bool_)
        taken[near] = match.owner[shown] >= 0
        if taken.any():
            other = int(match.owner[nearest[np.flatnonzero(taken)[0]]])
            _add(match.shared, use.path, episode, taken, example=f"episode {other}")
        match.owner[shown] = episode
        match.frame[shown] = np.flatnonzero(near)
        if looked and near[0]:
            match.firsts[at] = nearest[0]
        miscounted = near & ~off & ~_counted(samples, seconds, wanted, fps)
        _add(match.miscounted, use.path, episode, miscounted)
    return match


def _add(
    tally: Tally, path: Path, episode: int, rows: NDArray[np.bool_], more: int = 0, example: str = ""
) -> None:
    found = int(rows.sum()) + more
    if found:
        first = int(rows.argmax()) if rows.any() else len(rows)
        tally.add(path, episode, first, found, example)


def _nearest(seconds: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.int64]:
    after = np.clip(np.searchsorted(seconds, wanted), 0, len(seconds) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(wanted - seconds[before] < seconds[after] - wanted, before, after)


def _counted(
    samples: VideoSamples, seconds: NDArray[np.float64], wanted: NDArray[np.float64], fps: float
) -> NDArray[np.bool_]:
    """Whether torchcodec finds the frames.

    LeRobot asks it for number ``time * average_fps``; torchcodec takes the first frame that is not
    before ``begin + number / average_fps``, without a look at how many there are before it.
    """
    average = float(samples.average_fps or fps)
    if not average > 0:
        return np.ones(len(wanted), dtype=np.bool_)
    numbers = np.round(wanted * average)
    ticks = np.round((seconds[0] + numbers / average) / float(samples.time_base))
    ticks = np.clip(ticks, -_FAR, _FAR).astype(np.int64)  # of another dtype, all pts would be converted
    at = np.searchsorted(samples.pts, ticks)
    distance = np.abs(seconds[np.minimum(at, len(seconds) - 1)] - wanted)
    found: NDArray[np.bool_] = distance < layout.TIMESTAMP_TOLERANCE_S
    found &= (at < len(seconds)) & (numbers < len(seconds) + samples.hidden)
    return found
