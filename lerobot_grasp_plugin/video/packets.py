"""Carries out a shard plan: copies packets from file to file, never decodes them."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from lerobot_grasp_plugin.core.timeline import ticks_per_frame, timescale
from lerobot_grasp_plugin.core.video_plan import PacketRun, VideoShardPlan
from lerobot_grasp_plugin.video.probe import open_video, signature_of, video_error

_OPEN_FILES = 8


class _OpenSources:
    """Number of source files kept open; the least recently used one is closed."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, tuple[ExitStack, InputContainer, VideoStream]] = OrderedDict()

    def get(self, path: Path, rewind: bool = False) -> tuple[InputContainer, VideoStream]:
        """An open file; ``rewind`` puts its reading position back to the beginning."""
        if rewind and path in self._open:
            self._open.pop(path)[0].close()
        if path not in self._open:
            if len(self._open) >= _OPEN_FILES:
                self._open.popitem(last=False)[1][0].close()
            with ExitStack() as stack:
                container, stream = stack.enter_context(open_video(path))
                self._open[path] = (stack.pop_all(), container, stream)
        self._open.move_to_end(path)
        return self._open[path][1:]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._open:
            self._open.popitem()[1][0].close()


def _packets_from(sources: _OpenSources, path: Path, pts: int) -> Iterator[Packet]:
    """Packets in decode order from the one with this pts (ticks) on; none when it is not there."""
    for rewind in (False, True):
        container, stream = sources.get(path, rewind=rewind)
        if not rewind:
            try:
                container.seek(pts, stream=stream, backward=True, any_frame=False)
            except av.FFmpegError:
                continue
        packets = container.demux(stream)
        for packet in packets:
            if packet.pts == pts and packet.size:
                yield packet
                yield from packets
                return


def _run_packets(sources: _OpenSources, run: PacketRun) -> Iterator[tuple[Packet, int]]:
    """The packets of a run that are copied, with their output frames.

    Raises:
        VideoError: The file changed since the plan was made.
    """
    packets = _packets_from(sources, run.path, int(run.pts[0]))
    wanted = zip(run.pts.tolist(), run.sizes.tolist(), run.out_frames.tolist(), strict=True)
    for position, (pts, size, out_frame) in enumerate(wanted, run.first_packet):
        packet = next(packets, None)
        if packet is None or packet.pts != pts or packet.size != size:
            raise video_error("video-changed", f"packet {position} changed since it was planned", run.path)
        if out_frame >= 0:
            yield packet, out_frame


def _mux(plan: VideoShardPlan, output: OutputContainer, fps: float) -> None:
    ticks, time_base = ticks_per_frame(fps), Fraction(1, timescale(fps))
    stream: VideoStream | None = None
    decoded = -plan.reorder_depth  # dts of the next packet, in frames
    with _OpenSources() as sources:
        for run in plan.runs:
            _, source = sources.get(run.path)
            if signature_of(source) != plan.signature:
                raise video_error("video-changed", "its parameters changed since it was planned", run.path)
            if stream is None:
                stream = output.add_stream_from_template(source, opaque=True)
                stream.time_base = time_base
            for packet, out_frame in _run_packets(sources, run):
                packet.stream = stream
                packet.time_base = time_base
                packet.pts = out_frame * ticks
                packet.dts = decoded * ticks
                packet.duration = ticks
                output.mux_one(packet)
                decoded += 1


def write_shard(plan: VideoShardPlan, dst: Path, fps: float) -> None:
    """Write one output file. The same plan gives the same bytes.

    Memory does not grow with the length of the video (the sample tables ffmpeg holds aside). Reading and
    writing release the GIL, so several shards may be written by several threads.

    Args:
        plan: What goes into the file.
        dst: The file; must not exist. Its folder must.
        fps: Frames per second.

    Raises:
        VideoError: A source cannot be read or changed since the plan was made; the target cannot be
            written. ``dst`` does not exist then.
        FileExistsError: ``dst`` exists.
    """
    os.close(os.open(dst, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        _write(plan, dst, fps)
    except BaseException:
        dst.unlink(missing_ok=True)
        raise


def _write(plan: VideoShardPlan, dst: Path, fps: float) -> None:
    options = {
        "fflags": "+bitexact",
        "video_track_timescale": str(timescale(fps)),
        "moov_size": str(plan.moov_bytes),  # reserve room in front, so that the packets are written once
    }
    output = av.open(str(dst), "w", format="mp4", options=options)
    try:
        _mux(plan, output, fps)
    except BaseException as error:
        with suppress(Exception):
            output.close()
        if isinstance(error, av.FFmpegError):
            raise video_error("video-not-written", f"cannot be written: {error}", dst) from error
        raise
    try:
        output.close()
    except (av.FFmpegError, OSError) as error:
        raise video_error("video-not-written", f"cannot be finished: {error}", dst) from error
    if dst.stat().st_size < plan.packet_bytes + plan.moov_bytes:
        raise video_error("video-not-written", "the file is shorter than the data written to it", dst)
