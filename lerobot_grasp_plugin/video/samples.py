"""Lists every frame of a video file by its header: time and offset. Nothing is decoded.

A sound mp4 says all this in its tables, so that a file of any size costs a few milliseconds. Where the
tables are not enough (edit lists that hide frames, fragments, other containers) the packets are listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.video_index import NOT_A_START, OPEN_START, StreamSignature
from lerobot_grasp_plugin.video.bitstream import StartReader
from lerobot_grasp_plugin.video.mp4 import Movie, Mp4Error, Track, read_movie
from lerobot_grasp_plugin.video.probe import open_stream, read_moov, signature_of, time_base_of, video_error

_START_BYTES = 4096
_RATE_ONE = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class VideoSamples:
    """The n shown frames of a file's first video stream, in presentation order.

    Attributes:
        path: The file.
        signature: Parameters of the stream.
        pts: When each is shown, in ticks, int64, shape (n,), ascending.
        time_base: Seconds per tick.
        offsets: Position in the file, int64, shape (n,); -1 where it is not known, as outside mp4.
        sizes: Bytes, int64, shape (n,).
        keyframes: The container's flag, bool, shape (n,).
        average_fps: As in torchcodec, ffmpeg's base rate; None when unknown.
        hidden: Frames that are in the file and never shown.
        undated: Packets without a pts.
        descriptions: Number of sample descriptions.
        video_streams: Number of video streams.
        audio_streams: Number of audio streams.
        upright: Whether the frames are to be shown as they are coded, not turned or mirrored.
        file_bytes: Size of the file.
    """

    path: Path
    signature: StreamSignature
    pts: NDArray[np.int64]
    time_base: Fraction
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    keyframes: NDArray[np.bool_]
    average_fps: Fraction | None
    hidden: int
    undated: int
    descriptions: int
    video_streams: int
    audio_streams: int
    upright: bool
    file_bytes: int

    @property
    def seconds(self) -> NDArray[np.float64]:
        """When each frame is shown, float64, shape (n,)."""
        ticks = self.pts.astype(np.float64)
        return ticks * self.time_base.numerator / self.time_base.denominator

    @property
    def cut(self) -> NDArray[np.bool_]:
        """Which frames lie, in part, past the end of the file."""
        return (self.offsets >= 0) & (self.offsets + self.sizes > self.file_bytes)

    def start_kind(self, at: int) -> int:
        """What kind of start a frame is: its flag, and the first of its NAL units or OBUs.

        Raises:
            VideoError: The file cannot be read.
        """
        if not self.keyframes[at]:
            return NOT_A_START
        if self.offsets[at] < 0:
            return OPEN_START
        try:
            with self.path.open("rb") as file:
                file.seek(int(self.offsets[at]))
                data = file.read(min(int(self.sizes[at]), _START_BYTES))
        except OSError as error:
            raise video_error("video-unreadable", f"cannot be read: {error.strerror}", self.path) from error
        return StartReader(self.signature.codec, self.signature.extradata).kind(memoryview(data), True)


def read_samples(path: Path) -> VideoSamples:
    """Reads a file's header, and lists its packets where that is not enough.

    Raises:
        VideoError: The file cannot be read, is empty, a Git LFS pointer, cut off, not a video, or has no
            video stream.
    """
    moov = read_moov(path)
    movie: Movie | None = None
    if moov is not None:
        try:
            movie = read_movie(moov)
        except Mp4Error as error:
            raise video_error("video-damaged", str(error), path) from error
    with open_stream(path) as (container, stream):
        track = movie.video if movie is not None and not movie.fragmented else None
        shown = None if track is None or movie is None else _shown_at(track, movie)
        if track is None or shown is None:
            return _listed(path, container, stream, track, whole_packets=movie is not None)
        order = np.argsort(shown, kind="stable")
        return _samples(
            path,
            container,
            stream,
            track,
            pts=shown[order],
            time_base=Fraction(1, track.timescale),
            offsets=track.offsets[order],
            sizes=track.sizes[order],
            keyframes=track.sync[order],
        )


def _shown_at(track: Track, movie: Movie) -> NDArray[np.int64] | None:
    """Presentation times by the tables; None where the edit list does more than set the beginning."""
    if not track.edits:
        return track.pts
    duration, start, rate = track.edits[0]
    if len(track.edits) > 1 or start < 0 or rate != _RATE_ONE or not movie.timescale or not len(track.pts):
        return None
    shown = track.pts - start
    stop = -(-duration * track.timescale // movie.timescale)
    hidden = int(shown.min()) < 0 or (duration > 0 and int(shown.max()) >= stop)
    return None if hidden else shown


def _listed(
    path: Path, container: InputContainer, stream: VideoStream, track: Track | None, *, whole_packets: bool
) -> VideoSamples:
    rows: list[tuple[int, int, int, bool]] = []
    hidden = undated = 0
    try:
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if packet.is_discard:
                hidden += 1
            elif packet.pts is None:
                undated += 1
            else:
                at = -1 if packet.pos is None or not whole_packets else packet.pos
                rows.append((packet.pts, at, packet.size, packet.is_keyframe))
    except av.FFmpegError as error:
        message = f"packet {len(rows) + hidden + undated}: {error.strerror}"
        raise video_error("video-damaged", message, path) from error
    rows.sort()
    if track is not None:  # ffmpeg leaves out what lies before the keyframe an edit list leads to
        hidden = max(hidden, len(track.pts) - len(rows) - undated)
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return _samples(
        path,
        container,
        stream,
        track,
        pts=table[:, 0],
        time_base=time_base_of(stream),
        offsets=table[:, 1],
        sizes=table[:, 2],
        keyframes=table[:, 3].astype(np.bool_),
        hidden=hidden,
        undated=undated,
    )


def _samples(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    track: Track | None,
    *,
    pts: NDArray[np.int64],
    time_base: Fraction,
    offsets: NDArray[np.int64],
    sizes: NDArray[np.int64],
    keyframes: NDArray[np.bool_],
    hidden: int = 0,
    undated: int = 0,
) -> VideoSamples:
    if not len(pts):
        message = "the video stream has no packets"
        if hidden:
            message = f"its edit list hides all of its {hidden} frames"
        raise video_error("video-no-frames", message, path)
    return VideoSamples(
        path=path,
        signature=signature_of(stream),
        pts=pts,
        time_base=time_base,
        offsets=offsets,
        sizes=sizes,
        keyframes=keyframes,
        average_fps=stream.base_rate,
        hidden=hidden,
        undated=undated,
        descriptions=1 if track is None else track.descriptions,
        video_streams=len(container.streams.video),
        audio_streams=len(container.streams.audio),
        upright=track is None or track.upright,
        file_bytes=path.stat().st_size,
    )
