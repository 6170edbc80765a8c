"""The work of ``lerobot-grasp-frames``: one episode of one camera at a time, in one process or several."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.annotations import IndexBase
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.progress import Progress
from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.dataset.hub import locate
from lerobot_grasp_plugin.dataset.opening import open_located
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.findings.problem import DataError, Problem, UsageError
from lerobot_grasp_plugin.frames.config import ImageFormat
from lerobot_grasp_plugin.frames.contact_sheet import SheetText, draw_sheet
from lerobot_grasp_plugin.writers.images import StagedImages, save_image, write_index

_WORTH_PROCESSES = 300
"""Number of frames from which on several processes are faster."""

type Crop = tuple[int, int, int, int]


@dataclass(frozen=True)
class FrameJob:
    """One episode of one camera.

    Attributes:
        episode: ``episode_index``.
        camera_key: Camera that the images are from.
        frames: Wanted frames, 0-based.
        target: The output folder or sheet.
    """

    episode: int
    camera_key: str
    frames: range
    target: Path


@dataclass(frozen=True)
class FrameWork:
    """What the jobs of a run share.

    Attributes:
        repo_id: Name of the dataset.
        root: Its folder.
        follow_links: Whether links in it may lead outside.
        suffix: Of image files: ``jpg`` or ``png``.
        as_sheets: Whether an episode becomes one contact sheet instead of a folder of frames.
        stride: Every n-th frame is extracted.
        crop: top, left, height, width in pixels; None for whole images.
        index_base: Number of an episode's first frame.
        labels: Success frames of labelled episodes.
    """

    repo_id: str
    root: Path
    follow_links: bool
    suffix: ImageFormat
    as_sheets: bool
    stride: int
    crop: Crop | None
    index_base: IndexBase
    labels: Mapping[int, IntervalSet]


def run_jobs(
    work: FrameWork,
    reader: DatasetReader,
    jobs: Sequence[FrameJob],
    staged: StagedImages,
    workers: int,
    progress: Progress,
) -> int:
    """Runs the jobs; returns the number of frames.

    Args:
        work: What they share.
        reader: The open dataset, for work in this process.
        jobs: The jobs.
        staged: Receives the results.
        workers: Maximum number of processes.
        progress: Called with the number of finished frames.

    Raises:
        UsageError: The crop is outside the images, or nothing can be written.
        DataError: An image is missing or damaged, or a process died.
    """
    total, done = sum(len(job.frames) for job in jobs), 0
    progress("frames", 0, total)
    workers = min(workers, len(jobs)) if total >= _WORTH_PROCESSES else 1
    if workers > 1:
        return _in_processes(work, jobs, staged, workers, progress)
    worker = _Worker(work, reader, None)
    for job in jobs:
        worker.run(job, staged.stage(job.target))
        done += len(job.frames)
        progress("frames", done, total)
    return total


def _in_processes(
    work: FrameWork, jobs: Sequence[FrameJob], staged: StagedImages, workers: int, progress: Progress
) -> int:
    total, done = sum(len(job.frames) for job in jobs), 0
    context = multiprocessing.get_context("spawn")
    given_up = context.Event()
    with ProcessPoolExecutor(workers, context, _begin, (work, given_up)) as pool:
        try:
            running: dict[Future[None], FrameJob] = {}
            with _interrupts_wait():
                for job in jobs:
                    running[pool.submit(_run, job, staged.stage(job.target))] = job
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    future.result()
                    done += len(running.pop(future).frames)
                    progress("frames", done, total)
        except BrokenProcessPool:
            message = "a process that decodes images died, perhaps because memory ran out"
            raise DataError(Problem("process-lost", message, work.root)) from None
        except BaseException:
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return total


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Ctrl+C takes effect after the block; a process that is started in it never sees one.

    A terminal sends Ctrl+C to all processes, and one that imports its modules would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # not a Unix
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker: _Worker | None = None
"""The state of a process of ``_in_processes``."""


def _begin(work: FrameWork, given_up: Event) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles it
    _worker = _Worker(work, open_located(locate(None, work.root).following(work.follow_links)), given_up)


def _run(job: FrameJob, staging: Path) -> None:
    assert _worker is not None
    _worker.run(job, staging)


class _GivenUpError(Exception):
    """Another job failed, or the person stopped the run."""


class _Worker:
    def __init__(self, work: FrameWork, reader: DatasetReader, given_up: Event | None) -> None:
        self._work = work
        self._reader = reader
        self._images = EpisodeFrames(reader)
        self._given_up = given_up

    def run(self, job: FrameJob, staging: Path) -> None:
        if self._work.as_sheets:
            self._write_sheet(job, staging)
        else:
            self._write_frames(job, staging)

    def _decoded(self, job: FrameJob) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """The job's frames, 0-based, and their images, cropped; ends early when the run is cancelled."""
        crop = self._work.crop
        for frame, image in self._images.decode(job.episode, job.camera_key, job.frames):
            if self._given_up is not None and self._given_up.is_set():
                raise _GivenUpError
            yield frame, image if crop is None else _cropped(image, crop, job.camera_key)

    def _write_frames(self, job: FrameJob, folder: Path) -> None:
        base, fps = self._work.index_base, self._reader.info.fps
        entries: list[dict[str, Any]] = []
        index = {
            "repo_id": self._work.repo_id,
            "episode_index": job.episode,
            "camera_key": job.camera_key,
            "fps": fps,
            "length": int(self._reader.lengths[job.episode]),
            "index_base": base,
            "stride": self._work.stride,
            "crop": self._work.crop,
            "frames": entries,
        }
        folder.mkdir()
        for frame, image in self._decoded(job):
            name = f"frame_{frame + base:04d}.{self._work.suffix}"
            save_image(image, folder / name)
            entries.append(
                {"file": name, "number": frame + base, "frame_index": frame, "timestamp": frame / fps}
            )
        write_index(folder, index)

    def _write_sheet(self, job: FrameJob, path: Path) -> None:
        text = SheetText(
            dataset=self._work.repo_id,
            episode=job.episode,
            camera_key=job.camera_key,
            task="; ".join(self._reader.episode_tasks(job.episode)),
            length=int(self._reader.lengths[job.episode]),
            fps=self._reader.info.fps,
            stride=self._work.stride,
            index_base=self._work.index_base,
        )
        save_image(draw_sheet(self._decoded(job), text, self._work.labels.get(job.episode)), path)


def _cropped(image: NDArray[np.uint8], crop: Crop, camera_key: str) -> NDArray[np.uint8]:
    top, left, height, width = crop
    rows, columns = image.shape[:2]
    if top + height > rows or left + width > columns:
        message = (
            f"crop {top},{left},{height},{width} reaches to row {top + height} and column {left + width}; "
            f"images of {camera_key!r} have {rows} rows and {columns} columns"
        )
        raise UsageError(Problem("crop-outside", message, hint="crop must be top,left,height,width"))
    return image[top : top + height, left : left + width]
