"""Plans and writes the video files of an output: copied whole, or repacked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from lerobot_grasp_plugin.core.plan import MergePlan
from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.core.timeline import exact_fps, frame_of, timestamp_of
from lerobot_grasp_plugin.core.video_index import Segment, VideoIndex
from lerobot_grasp_plugin.core.video_plan import VideoShardPlan, plan_shards
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.gathering import raise_all
from lerobot_grasp_plugin.findings.problem import GraspError, Problem, VideoError
from lerobot_grasp_plugin.merging.recipe import Link
from lerobot_grasp_plugin.merging.sources import Source
from lerobot_grasp_plugin.video.packets import write_shard
from lerobot_grasp_plugin.video.probe import header, scan
from lerobot_grasp_plugin.writers.link import take_over
from lerobot_grasp_plugin.writers.staging import sync

_MAX_BYTES = layout.VIDEO_FILES_SIZE_IN_MB * 2**20
_WORTH_KEEPING = _MAX_BYTES // 4
"""A file at least this large is copied whole, not packed with others."""

_WORKERS = 4
"""Threads that read and write videos; more than cores, because they wait for the disk."""


@dataclass(frozen=True, slots=True)
class VideoPlace:
    """Where an output episode's images of one camera are.

    Attributes:
        file: Ordinal of the camera's file, 0-based.
        from_timestamp: Seconds into the file.
        to_timestamp: Seconds into the file, exclusive.
    """

    file: int
    from_timestamp: float
    to_timestamp: float


@dataclass(frozen=True)
class WholeFile:
    """A source file that becomes an output file as it is."""

    path: Path


@dataclass(frozen=True)
class CameraPlan:
    """One camera of the output.

    Attributes:
        video_key: The camera.
        files: The parts of each of its files, by ordinal.
        places: Of each output episode.
        unreferenced: Frames in packed files without a row, needed to decode others.
        snapped_s: Largest distance of a copied image's time from the grid, in seconds.
        left_out: Number of episodes whose own video file is longer than their rows, and number of extra
            frames; empty if none.
        has_audio: Whether a packed file had audio.
    """

    video_key: str
    files: Sequence[WholeFile | VideoShardPlan]
    places: Sequence[VideoPlace]
    unreferenced: int
    snapped_s: float
    left_out: tuple[int, int] | tuple[()]
    has_audio: bool


def plan_videos(
    sources: Sequence[Source], plan: MergePlan, video_keys: Sequence[str], fps: float, progress: Progress
) -> list[CameraPlan]:
    """Plans every camera's files; reads packet headers of the files to repack.

    Raises:
        VideoError: With all that cannot be copied exactly.
    """
    unchanged = len(sources) == 1 and sources[0].reader.info.is_v3 and _is_complete(sources[0])
    segments = {key: _segments(sources, plan, key, fps) for key in video_keys}
    pieces = {key: list(_split(segments[key], unchanged)) for key in video_keys}
    paths = {
        segment.path: None for key in video_keys for whole, run in pieces[key] if not whole for segment in run
    }
    indices = _scan(paths, fps, progress)
    plans, errors = [], []
    for key in video_keys:
        try:
            left_out = _left_out(sources, plan, segments[key], indices)
            plans.append(_plan_camera(key, pieces[key], indices, fps, left_out))
        except GraspError as error:
            errors.append(error)
    raise_all(errors)
    return plans


def _plan_camera(
    video_key: str,
    pieces: Sequence[tuple[bool, Sequence[Segment]]],
    indices: dict[Path, VideoIndex],
    fps: float,
    left_out: tuple[int, int] | tuple[()],
) -> CameraPlan:
    files: list[WholeFile | VideoShardPlan] = []
    places: list[VideoPlace] = []
    unreferenced, snapped, has_audio = 0, 0.0, False
    _check_whole_files([run for whole, run in pieces if whole], fps)
    for whole, run in pieces:
        if whole:
            for segment in run:
                start, stop = segment.start_frame, segment.start_frame + segment.length
                places.append(VideoPlace(len(files), timestamp_of(start, fps), timestamp_of(stop, fps)))
            files.append(WholeFile(run[0].path))
            continue
        for shard in plan_shards(run, indices, fps, _MAX_BYTES):
            for placement in shard.placements:
                places.append(VideoPlace(len(files), *placement.timestamps(fps)))
            files.append(shard)
            unreferenced += shard.preroll + shard.postroll
        has_audio |= any(indices[segment.path].has_audio for segment in run)
        moved = [indices[segment.path] for segment in run if indices[segment.path].snapped]
        snapped = max([snapped, *(index.max_deviation_s for index in moved)])
    return CameraPlan(video_key, files, places, unreferenced, snapped, left_out, has_audio)


def _left_out(
    sources: Sequence[Source],
    plan: MergePlan,
    segments: Sequence[Segment],
    indices: dict[Path, VideoIndex],
) -> tuple[int, int] | tuple[()]:
    """Counts frames behind the last row in files that hold one episode (formats v2.x)."""
    counts = []
    for episode, segment in zip(plan.episodes, segments, strict=True):
        index = indices.get(segment.path)
        is_whole = episode.part is None
        if index is not None and is_whole and not sources[episode.source].reader.info.is_v3:
            counts.append(int((index.frames[index.shown] >= segment.stop_frame).sum()))
    longer = [count for count in counts if count]
    return (len(longer), sum(longer)) if longer else ()


def _check_whole_files(runs: Iterable[Sequence[Segment]], fps: float) -> None:
    """Refuses files that cannot be opened, have another frame rate, or lack frames of their segments."""
    problems: list[Problem] = []
    for run in runs:
        path, needed = run[0].path, max(segment.start_frame + segment.length for segment in run)
        try:
            found = header(path)
            if found.fps != exact_fps(fps):
                scan(path, fps)  # refuses images that are not shown at the dataset's rate
        except GraspError as error:
            problems += error.problems
            continue
        held = found.frames
        if held < needed:
            message = f"the file has {held} frames, but rows refer to {needed}"
            problems.append(Problem("video-too-short", message, path))
    if problems:
        raise VideoError(problems)


def _segments(sources: Sequence[Source], plan: MergePlan, video_key: str, fps: float) -> list[Segment]:
    segments, problems = [], []
    for episode in plan.episodes:
        source = sources[episode.source]
        span = source.reader.video_span(episode.read_as, source.original[video_key])
        try:
            start = frame_of(span.from_timestamp, fps)
        except ValueError as error:
            message = f"episode {episode.source_episode} of {source.title}: from_timestamp: {error}"
            problems.append(Problem("video-off-grid", message, span.path))
            continue
        segments.append(Segment(span.path, start, episode.length))
    if problems:
        raise VideoError(problems)
    return segments


def _is_complete(source: Source) -> bool:
    return list(source.episodes) == list(range(len(source.reader.lengths)))


def _split(segments: Sequence[Segment], unchanged: bool) -> Iterator[tuple[bool, Sequence[Segment]]]:
    """The segments, split where a file can be copied whole: (whole, segments)."""
    packed: list[Segment] = []
    for path, group in groupby(segments, key=lambda segment: segment.path):
        run = list(group)
        if unchanged or _covers(path, run):
            if packed:
                yield False, packed
                packed = []
            yield True, run
        else:
            packed += run
    if packed:
        yield False, packed


def _covers(path: Path, run: Sequence[Segment]) -> bool:
    """Whether segments are all of a file that is worth keeping, one after the other."""
    if run[0].start_frame or path.stat().st_size < _WORTH_KEEPING:
        return False
    expected = 0
    for segment in run:
        if segment.start_frame != expected:
            return False
        expected += segment.length
    return header(path).frames == expected


def _scan(paths: dict[Path, None], fps: float, progress: Progress) -> dict[Path, VideoIndex]:
    indices, errors = {}, []
    with ThreadPoolExecutor(_WORKERS) as pool:
        futures = {path: pool.submit(scan, path, fps) for path in paths}
        for number, (path, future) in enumerate(futures.items(), start=1):
            try:
                indices[path] = future.result()
            except GraspError as error:
                errors.append(error)
            progress("reading videos", number, len(paths))
    raise_all(errors)
    return indices


class VideoWriter:
    """Writes the video files in the background, from the moment the block is entered.

    Args:
        plans: Of every camera.
        root: The dataset's folder.
        fps: Frames per second.
        link: How to copy whole files.
    """

    def __init__(self, plans: Sequence[CameraPlan], root: Path, fps: float, link: Link) -> None:
        jobs: list[tuple[WholeFile | VideoShardPlan, Path]] = []
        for plan in plans:
            for ordinal, file in enumerate(plan.files):
                chunk, number = layout.chunk_and_file(ordinal)
                name = layout.VIDEO_PATH.format(
                    video_key=plan.video_key, chunk_index=chunk, file_index=number
                )
                jobs.append((file, root / name))
        jobs.sort(key=lambda job: isinstance(job[0], WholeFile))  # packing takes longer: begin with it
        self._pool = ThreadPoolExecutor(_WORKERS)
        self._futures: list[Future[str]] = [
            self._pool.submit(_make, file, path, fps, link) for file, path in jobs
        ]

    def finish(self, progress: Progress) -> dict[str, int]:
        """Waits for the files.

        Returns:
            Number of files by the way they were written: ``packets``, ``reflink``, ``hard link``, ``copy``.
        """
        ways: dict[str, int] = {}
        for number, future in enumerate(self._futures, start=1):
            way = future.result()
            ways[way] = ways.get(way, 0) + 1
            progress("writing videos", number, len(self._futures))
        return ways

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


def _make(file: WholeFile | VideoShardPlan, path: Path, fps: float, link: Link) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(file, WholeFile):
        way = take_over(file.path, path, link)
    else:
        write_shard(file, path, fps)
        way = "packets"
    sync(path)  # while the other worker computes, not at the end
    return way
