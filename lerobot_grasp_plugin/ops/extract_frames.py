"""Frames of a dataset as picture files, numbered as the source numbers them, or as contact sheets."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.annotations import IndexBase
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.selection import select_episodes
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.reader import DatasetReader, open_dataset
from lerobot_grasp_plugin.errors import DatasetError, Problem, UsageError
from lerobot_grasp_plugin.ops.annotate import label_sources, read_annotations
from lerobot_grasp_plugin.ops.contact_sheet import SheetText, draw_sheet
from lerobot_grasp_plugin.ops.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.ops.frames_config import FramesConfig
from lerobot_grasp_plugin.ops.progress import Progress, silent
from lerobot_grasp_plugin.ops.recipe import LabelOptions, SourceConfig
from lerobot_grasp_plugin.ops.sources import open_sources
from lerobot_grasp_plugin.writers.pictures import (
    StagedPictures,
    read_index,
    refuse_foreign_folder,
    refuse_foreign_picture,
    save_picture,
    staged_pictures,
    write_index,
)

FRAMES_DIR = "frames"
SHEETS_DIR = "contact_sheets"

type Crop = tuple[int, int, int, int]


@dataclass(frozen=True)
class FramesReport:
    """What was written.

    Attributes:
        output_dir: The folder of all of it.
        episodes: How many episodes.
        cameras: Whose pictures.
        pictures: Frames decoded and written, over all cameras.
        sheets: Contact sheets written; empty when each frame is a file.
        index_base: Number of an episode's first frame in names and sheets.
        warnings: What was odd.
    """

    output_dir: Path
    episodes: int
    cameras: Sequence[str]
    pictures: int
    sheets: Sequence[Path]
    index_base: int
    warnings: Sequence[Problem]


@dataclass(frozen=True)
class _Job:
    """One episode of one camera, and the folder or sheet it becomes."""

    episode: int
    camera_key: str
    frames: range
    target: Path


@dataclass(frozen=True)
class _Work:
    """All that the jobs of a run share."""

    reader: DatasetReader
    config: FramesConfig
    crop: Crop | None
    index_base: IndexBase
    labels: Mapping[int, IntervalSet]
    pictures: EpisodeFrames
    staged: StagedPictures
    given_up: threading.Event = field(default_factory=threading.Event)

    def decoded(self, job: _Job) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Wanted frames, 0-based, and their pictures, cropped; ends early when the run was given up."""
        for frame, picture in self.pictures.decode(job.episode, job.camera_key, job.frames):
            if self.given_up.is_set():
                raise _GivenUpError
            yield frame, picture if self.crop is None else _cropped(picture, self.crop, job.camera_key)


class _GivenUpError(Exception):
    """Another job failed, or the person stopped the run."""


def extract_frames(config: FramesConfig, progress: Progress = silent) -> FramesReport:
    """Writes the chosen frames, all of them or none.

    An episode's folder or sheet from an earlier run is replaced; anything else that stands in the way
    is refused before a picture is decoded.

    Args:
        config: What is asked for.
        progress: Told how many frames are done.

    Raises:
        UsageError: The call is at fault: an unknown camera or episode, a crop outside the picture, files
            of somebody else's in the way.
        DatasetError: A picture is missing or damaged.
    """
    _check(config)
    source = SourceConfig(repo_id=config.repo_id, root=config.root, episodes=config.episodes)
    reader = open_dataset(source.repo_id, source.root)
    episodes = select_episodes(source.episodes, len(reader.lengths))
    cameras = _cameras(reader, config.camera_key)
    crop = _parsed_crop(config.crop)
    _require(reader, episodes, cameras)
    labels, warnings, file_base = _labels(reader, source, episodes, config)
    base: IndexBase = file_base if config.index_base is None else 0 if config.index_base == 0 else 1
    output_dir = (config.output_dir or reader.root / FRAMES_DIR).expanduser()
    jobs = _jobs(reader, config, output_dir, episodes, cameras)
    for job in jobs:
        (refuse_foreign_picture if config.contact_sheet else refuse_foreign_folder)(job.target)
    with staged_pictures() as staged:
        work = _Work(reader, config, crop, base, labels, EpisodeFrames(reader), staged)
        done = _run_all(work, jobs, progress)
    warnings += [] if config.contact_sheet else _other_bases(jobs, base)
    return FramesReport(
        output_dir,
        len(episodes),
        cameras,
        done,
        [job.target for job in jobs] if config.contact_sheet else [],
        base,
        [*reader.warnings, *warnings],
    )


# -- what is asked for ------------------------------------------------------------------------------


def _check(config: FramesConfig) -> None:
    problems = []
    if config.stride < 1:
        problems.append(Problem("bad-stride", f"stride is {config.stride}; it must be 1 or more"))
    if config.index_base not in (None, 0, 1):
        problems.append(Problem("bad-index-base", f"index_base is 0 or 1, not {config.index_base}"))
    if config.annotations is not None and not config.contact_sheet:
        hint = "add --contact_sheet"
        problems.append(Problem("no-sheet", "annotations are shown on contact sheets only", hint=hint))
    if problems:
        raise UsageError(problems)


def _cameras(reader: DatasetReader, camera_key: str | None) -> list[str]:
    known = list(reader.info.camera_keys)
    if not known:
        raise UsageError(Problem("no-camera", "the dataset has no camera", str(reader.root)))
    if camera_key is not None and camera_key not in known:
        message = f"{reader.repo_id} has no camera {camera_key!r}"
        raise UsageError(Problem("no-such-camera", message, hint=f"its cameras: {', '.join(known)}"))
    odd = [key for key in known if "/" in key or key in ("", ".", "..")]
    if odd:
        message = f"camera {odd[0]!r} cannot be the name of a folder"
        raise DatasetError(Problem("bad-info", message, str(reader.root / layout.INFO_PATH)))
    return known if camera_key is None else [camera_key]


def _require(reader: DatasetReader, episodes: Sequence[int], cameras: Sequence[str]) -> None:
    try:
        reader.require(episodes, [key for key in cameras if key in reader.info.video_keys])
    except DatasetError as error:
        hint = "choose a camera that is there with --camera_key, or fetch the files"
        problems = [
            replace(problem, hint=hint) if problem.code == "missing-video" and problem.hint else problem
            for problem in error.problems
        ]
        raise DatasetError(problems) from None


def _parsed_crop(crop: Sequence[int] | str | None) -> Crop | None:
    if crop is None:
        return None
    given = crop.strip().strip("[]()").split(",") if isinstance(crop, str) else list(crop)
    try:
        top, left, height, width = (int(value) for value in given)
    except ValueError:
        top = left = height = width = -1
    if min(top, left) < 0 or min(height, width) < 1:
        hint = "for instance --crop 0,80,480,480"
        message = f"crop {crop!r} is not top,left,height,width in pixels"
        raise UsageError(Problem("bad-crop", message, hint=hint))
    return top, left, height, width


def _cropped(picture: NDArray[np.uint8], crop: Crop, camera_key: str) -> NDArray[np.uint8]:
    top, left, height, width = crop
    rows, columns = picture.shape[:2]
    if top + height > rows or left + width > columns:
        message = (
            f"crop {top},{left},{height},{width} reaches to row {top + height} and column {left + width}; "
            f"pictures of {camera_key!r} have {rows} rows and {columns} columns"
        )
        raise UsageError(Problem("bad-crop", message, hint="crop is top,left,height,width"))
    return picture[top : top + height, left : left + width]


def _labels(
    reader: DatasetReader, source: SourceConfig, episodes: Sequence[int], config: FramesConfig
) -> tuple[Mapping[int, IntervalSet], list[Problem], IndexBase]:
    """Success frames of labelled episodes, warnings, and how the annotation file counts (else 1)."""
    if not config.contact_sheet:
        return {}, [], 1
    if config.annotations is not None:
        sources = open_sources([source], ())
        options = LabelOptions(unlisted="drop", index_base=config.index_base)
        warnings = label_sources(sources, config.annotations, options)
        base = read_annotations(config.annotations, config.index_base).annotations.index_base
        return sources[0].labels or {}, warnings, base
    if layout.REWARD not in reader.info.features:
        return {}, [], 1
    labels: dict[int, IntervalSet] = {}
    for batch in reader.read(episodes, [layout.REWARD]):
        if layout.REWARD not in batch.table.column_names:
            continue
        stop = 0
        for episode, length in zip(batch.episodes, batch.lengths, strict=True):
            start, stop = stop, stop + length
            reward = to_numpy(batch.table[layout.REWARD].slice(start, length)).reshape(length, -1)
            labels[episode] = IntervalSet.from_mask(reward[:, 0] > 0)
    return labels, [], 1


def _jobs(
    reader: DatasetReader,
    config: FramesConfig,
    output_dir: Path,
    episodes: Sequence[int],
    cameras: Sequence[str],
) -> list[_Job]:
    """Every episode of every camera; cameras have folders of their own where the dataset has several."""
    several = len(reader.info.camera_keys) > 1
    jobs = []
    for episode in episodes:
        name = f"episode_{episode:06d}"
        for key in cameras:
            folder = output_dir / key if several else output_dir
            target = folder / name
            if config.contact_sheet:
                target = folder / SHEETS_DIR / f"{name}.{config.format}"
            frames = range(0, int(reader.lengths[episode]), config.stride)
            jobs.append(_Job(episode, key, frames, target))
    return jobs


# -- the work ---------------------------------------------------------------------------------------


def _run_all(work: _Work, jobs: Sequence[_Job], progress: Progress) -> int:
    """Runs the jobs on all processors; returns the number of frames.

    Decoding, scaling and packing a picture happen outside Python's lock, so that threads do; they start
    at once.
    """
    run = _write_sheet if work.config.contact_sheet else _write_frames
    total, done = sum(len(job.frames) for job in jobs), 0
    progress("frames", 0, total)
    waiting = list(reversed(jobs))
    workers = max(1, min(os.cpu_count() or 1, len(jobs)))
    with ThreadPoolExecutor(workers, thread_name_prefix="grasp-frames") as pool:
        running: dict[Future[None], _Job] = {}
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    job = waiting.pop()
                    running[pool.submit(run, work, job)] = job
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    future.result()
                    done += len(running.pop(future).frames)
                    progress("frames", done, total)
        except BaseException:
            work.given_up.set()
            raise
    return total


def _write_frames(work: _Work, job: _Job) -> None:
    fps, suffix = work.reader.info.fps, work.config.format
    entries: list[dict[str, Any]] = []
    index = {
        "repo_id": work.reader.repo_id,
        "episode_index": job.episode,
        "camera_key": job.camera_key,
        "fps": fps,
        "length": int(work.reader.lengths[job.episode]),
        "index_base": work.index_base,
        "stride": work.config.stride,
        "crop": work.crop,
        "frames": entries,
    }
    folder = work.staged.folder(job.target)
    for frame, picture in work.decoded(job):
        number = frame + work.index_base
        name = f"frame_{number:04d}.{suffix}"
        save_picture(picture, folder / name)
        entries.append({"file": name, "number": number, "frame_index": frame, "timestamp": frame / fps})
    write_index(folder, index)


def _write_sheet(work: _Work, job: _Job) -> None:
    text = SheetText(
        dataset=work.reader.repo_id,
        episode=job.episode,
        camera_key=job.camera_key,
        task="; ".join(work.reader.episode_tasks(job.episode)),
        length=int(work.reader.lengths[job.episode]),
        fps=work.reader.info.fps,
        stride=work.config.stride,
        index_base=work.index_base,
    )
    sheet = draw_sheet(work.decoded(job), text, work.labels.get(job.episode))
    save_picture(sheet, work.staged.picture(job.target))


def _other_bases(jobs: Sequence[_Job], base: int) -> list[Problem]:
    """A warning where episodes of an earlier run, beside these, are counted from another number."""
    written = {job.target for job in jobs}
    odd = []
    for folder in sorted({job.target.parent for job in jobs}):
        for other in sorted(folder.glob("episode_*")):
            index = read_index(other) if other not in written else None
            if index is not None and index.get("index_base") != base:
                odd.append(other)
    if not odd:
        return []
    message = f"{len(odd)} episodes of an earlier run count their frames from {1 - base}, these from {base}"
    hint = "extract them again with the same --index_base"
    return [Problem("mixed-index-base", message, str(odd[0]), hint, severity="warning")]
