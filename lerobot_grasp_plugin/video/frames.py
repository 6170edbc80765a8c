"""Decodes chosen frames, in order, to the same pixels as LeRobot's pyav reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.timeline import frame_of_pts, pts_of
from lerobot_grasp_plugin.core.video_index import CLEAN_START
from lerobot_grasp_plugin.video.bitstream import StartReader
from lerobot_grasp_plugin.video.probe import open_video, signature_of, time_base_of, video_error

_HELD_PACKETS = 64


def decode_segment(
    path: Path, start_frame: int, length: int, fps: float, only: Sequence[int] | None = None
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Decode frames of one segment in presentation order.

    Stretches between two clean starts in which no frame is wanted are read and not decoded.

    Args:
        path: The video file.
        start_frame: First frame of the segment on the file's grid, 0-based.
        length: Number of frames.
        fps: Frames per second.
        only: Wanted frames relative to ``start_frame`` (0-based, as ``frame_index``), in any order; None
            for all.

    Yields:
        Frame relative to ``start_frame``, ascending, and its image: height x width x 3, uint8, RGB.

    Raises:
        ValueError: A wanted frame is not in ``0..length-1``.
        VideoError: The file cannot be read, or a wanted frame cannot be decoded.
    """
    wanted = range(length) if only is None else sorted({int(frame) for frame in only})
    outside = [frame for frame in wanted if not 0 <= frame < length]
    if outside:
        raise ValueError(f"frame {outside[0]} is outside a segment with frames 0 to {length - 1}")
    if wanted:
        yield from _decoded(path, start_frame, wanted, fps)


def _decoded(
    path: Path, start_frame: int, wanted: Sequence[int], fps: float
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    done = 0
    with open_video(path) as (container, stream):
        time_base = time_base_of(stream)
        stream.thread_type = "AUTO"
        for from_the_beginning in (False, True):
            if done == len(wanted):
                return
            _rewind(container, stream, pts_of(start_frame + wanted[done], fps, time_base), from_the_beginning)
            try:
                missing = frozenset(start_frame + at for at in wanted[done:])
                for video_frame in _video_frames(container, stream, missing, fps):
                    assert video_frame.pts is not None
                    frame = frame_of_pts(video_frame.pts, fps, time_base) - start_frame
                    if frame > wanted[done]:
                        break  # the seek led past it, or a frame is missing
                    if frame == wanted[done]:
                        yield frame, np.asarray(video_frame.to_ndarray(format="rgb24"), dtype=np.uint8)
                        done += 1
                        if done == len(wanted):
                            return
            except av.FFmpegError as error:
                if from_the_beginning:
                    message = f"frame {start_frame + wanted[done]} cannot be decoded: {error}"
                    raise video_error("video-damaged", message, path) from error
    message = f"frame {start_frame + wanted[done]} cannot be decoded"
    raise video_error("video-frame-missing", message, path)


def _rewind(container: InputContainer, stream: VideoStream, pts: int, to_beginning: bool) -> None:
    """Put the reading position to a keyframe at or before a pts (in ticks), or to the first packet."""
    target = min(0, stream.start_time or 0) - (1 << 40) if to_beginning else pts - 1
    try:
        container.seek(target, stream=stream, backward=True, any_frame=False)
    except av.FFmpegError:
        if not to_beginning:
            _rewind(container, stream, pts, True)


def _video_frames(
    container: InputContainer, stream: VideoStream, wanted: frozenset[int], fps: float
) -> Iterator[VideoFrame]:
    """Frames from the reading position on, without stretches that hold no wanted frame.

    The packets after a clean start are held back until one of a wanted frame comes (then all of them are
    decoded) or the next clean start does (then none of them is needed). Long stretches are not held.

    Args:
        container: The open file.
        stream: Its video stream.
        wanted: Frames on the file's grid.
        fps: Frames per second.
    """
    if len(wanted) == max(wanted) - min(wanted) + 1:  # no gaps to pass over
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size:
                yield from _shown(stream, packet)
        yield from _shown(stream, None)
        return
    signature = signature_of(stream)
    reader = StartReader(signature.codec, signature.extradata)
    time_base = time_base_of(stream)
    held: list[Packet] = []
    holding = decoder_in_use = False
    for packet in container.demux(stream):
        if packet.pts is None or not packet.size:
            continue
        if reader.kind(memoryview(packet), packet.is_keyframe) == CLEAN_START:
            if held and decoder_in_use:
                yield from _shown(stream, None)
                stream.codec_context.flush_buffers()
                decoder_in_use = False
            held.clear()
            holding = True
        held.append(packet)
        needed = frame_of_pts(packet.pts, fps, time_base) in wanted
        if holding and not needed and len(held) < _HELD_PACKETS:
            continue
        holding, decoder_in_use = False, True
        for ready in held:
            yield from _shown(stream, ready)
        held.clear()
    yield from _shown(stream, None)


def _shown(stream: VideoStream, packet: Packet | None) -> Iterator[VideoFrame]:
    """Frames that the decoder returns for a packet; for None, the remaining ones."""
    for video_frame in stream.decode(packet):
        if video_frame.pts is not None:
            yield video_frame
