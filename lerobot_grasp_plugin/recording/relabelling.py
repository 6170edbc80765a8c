"""Applies labels that were changed in the annotation file, after a session."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.labels import label_episode
from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.core.section_check import check_section
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.opening import open_dataset
from lerobot_grasp_plugin.dataset.tables import TableFile
from lerobot_grasp_plugin.findings.problem import AnnotationError
from lerobot_grasp_plugin.merging.annotation_file import read_annotations
from lerobot_grasp_plugin.merging.recipe import RelabelConfig
from lerobot_grasp_plugin.merging.relabel import relabel
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.recording.options import GraspOptions


def changed_episodes(root: Path, repo_id: str, annotations: Path, options: GraspOptions) -> list[int]:
    """Episodes whose recorded rewards differ from the annotation file.

    Raises:
        GraspError: The file cannot be read, or does not fit the dataset.
    """
    file = read_annotations(annotations, None)
    reader = open_dataset(repo_id, root)
    lengths = [int(length) for length in reader.lengths]
    problems = [
        problem
        for section in file.annotations.sections
        for problem in check_section(
            section, lengths, name=str(annotations), index_base=file.annotations.index_base
        )
    ]
    if problems:
        raise AnnotationError(problems)
    rewards = _rewards(root)
    starts = np.cumsum([0, *lengths])
    differing = []
    for section in file.annotations.sections:
        for episode in section.episodes:
            number = episode.episode_index
            labels = label_episode(
                episode.success,
                lengths[number],
                alignment=options.alignment,
                done="episode_end",
                success_value=options.success_value,
                failure_value=options.failure_value,
            )
            if not np.array_equal(rewards[starts[number] : starts[number + 1]], labels.reward):
                differing.append(number)
    return differing


def apply(
    root: Path,
    repo_id: str,
    annotations: Path,
    options: GraspOptions,
    *,
    progress: Progress = silent,
) -> MergeReport:
    """Writes the annotation file's labels into the dataset, completely or not at all; the old one is kept."""
    config = RelabelConfig(
        repo_id=repo_id,
        root=root,
        annotations=annotations,
        in_place=True,
        alignment=options.alignment,
        done=options.done,
        success_value=options.success_value,
        failure_value=options.failure_value,
        next_success=options.next_success,
        unlisted="keep",
    )
    return relabel(config, progress)


def relabel_command(root: Path, repo_id: str, annotations: Path, options: GraspOptions) -> str:
    """The command that does the same as ``apply``."""
    call = ["lerobot-grasp-relabel", "--root", str(root), "--repo_id", repo_id]
    call += ["--annotations", str(annotations), "--in_place", "true", "--unlisted", "keep"]
    for name in ("alignment", "done", "success_value", "failure_value"):
        call += [f"--{name}", str(getattr(options, name))]
    if options.next_success:
        call += ["--next_success", "true"]
    return shlex.join(call)


def _rewards(root: Path) -> NDArray[np.float32]:
    parts = []
    for path in sorted((root / "data").rglob("*.parquet")):
        file = TableFile(path)
        column = file.read(0, file.rows, (layout.REWARD,))[layout.REWARD]
        parts.append(np.array(column.to_pylist(), dtype=np.float32).reshape(-1))
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
