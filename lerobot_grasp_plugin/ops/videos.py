"""The video files of an output: which are taken over whole, and which are packed anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lerobot_grasp_plugin.core.plan import MergePlan
from lerobot_grasp_plugin.core.timeline import frame_of, timestamp_of
from lerobot_grasp_plugin.core.video_index import Segment, VideoIndex
from lerobot_grasp_plugin.core.video_plan import VideoShardPlan, plan_shards
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.errors import GraspError, Problem, VideoError
from lerobot_grasp_plugin.ops.progress import Progress
from lerobot_grasp_plugin.ops.recipe import Link
from lerobot_grasp_plugin.ops.sources import Source, raise_all
from lerobot_grasp_plugin.video.packets import write_shard
from lerobot_grasp_plugin.video.probe import header, scan
from lerobot_grasp_plugin.writers.link import take_over

_MAX_BYTES = layout.VIDEO_FILES_SIZE_IN_MB * 2**20
_WORTH_KEEPING = _MAX_BYTES // 2
"""A file at least this large is taken over whole rather than packed with others."""

_WORKERS = 2


@dataclass(frozen=True, slots=True)
class VideoPlace:
    """Where an output episode's pictures of one camera are.

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
        files: What each of its files is made of, by ordinal.
        places: Of each output episode.
        frames: Frames in all its files that rows refer to.
        unreferenced: Frames in packed files that no row refers to; they make others decodable.
        snapped_s: Largest distance of a copied picture's time from the grid, in seconds.
    """

    video_key: str
    files: Sequence[WholeFile | VideoShardPlan]
    places: Sequence[VideoPlace]
    frames: int
    unreferenced: int
    snapped_s: float


def plan_videos(
    sources: Sequence[Source], plan: MergePlan, video_keys: Sequence[str], fps: int, progress: Progress
) -> list[CameraPlan]:
    """Decides every camera's files; reads packet headers of the files that are packed anew.

    Raises:
        VideoError: With everything that cannot be copied exactly.
    """
    plans, errors = [], []
    for video_key in video_keys:
        try:
            plans.append(_plan_camera(sources, plan, video_key, fps, progress))
        except GraspError as error:
            errors.append(error)
    raise_all(errors)
    return plans


def _plan_camera(
    sources: Sequence[Source], plan: MergePlan, video_key: str, fps: int, progress: Progress
) -> CameraPlan:
    segments = _segments(sources, plan, video_key, fps)
    unchanged = len(sources) == 1 and sources[0].reader.info.is_v3 and _is_complete(sources[0])
    files: list[WholeFile | VideoShardPlan] = []
    places: list[VideoPlace] = []
    unreferenced, snapped = 0, 0.0
    for whole, run in _split(segments, unchanged):
        if whole:
            stamps = [
                (timestamp_of(s.start_frame, fps), timestamp_of(s.start_frame + s.length, fps)) for s in run
            ]
            places += [VideoPlace(len(files), *pair) for pair in stamps]
            files.append(WholeFile(run[0].path))
            continue
        indices = _scan({segment.path: None for segment in run}, fps, video_key, progress)
        shards = plan_shards(run, indices, fps, _MAX_BYTES)
        for shard in shards:
            for placement in shard.placements:
                places.append(VideoPlace(len(files), *placement.timestamps(fps)))
            files.append(shard)
            unreferenced += shard.preroll + shard.postroll
        snapped = max([snapped, *(index.max_deviation_s for index in indices.values() if index.snapped)])
    frames = sum(segment.length for segment in segments)
    return CameraPlan(video_key, files, places, frames, unreferenced, snapped)


def _segments(sources: Sequence[Source], plan: MergePlan, video_key: str, fps: int) -> list[Segment]:
    segments, problems = [], []
    for episode in plan.episodes:
        source = sources[episode.source]
        span = source.reader.video_span(episode.source_episode, source.original[video_key])
        try:
            start = frame_of(span.from_timestamp, fps)
        except ValueError as error:
            message = f"episode {episode.source_episode} of {source.title}: from_timestamp: {error}"
            problems.append(Problem("video-off-grid", message, str(span.path)))
            continue
        segments.append(Segment(span.path, start, episode.length))
    if problems:
        raise VideoError(problems)
    return segments


def _is_complete(source: Source) -> bool:
    return list(source.episodes) == list(range(len(source.reader.lengths)))


def _split(segments: Sequence[Segment], unchanged: bool) -> Iterator[tuple[bool, Sequence[Segment]]]:
    """The segments, cut where a file can be taken over whole: (whole, segments)."""
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


def _scan(paths: dict[Path, None], fps: int, video_key: str, progress: Progress) -> dict[Path, VideoIndex]:
    indices, errors = {}, []
    with ThreadPoolExecutor(_WORKERS) as pool:
        futures = {path: pool.submit(scan, path, fps) for path in paths}
        for number, (path, future) in enumerate(futures.items(), start=1):
            try:
                indices[path] = future.result()
            except GraspError as error:
                errors.append(error)
            progress(f"reading {video_key}", number, len(paths))
    raise_all(errors)
    return indices


def write_videos(
    plans: Sequence[CameraPlan], root: Path, fps: int, link: Link, progress: Progress
) -> dict[str, int]:
    """Makes every video file.

    Returns:
        How many files were made in which way: ``packets``, ``reflink``, ``hard link``, ``copy``.
    """
    jobs = []
    for plan in plans:
        for ordinal, file in enumerate(plan.files):
            chunk, number = layout.chunk_and_file(ordinal)
            relative = layout.VIDEO_PATH.format(
                video_key=plan.video_key, chunk_index=chunk, file_index=number
            )
            jobs.append((file, root / relative))
    ways: dict[str, int] = {}
    with ThreadPoolExecutor(_WORKERS) as pool:
        futures = [pool.submit(_make, file, path, fps, link) for file, path in jobs]
        try:
            for number, future in enumerate(futures, start=1):
                way = future.result()
                ways[way] = ways.get(way, 0) + 1
                progress("writing videos", number, len(jobs))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return ways


def _make(file: WholeFile | VideoShardPlan, path: Path, fps: int, link: Link) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(file, WholeFile):
        return take_over(file.path, path, link)
    write_shard(file, path, fps)
    return "packets"
