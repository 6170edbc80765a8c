"""Making small videos, and judging a copy by the images a decoder gives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np

from lerobot_grasp_plugin.core.timeline import frame_of_pts, pts_of
from lerobot_grasp_plugin.core.video_index import Segment, VideoIndex
from lerobot_grasp_plugin.core.video_plan import VideoShardPlan, plan_shards
from lerobot_grasp_plugin.video import packets
from lerobot_grasp_plugin.video.packets import write_shard
from lerobot_grasp_plugin.video.probe import scan, time_base_of, video_error

FPS = 10
WIDTH, HEIGHT = 96, 64
NO_LIMIT = 10**9


@dataclass(frozen=True)
class Recipe:
    """How a test video is encoded."""

    codec: str
    options: dict[str, str] = field(default_factory=dict)


def x264(gop: int, bframes: int = 0, extra: str = "", crf: int = 28) -> Recipe:
    parameters = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={bframes}:threads=1"
    return Recipe("libx264", {"preset": "veryfast", "crf": str(crf), "x264-params": parameters + extra})


def x265(gop: int, bframes: int = 2, open_gop: bool = True, extra: str = "") -> Recipe:
    parameters = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={bframes}:b-adapt=0"
    parameters += f":open-gop={int(open_gop)}:pools=1:frame-threads=1:log-level=none{extra}"
    return Recipe("libx265", {"preset": "ultrafast", "crf": "30", "x265-params": parameters})


AV1 = Recipe("libsvtav1", {"preset": "12", "crf": "30", "g": "2", "svtav1-params": "lp=1"})
AV1_OTHER_CRF = Recipe("libsvtav1", {"preset": "10", "crf": "45", "g": "2", "svtav1-params": "lp=1"})
AOM = Recipe(
    "libaom-av1", {"cpu-used": "8", "crf": "40", "g": "8", "lag-in-frames": "12", "usage": "realtime"}
)
VP9 = Recipe("libvpx-vp9", {"cpu-used": "8", "crf": "40", "g": "4", "deadline": "realtime"})


def image(number: int, seed: int = 0) -> np.ndarray:
    """An image unlike every other one: a moving ramp under fixed noise."""
    noise = np.random.default_rng(seed).integers(0, 60, (HEIGHT, WIDTH, 3))
    across = (np.arange(WIDTH)[None, :, None] * 2 + number * 9) % 160
    down = np.arange(HEIGHT)[:, None, None] * (1 + seed % 3)
    return ((noise + across + down) % 256).astype(np.uint8)


def encode(path: Path, recipe: Recipe, frames: int, *, seed: int = 0, first: int = 0, fps: int = FPS) -> Path:
    """Encode ``frames`` images whose first one is shown at frame ``first``."""
    with av.open(str(path), "w") as output:
        stream = cast("av.VideoStream", output.add_stream(recipe.codec, fps, options=dict(recipe.options)))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, fps)
        if "g" in recipe.options:
            stream.codec_context.gop_size = int(recipe.options["g"])
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(image(number, seed), format="rgb24")
            frame.pts, frame.time_base = first + number, Fraction(1, fps)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def concatenate(path: Path, parts: Sequence[Path]) -> Path:
    """Join files as LeRobot does while recording: ffmpeg's concat demuxer, packets copied."""
    listing = path.with_suffix(".ffconcat")
    listing.write_text("ffconcat version 1.0\n" + "".join(f"file '{part}'\n" for part in parts))
    options = {"movflags": "faststart"}
    with (
        av.open(str(listing), format="concat", options={"safe": "0"}) as source,
        av.open(str(path), "w", options=options) as output,
    ):
        stream = output.add_stream_from_template(source.streams.video[0], opaque=True)
        stream.time_base = source.streams.video[0].time_base
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    return path


def remux(path: Path, source: Path, *, times: dict[int, int] | None = None, shift: int = 0) -> Path:
    """Copy a file with other times: ``shift`` ticks added to all, ``times`` to the pts of single packets."""
    options = {"avoid_negative_ts": "disabled", "video_track_timescale": "10240"}
    with av.open(str(source)) as old, av.open(str(path), "w", options=options) as new:
        stream = new.add_stream_from_template(old.streams.video[0], opaque=True)
        stream.time_base = Fraction(1, 10240)
        for number, packet in enumerate(p for p in old.demux(video=0) if p.dts is not None):
            moved = shift + (times or {}).get(number, 0)
            packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
            packet.stream = stream
            new.mux(packet)
    return path


def _digest(frame: av.VideoFrame) -> str:
    return hashlib.md5(frame.to_ndarray(format="rgb24").tobytes()).hexdigest()


def decode_all(path: Path, fps: int = FPS) -> dict[int, str]:
    """Digest of every image of a file decoded from beginning to end, by frame."""
    found: dict[int, str] = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            found[round(frame.pts * stream.time_base * fps)] = _digest(frame)
    return found


def decode_by_seeking(path: Path, frames: Iterable[int], fps: int = FPS) -> dict[int, str]:
    """Digest of each frame, each found as LeRobot's pyav reader finds it: seek, decode, take the nearest.

    A frame that reader does not find within its tolerance is left out.
    """
    found = {}
    for number in frames:
        timestamp = number / fps
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            target = round(timestamp / stream.time_base) - 1
            container.seek(target, backward=True, any_frame=False, stream=stream)
            best = None
            for frame in container.decode(stream):
                seconds = float(frame.pts * stream.time_base)
                if abs(seconds - timestamp) < 1e-4:
                    best = _digest(frame)
                if seconds >= timestamp:
                    break
        if best is not None:
            found[number] = best
    return found


def payloads(path: Path, fps: int = FPS) -> dict[int, str]:
    """Digest of every packet's payload, by frame."""
    found: dict[int, str] = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            if packet.pts is not None:
                number = round(packet.pts * stream.time_base * fps)
                found[number] = hashlib.md5(bytes(packet)).hexdigest()
    return found


def copy_and_judge(
    segments: Sequence[Segment], folder: Path, *, max_bytes: int = NO_LIMIT, fps: int = FPS
) -> tuple[list[VideoShardPlan], list[Path]]:
    """Plan and write the segments, then compare every frame of every segment with its source.

    Three ways: decoded from beginning to end, decoded by seeking to it, and by payload.
    """
    indices: dict[Path, VideoIndex] = {part.path: scan(part.path, fps) for part in segments}
    plans = plan_shards(segments, indices, fps, max_bytes)
    outputs = [folder / f"file-{plan.ordinal:03d}.mp4" for plan in plans]
    for plan, output in zip(plans, outputs, strict=True):
        write_shard(plan, output, fps)
    placements = [placement for plan in plans for placement in plan.placements]
    assert [placement.segment for placement in placements] == list(segments)
    whole = {path: (decode_all(path, fps), payloads(path, fps)) for path in {*indices, *outputs}}
    for plan, output in zip(plans, outputs, strict=True):
        with av.open(str(output)) as container:
            stream = container.streams.video[0]
            assert stream.frames == plan.total_frames
            assert stream.average_rate == fps
            assert stream.start_time == 0
        assert output.stat().st_size <= plan.estimated_bytes
    for placement in placements:
        segment, output = placement.segment, outputs[placement.shard]
        here = range(segment.start_frame, segment.stop_frame)
        there = range(placement.from_frame, placement.to_frame)
        images, packets = whole[segment.path]
        assert [whole[output][0].get(k) for k in there] == [images[k] for k in here]
        assert [whole[output][1].get(k) for k in there] == [packets[k] for k in here]
        sought = decode_by_seeking(segment.path, here, fps)
        copied = decode_by_seeking(output, there, fps)
        lost = [k for k in here if k in sought and sought[k] != copied.get(k - here[0] + there[0])]
        assert not lost, f"frames {lost} of {segment} are not what the source shows"
        assert hash_segment(segment.path, segment.start_frame, segment.length, fps) == hash_segment(
            output, placement.from_frame, segment.length, fps
        )
    return plans, outputs


def hash_segments(path: Path, spans: Iterable[tuple[int, int]], fps: float) -> list[str]:
    """Digest of what each segment of a file is made of: its packets in decode order, and where each is shown.

    Two segments with equal digests show the same images.

    Args:
        path: The file, opened once.
        spans: ``(start_frame, length)`` of each segment, on the file's grid, 0-based.
        fps: Frames per second.

    Raises:
        VideoError: The file cannot be read, or a frame is missing.
    """
    digests = []
    with packets._OpenSources() as sources:
        for start_frame, length in spans:
            digest = hashlib.sha256()
            for offset, payload in _segment_payloads(sources, path, start_frame, length, fps):
                digest.update(offset.to_bytes(8, "little") + payload)
            digests.append(digest.hexdigest())
    return digests


def hash_segment(path: Path, start_frame: int, length: int, fps: float) -> str:
    """``hash_segments`` for one segment."""
    return hash_segments(path, [(start_frame, length)], fps)[0]


def _segment_payloads(
    sources: packets._OpenSources, path: Path, start_frame: int, length: int, fps: float
) -> list[tuple[int, bytes]]:
    """Digest of every packet of a segment, in decode order.

    Returns:
        Frame relative to ``start_frame`` (0-based), and SHA-256 of the payload.
    """
    found: dict[int, bytes] = {}
    for rewind in (False, True):
        container, stream = sources.get(path, rewind)
        time_base = time_base_of(stream)
        if not rewind:
            try:
                target = pts_of(start_frame, fps, time_base)
                container.seek(target, stream=stream, backward=True, any_frame=False)
            except av.FFmpegError:
                continue
        found = {}
        for packet in container.demux(stream):
            if packet.pts is None or not packet.size or packet.is_discard:
                continue
            offset = frame_of_pts(packet.pts, fps, time_base) - start_frame
            if 0 <= offset < length:
                found[offset] = hashlib.sha256(packet).digest()
                if len(found) == length:
                    return list(found.items())
    missing = min(set(range(length)) - found.keys())
    raise video_error("video-frame-missing", f"frame {start_frame + missing} is not in the file", path)
