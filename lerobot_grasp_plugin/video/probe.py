"""Opens a video file safely, and lists its packets without decoding them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.timeline import exact_fps, frames_of_pts
from lerobot_grasp_plugin.core.video_index import NOT_A_START, OPEN_START, StreamSignature, VideoIndex
from lerobot_grasp_plugin.findings.problem import Problem, VideoError
from lerobot_grasp_plugin.video.bitstream import StartReader
from lerobot_grasp_plugin.video.mp4 import boxes, leaves, sample_descriptions, track_kind
from lerobot_grasp_plugin.video.packet_hash import PacketHash, chained

_LFS_START = b"version https://git-lfs.github.com/spec/"
_MAX_MOOV_BYTES = 256 * 2**20
_NO_MOOV = (
    "the index of the frames (the moov box, mostly at the end of an mp4) is missing: no frame can be "
    "read; copy the file again from a complete copy"
)
_MEDIA_BOXES = (b"mdat", b"moof")


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """The contents of a file's header, not checked against the packets.

    Attributes:
        signature: Parameters of the video stream.
        frames: Number of samples, frames hidden by an edit list included.
        fps: Average frame rate; None when unknown.
        duration_s: Seconds from the first to after the last frame; None when unknown.
        has_audio: Whether there is an audio stream.
    """

    signature: StreamSignature
    frames: int
    fps: Fraction | None
    duration_s: Fraction | None
    has_audio: bool


def video_error(code: str, message: str, path: Path, hint: str = "") -> VideoError:
    """The error for one problem of one file."""
    return VideoError(Problem(code, message, path, hint, severity="error"))


def read_moov(path: Path) -> memoryview | None:
    """The index of an mp4 file: the content of its moov box; None for another container.

    Raises:
        VideoError: The file cannot be read, is empty, a Git LFS pointer, or cut off.
    """
    try:
        total = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(64)
            if not start:
                raise video_error("video-empty", "the file is empty (0 bytes)", path)
            if start.startswith(_LFS_START):
                hint = "fetch the video with `git lfs pull`"
                raise video_error("video-lfs-pointer", "this is a Git LFS pointer, not a video", path, hint)
            at, moov, has_media = 0, b"", False
            while at < total:
                file.seek(at)
                head = file.read(16)
                kind, size = head[4:8], int.from_bytes(head[:4], "big")
                if at == 0 and kind != b"ftyp":
                    return None  # another container: ffmpeg reads it
                if size == 1:
                    size = int.from_bytes(head[8:16], "big")
                elif size == 0:
                    size = total - at
                if size < 8 or at + size > total:
                    if moov and has_media and kind not in _MEDIA_BOXES:
                        break  # bytes after a complete file, which every reader ignores
                    message = (
                        f"the file is truncated: it has {total} bytes, but a box at byte {at} ends at "
                        f"{at + size}"
                    )
                    raise video_error("video-truncated", message, path, "" if moov else _NO_MOOV)
                has_media |= kind == b"mdat"
                if kind == b"moov" and not moov:  # as ffmpeg, which ignores a second one
                    if size > _MAX_MOOV_BYTES:
                        message = f"its index of {size} bytes is too large to be read"
                        raise video_error("video-damaged", message, path)
                    file.seek(at + 8)
                    moov = file.read(size - 8)
                at += size
    except OSError as error:
        raise video_error("video-unreadable", f"cannot be read: {error.strerror}", path) from error
    if not moov:
        message = "the file has no moov box: it was never finished"
        raise video_error("video-truncated", message, path, _NO_MOOV)
    return memoryview(moov)


def _check_file(path: Path) -> None:
    """Refuse a file that is not a complete mp4 file with one sample description."""
    moov = read_moov(path)
    for kind, content in boxes(moov or memoryview(b"")):
        if kind != "trak":
            continue
        track = leaves(content)
        if track_kind(track) == "vide":
            descriptions = sample_descriptions(track)
            if descriptions > 1:
                message = f"the video track has {descriptions} sample descriptions; only one can be copied"
                raise video_error("video-mixed-parameters", message, path)
            return


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video file and its first video stream; closed on leaving.

    Raises:
        VideoError: The file cannot be read, is empty, a Git LFS pointer, cut off, not a video, or has no
            video stream.
    """
    _check_file(path)
    with open_stream(path) as opened:
        yield opened


@contextmanager
def open_stream(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """``open_video`` without checking the boxes first, for a file that was already checked.

    Raises:
        VideoError: It is not a video, or has no video stream.
    """
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise video_error("video-unreadable", f"not a video file: {error.strerror}", path) from error
    except (ValueError, OverflowError, MemoryError) as error:  # names in it are no text, ...
        raise video_error("video-unreadable", f"not a video file: {error}", path) from error
    with container:
        if not container.streams.video:
            raise video_error("video-no-stream", "the file has no video stream", path)
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise video_error("video-codec-unknown", "the codec of the video stream is unknown", path)
        if stream.time_base is None:
            raise video_error("video-no-stream", "the video stream has no time base", path)
        yield container, stream


def time_base_of(stream: VideoStream) -> Fraction:
    """Seconds per tick of a stream that ``open_video`` gave."""
    assert stream.time_base is not None
    return stream.time_base


def signature_of(stream: VideoStream) -> StreamSignature:
    """Parameters of a stream."""
    context = stream.codec_context
    return StreamSignature(
        codec=context.codec.canonical_name,
        width=context.width,
        height=context.height,
        pix_fmt=context.pix_fmt,
        profile=context.profile,
        color=(context.color_range, context.color_primaries, context.color_trc, context.colorspace),
        extradata=bytes(context.extradata or b""),
    )


def header(path: Path) -> VideoHeader:
    """Read a file's header; costs a few milliseconds whatever the length.

    Raises:
        VideoError: The file cannot be opened as a video.
    """
    with open_video(path) as (container, stream):
        duration = None if stream.duration is None else stream.duration * time_base_of(stream)
        return VideoHeader(
            signature=signature_of(stream),
            frames=stream.frames,
            fps=stream.average_rate,
            duration_s=duration,
            has_audio=bool(container.streams.audio),
        )


def scan(path: Path, fps: float, *, hashes: bool = False) -> VideoIndex:
    """List the packets of a file's first video stream. Nothing is decoded.

    Args:
        path: The file.
        fps: Frames per second of the dataset it belongs to.
        hashes: Whether to hash the packets.

    Returns:
        The index; a pts within a quarter of a frame of the grid is taken to be on it.

    Raises:
        VideoError: The file cannot be opened or is damaged, a pts is further off the grid, or two packets
            fall on one frame.
    """
    with open_video(path) as (container, stream):
        signature = signature_of(stream)
        time_base = time_base_of(stream)
        reader = StartReader(signature.codec, signature.extradata)
        packet_hash = PacketHash(signature, reader) if hashes else None
        hashed: list[bytes] = []
        pts: list[int] = []
        sizes: list[int] = []
        starts: list[int] = []
        shown: list[bool] = []
        try:
            for packet in container.demux(stream):
                size = packet.size
                if not size:
                    continue
                if packet.pts is None or packet.is_corrupt:
                    what = "has no pts" if packet.pts is None else "is damaged"
                    raise video_error("video-damaged", f"packet {len(pts)} {what}", path)
                pts.append(packet.pts)
                sizes.append(size)
                shown.append(not packet.is_discard)
                if packet_hash is not None:
                    hashed.append(packet_hash.hash(memoryview(packet)))
                start = reader.kind(memoryview(packet), packet.is_keyframe)
                if start == NOT_A_START and packet.is_keyframe and not starts:
                    start = OPEN_START  # where the source itself begins
                starts.append(start)
        except av.FFmpegError as error:
            raise video_error("video-damaged", f"packet {len(pts)}: {error.strerror}", path) from error
        has_audio = bool(container.streams.audio)
    if not pts:
        raise video_error("video-no-frames", "the video stream has no packets", path)

    frames, rest = _on_grid(np.array(pts, dtype=np.int64), fps, time_base, path)
    kinds = np.array(starts, dtype=np.uint8)
    rate = exact_fps(fps)
    rank = np.argsort(np.argsort(frames))
    largest = int(np.abs(rest).max())
    return VideoIndex(
        path=path,
        signature=signature,
        parameter_sets=_digest(reader.parameter_sets),
        frames=frames,
        shown=np.array(shown, dtype=np.bool_),
        sizes=np.array(sizes, dtype=np.int64),
        starts=kinds,
        pts=np.array(pts, dtype=np.int64),
        time_base=time_base,
        reorder_depth=int((np.arange(len(rank)) - rank).max()),
        max_deviation_s=float(Fraction(largest, time_base.denominator * rate.numerator)),
        snapped=largest >= time_base.numerator * rate.numerator,
        has_audio=has_audio,
        hashes=chained(hashed, kinds, frames) if hashes else None,
    )


def _on_grid(
    pts: NDArray[np.int64], fps: float, time_base: Fraction, path: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames of the packets and their remainders; refuses frames off the grid and collisions."""
    try:
        frames, rest = frames_of_pts(pts, fps, time_base)
    except ValueError as error:
        raise video_error("video-damaged", str(error), path) from error
    off = np.flatnonzero(4 * np.abs(rest) > time_base.denominator * exact_fps(fps).denominator)
    if len(off):
        at = int(off[np.argmin(pts[off])])
        seconds = float(int(pts[at]) * time_base)
        message = (
            f"frame {int(frames[at])} is shown at {seconds:.6f} s, more than a quarter of a frame off the "
            f"{fps} fps grid ({len(off)} of {len(pts)} frames are)"
        )
        raise video_error("video-off-grid", message, path, "check the frame rate of the dataset")
    ordered = np.sort(frames)
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(twice):
        message = f"frame {int(ordered[twice[0]])} is shown twice on the {fps} fps grid"
        raise video_error("video-off-grid", message, path, "check the frame rate of the dataset")
    return frames, rest


def _digest(parameter_sets: set[bytes]) -> str:
    if not parameter_sets:
        return ""
    digest = hashlib.sha256()
    for unit in sorted(parameter_sets):
        digest.update(len(unit).to_bytes(4, "big") + unit)
    return digest.hexdigest()
