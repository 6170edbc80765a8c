"""Frames of a dataset as image files, numbered as the source numbers them, or as contact sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.core.annotations import IndexBase
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.core.selection import select_episodes
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import locate
from lerobot_grasp_plugin.dataset.losses import refuse_lost
from lerobot_grasp_plugin.dataset.opening import open_located
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.dataset.recorded_success import success_by_episode
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, UsageError
from lerobot_grasp_plugin.frames.config import FramesConfig
from lerobot_grasp_plugin.frames.jobs import Crop, FrameJob, FrameWork, run_jobs
from lerobot_grasp_plugin.merging.annotate import check_annotations, label_sources
from lerobot_grasp_plugin.merging.annotation_file import read_annotations
from lerobot_grasp_plugin.merging.opening import aborted_named
from lerobot_grasp_plugin.merging.recipe import LabelOptions, SourceConfig
from lerobot_grasp_plugin.merging.sources import open_sources
from lerobot_grasp_plugin.writers.images import (
    read_index,
    refuse_foreign_folder,
    refuse_foreign_image,
    staged_images,
)

FRAMES_DIR = "frames"
SHEETS_DIR = "contact_sheets"


@dataclass(frozen=True)
class FramesReport:
    """The report of the written files.

    Attributes:
        output_dir: The output folder.
        episodes: Number of episodes.
        cameras: Cameras that the images are from.
        images: Images decoded and written, over all cameras.
        sheets: Contact sheets written; empty when each frame is a file.
        index_base: Number of an episode's first frame in names and sheets.
        warnings: The warnings.
    """

    output_dir: Path
    episodes: int
    cameras: Sequence[str]
    images: int
    sheets: Sequence[Path]
    index_base: int
    warnings: Sequence[Problem]


def extract_frames(config: FramesConfig, progress: Progress = silent, *, workers: int = 1) -> FramesReport:
    """Writes the chosen frames, all of them or none.

    An episode's folder or sheet from an earlier run is replaced; any other existing file is an error
    before an image is decoded.

    Args:
        config: The options.
        progress: Called with the number of finished frames.
        workers: Maximum number of processes. With more than one the calling script needs the usual
            ``if __name__ == "__main__"``.

    Raises:
        UsageError: The call is at fault: an unknown camera or episode, a crop outside the image, files
            of another origin in the way.
        DatasetError: An image is missing or damaged.
    """
    source = SourceConfig(repo_id=config.repo_id, root=config.root, episodes=config.episodes)
    reader: DatasetReader | None = None
    problems = Gathered()
    with problems:
        _check(config)
    with problems:
        crop = _parsed_crop(config.crop)
    with problems:
        location = locate(source.repo_id, source.root).following(config.follow_links)
        with aborted_named(location):
            reader = open_located(location)
    if reader is None:
        with problems:
            check_annotations([config.annotations], _label_options(config))
        problems.raise_all()
    assert reader is not None
    with problems:
        cameras = _cameras(reader, config.camera_key)
    with problems:
        episodes = select_episodes(source.episodes, len(reader.lengths))
        with aborted_named(reader.location):
            refuse_lost(reader.lost, episodes)
        labels, warnings, file_base = _labels(reader, source, episodes, config)
    problems.raise_all()
    with problems, aborted_named(reader.location):
        reader.require(episodes, [key for key in cameras if key in reader.info.video_keys])
    base: IndexBase = file_base if config.index_base is None else 0 if config.index_base == 0 else 1
    output_dir = (config.output_dir or reader.root / FRAMES_DIR).expanduser()
    jobs = _jobs(reader, config, output_dir, episodes, cameras)
    for job in jobs:
        with problems:
            (refuse_foreign_image if config.contact_sheet else refuse_foreign_folder)(job.target)
    problems.raise_all()
    work = FrameWork(
        repo_id=reader.repo_id,
        root=reader.root,
        follow_links=config.follow_links,
        suffix=config.format,
        as_sheets=config.contact_sheet,
        stride=config.stride,
        crop=crop,
        index_base=base,
        labels=labels,
    )
    with staged_images() as staged:
        done = run_jobs(work, reader, jobs, staged, workers, progress)
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


# -- options ----------------------------------------------------------------------------------------


def _check(config: FramesConfig) -> None:
    problems = []
    if config.stride < 1:
        problems.append(Problem("bad-value", f"stride must be 1 or more, not {config.stride}"))
    if config.index_base not in (None, 0, 1):
        problems.append(Problem("index-base-unknown", f"index_base must be 0 or 1, not {config.index_base}"))
    if config.annotations is not None and not config.contact_sheet:
        hint = "add --contact_sheet"
        problems.append(Problem("no-sheet", "annotations are shown on contact sheets only", hint=hint))
    if problems:
        raise UsageError(problems)


def _cameras(reader: DatasetReader, camera_key: str | None) -> list[str]:
    known = list(reader.info.camera_keys)
    if not known:
        raise UsageError(Problem("no-camera", "the dataset has no cameras", reader.root))
    if camera_key is not None and camera_key not in known:
        message = f"dataset {reader.repo_id} has no camera {camera_key!r}"
        raise UsageError(Problem("missing-camera", message, hint=f"it has: {', '.join(known)}"))
    odd = [key for key in known if "/" in key or key in ("", ".", "..")]
    if odd:
        message = f"the name of camera {odd[0]!r} is not a valid folder name"
        raise DatasetError(Problem("unsafe-name", message, reader.root / layout.INFO_PATH))
    return known if camera_key is None else [camera_key]


def _parsed_crop(crop: Sequence[int] | str | None) -> Crop | None:
    if crop is None:
        return None
    given = crop.strip().strip("[]()").split(",") if isinstance(crop, str) else list(crop)
    try:
        top, left, height, width = (int(value) for value in given)
    except ValueError:
        top = left = height = width = -1
    if min(top, left) < 0 or min(height, width) < 1:
        hint = "for example --crop 0,80,480,480"
        message = f"crop must be top,left,height,width in pixels, not {crop!r}"
        raise UsageError(Problem("bad-crop", message, hint=hint))
    return top, left, height, width


def _labels(
    reader: DatasetReader, source: SourceConfig, episodes: Sequence[int], config: FramesConfig
) -> tuple[Mapping[int, IntervalSet], list[Problem], IndexBase]:
    """Success frames of labelled episodes, warnings, and the annotation file's index base (else 1)."""
    if not config.contact_sheet:
        return {}, [], 1
    if config.annotations is not None:
        sources = open_sources([source], (), follow_links=config.follow_links)
        sources, warnings = label_sources(sources, config.annotations, _label_options(config))
        file = read_annotations(config.annotations.expanduser(), config.index_base, sources)
        return sources[0].labels or {}, warnings, file.annotations.index_base
    recorded = success_by_episode(reader, episodes)
    return {episode: IntervalSet.from_mask(success) for episode, success in recorded}, [], 1


def _label_options(config: FramesConfig) -> LabelOptions:
    return LabelOptions(unlisted="drop", index_base=config.index_base)


def _jobs(
    reader: DatasetReader,
    config: FramesConfig,
    output_dir: Path,
    episodes: Sequence[int],
    cameras: Sequence[str],
) -> list[FrameJob]:
    """Every episode of every camera; with several cameras, each has its own folder."""
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
            jobs.append(FrameJob(episode, key, frames, target))
    return jobs


def _other_bases(jobs: Sequence[FrameJob], base: int) -> list[Problem]:
    """A warning if episodes of an earlier run in the same folder have another index base."""
    written = {job.target for job in jobs}
    odd = []
    for folder in sorted({job.target.parent for job in jobs}):
        for other in sorted(folder.glob("episode_*")):
            index = read_index(other) if other not in written else None
            if index is not None and index.get("index_base") != base:
                odd.append(other)
    if not odd:
        return []
    message = f"frames of {len(odd)} episodes of an earlier run count from {1 - base}, these from {base}"
    hint = "extract them again with the same --index_base"
    return [Problem("mixed-index-base", message, odd[0], hint)]
