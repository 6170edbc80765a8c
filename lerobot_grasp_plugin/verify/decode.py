"""Decodes every frame once, in order, and checks what the headers do not show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset.reader import VideoSpan
from lerobot_grasp_plugin.findings.problem import EPISODES, GraspError, Problem, VideoError
from lerobot_grasp_plugin.verify.frozen import Movement, StillRuns, frozen_runs
from lerobot_grasp_plugin.verify.image_means import ImageMeans
from lerobot_grasp_plugin.verify.place import Tally, count
from lerobot_grasp_plugin.verify.video_use import FileUse, Match, files_in_use, match_rows
from lerobot_grasp_plugin.video.probe import open_stream
from lerobot_grasp_plugin.video.samples import VideoSamples, read_samples

_FLAT = 2
"""Range of brightness (of 255 levels) of a blank frame: coding leaves some variation."""
_STILL = 8
"""Levels by which frames of one view may differ after coding."""


def check_decoding(
    root: Path,
    fps: float,
    features: Mapping[str, Mapping[str, Any]],
    spans: Mapping[str, Sequence[VideoSpan | None]],
    lengths: NDArray[np.int64],
    progress: Callable[[int, int], None] | None = None,
    means: ImageMeans | None = None,
    movement: Movement | None = None,
) -> Iterator[Problem]:
    """Decodes the whole video files and reports the frames that fail.

    ``check_videos`` reports files that cannot be opened; the arguments are the same.

    Args:
        root: The dataset's folder.
        fps: Frames per second.
        features: As ``info.json`` has them, those that are well-formed.
        spans: Per video key, where each episode's frames are; None if the metadata does not say.
        lengths: Rows of each episode, int64, shape (episodes,).
        progress: Called with the number of decoded frames and the total.
        means: Compares the frames with their statistics; None for no comparison.
        movement: Says when the robot moves, to find frozen cameras; None for no search.
    """
    uses = [use for each in files_in_use(spans, lengths).values() for use in each]
    total, done = max(1, sum(int(use.lengths.sum()) for use in uses)), 0
    for use in uses:
        try:
            samples = read_samples(use.path)
            decoder = _Decoding(use, samples, match_rows(use, samples, fps), means)
            for number in decoder.run():
                if progress is not None:
                    progress(min(done + number, total), total)
        except GraspError:
            continue
        done += int(use.lengths.sum())
        yield from decoder.found()
        if movement is not None:
            yield from frozen_runs(use.key, use.path, decoder.still_runs(), movement, fps)
    if means is not None:
        yield from means.found()


class _Decoding:
    """Decodes one file and records which frames decode and what they show."""

    def __init__(self, use: FileUse, samples: VideoSamples, match: Match, means: ImageMeans | None) -> None:
        self._use = use
        self._samples = samples
        self._match = match
        self._means = means
        self._lengths = dict(zip(use.episodes.tolist(), use.lengths.tolist(), strict=True))
        size = len(samples.pts)
        self._decoded = np.zeros(size, dtype=np.bool_)
        self._faulty = np.zeros(size, dtype=np.bool_)
        self._flat = np.zeros(size, dtype=np.bool_)
        self._same = np.zeros(size, dtype=np.bool_)
        self._first: tuple[int, NDArray[np.uint8]] | None = None
        self._other_size = np.zeros(size, dtype=np.bool_)
        self._size: tuple[int, int] = (samples.signature.height, samples.signature.width)
        self._found_size = self._size
        self._reason = ""
        self._still_runs = StillRuns()

    def run(self) -> Iterator[int]:
        """Decodes; yields the number of decoded frames after every hundred."""
        number = 0
        with open_stream(self._use.path) as (container, stream):
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"err_detect": "explode"}  # do not conceal lost data
            try:
                for packet in container.demux(stream):
                    for video_frame in self._video_frames(stream, packet):
                        self._see(video_frame)
                        number += 1
                        if number % 100 == 0:
                            yield number
            except (av.FFmpegError, VideoError) as error:
                self._reason = self._reason or str(error)
        yield number

    def _video_frames(self, stream: VideoStream, packet: Packet) -> Sequence[VideoFrame]:
        if packet.is_corrupt:
            self._mark(packet.pts, self._faulty)
        try:
            return stream.decode(packet)
        except av.FFmpegError as error:
            self._reason = self._reason or f"{error.strerror}"
            return []

    def _mark(self, pts: int | None, marks: NDArray[np.bool_]) -> None:
        if pts is None:
            return
        at = int(np.searchsorted(self._samples.pts, pts))
        if at < len(marks) and self._samples.pts[at] == pts:
            marks[at] = True

    def _see(self, video_frame: VideoFrame) -> None:
        self._mark(video_frame.pts, self._decoded)
        if video_frame.is_corrupt:
            self._mark(video_frame.pts, self._faulty)
        if (video_frame.height, video_frame.width) != self._size:
            self._mark(video_frame.pts, self._other_size)
            self._found_size = (video_frame.height, video_frame.width)
        self._compare(video_frame)
        lines = _some_lines(video_frame)
        if int(lines.max()) - int(lines.min()) <= _FLAT:
            self._mark(video_frame.pts, self._flat)
            return
        if self._is_still(video_frame.pts, lines):
            self._mark(video_frame.pts, self._same)
        at = int(np.searchsorted(self._samples.pts, video_frame.pts or 0))
        if at < len(self._match.owner) and self._match.owner[at] >= 0:
            self._still_runs.see(int(self._match.owner[at]), int(self._match.frame[at]), lines)

    def _compare(self, video_frame: VideoFrame) -> None:
        """Passes a frame of a row on to the comparison with the statistics."""
        at = int(np.searchsorted(self._samples.pts, video_frame.pts or 0))
        if self._means is None or at >= len(self._match.owner) or self._match.owner[at] < 0:
            return
        episode, frame = int(self._match.owner[at]), int(self._match.frame[at])
        self._means.see(self._use.key, self._use.path, episode, frame, self._lengths[episode], video_frame)

    def _is_still(self, pts: int | None, lines: NDArray[np.uint8]) -> bool:
        """Whether a frame equals the first decoded frame of its episode."""
        at = int(np.searchsorted(self._samples.pts, pts or 0))
        episode = int(self._match.owner[at]) if at < len(self._match.owner) else -1
        if self._first is None or self._first[0] != episode or self._first[1].shape != lines.shape:
            self._first = (episode, lines)
            return False
        return int(np.abs(self._first[1].astype(np.int16) - lines).max()) <= _STILL

    def found(self) -> Iterator[Problem]:
        lost = self._tally(~self._decoded)
        why = f" ({self._reason})" if self._reason else ""
        hint = "LeRobot fails on these rows, or shows an image that the decoder invented"
        if lost.rows:
            message = f"{lost.extent} have a video frame that cannot be decoded{why}"
            yield lost.problem("video-frame-undecodable", message, hint)
        elif not self._decoded.all():
            message = f"{count(int((~self._decoded).sum()), 'frame')} without a row cannot be decoded{why}"
            yield Problem("video-frame-undecodable", message, self._use.path, severity="warning")
        faulty = self._tally(self._faulty & self._decoded)
        if faulty.rows:
            message = f"{faulty.extent} have a damaged video frame"
            yield faulty.problem("video-frame-corrupt", message, "LeRobot returns it with the damage")
        other = self._tally(self._other_size)
        if other.rows:
            (height, width), (high, wide) = self._size, self._found_size
            message = (
                f"{other.extent} have video frames of {high} x {wide}, the file's header says {height} "
                f"x {width}"
            )
            yield other.problem("video-frame-size", message, "LeRobot cannot put them in one batch")
        flat = self._tally(self._flat)
        if flat.rows:
            whole = any(number == self._lengths[episode] for episode, number in flat.episodes.items())
            message = f"{flat.extent} have a blank image of one brightness"
            hint = "the camera was covered, or sent no image"
            yield flat.problem("video-frame-flat", message, hint, severity="warning" if whole else "note")

        frozen = self._frozen()
        if frozen.rows:
            message = f"the image does not change in {EPISODES}"
            hint = "the camera froze or was read only once; remove such episodes from training data"
            yield frozen.problem("video-frozen", message, hint)

    def still_runs(self) -> list[tuple[int, int, int]]:
        """Episode, first frame and number of frames of each run of equal images; not of whole episodes."""
        self._still_runs.end()
        whole = self._frozen().episodes
        return [run for run in self._still_runs.runs if run[0] not in whole]

    def _frozen(self) -> Tally:
        """Episodes whose frames are all equal and not blank."""
        tally = Tally()
        same = Counter(self._match.owner[self._same & (self._match.frame > 0)].tolist())
        for episode, length in zip(self._use.episodes.tolist(), self._use.lengths.tolist(), strict=True):
            if 1 < length == 1 + same[episode]:
                tally.add(self._use.path, episode, 0, length)
        return tally

    def _tally(self, marks: NDArray[np.bool_]) -> Tally:
        """The rows of marked frames; frames without a row are left out."""
        tally = Tally()
        rows = np.flatnonzero(marks & (self._match.owner >= 0))
        rows = rows[np.lexsort((self._match.frame[rows], self._match.owner[rows]))]
        episodes, first, number = np.unique(self._match.owner[rows], return_index=True, return_counts=True)
        for episode, at, found in zip(episodes.tolist(), rows[first].tolist(), number.tolist(), strict=True):
            tally.add(self._use.path, episode, int(self._match.frame[at]), found)
        return tally


def _some_lines(video_frame: VideoFrame) -> NDArray[np.uint8]:
    """Every eighth line of the first plane, the brightness of most formats."""
    plane = video_frame.planes[0]
    lines = np.frombuffer(plane, dtype=np.uint8).reshape(-1, plane.line_size)
    return lines[::8, : plane.width].copy()
