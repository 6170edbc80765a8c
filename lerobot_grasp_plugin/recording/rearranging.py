"""Replaces, deletes and inserts episodes after a session, in the dataset and its annotation file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_info
from lerobot_grasp_plugin.dataset.recording import read_recording
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.merging.in_place import rearrange
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.recording.annotation_file import AnnotationFile, annotation_path
from lerobot_grasp_plugin.recording.edits import Edit, Edits
from lerobot_grasp_plugin.sim.truth import read_truth, truth_folder
from lerobot_grasp_plugin.writers.staging import last_backup
from lerobot_grasp_plugin.writers.whole import write_whole

STAGED = ".rearranged"
"""Suffix of staged files that are moved right after the dataset."""


def pending_edits(root: Path) -> list[Edit]:
    """Edits that are not applied yet; those that still wait for an episode are dropped.

    Raises:
        DatasetError: The sidecar is damaged, or does not fit the dataset.
    """
    sidecar = read_recording(root)
    if sidecar is None:
        return []
    if sidecar.problems:
        raise DatasetError(sidecar.problems)
    edits = Edits.from_sidecar(sidecar.raw)
    try:
        edits.order(read_info(root).total_episodes)
    except ValueError:
        message = "`edits` contains episodes that do not exist in the dataset"
        raise DatasetError(Problem("bad-sidecar", message, root / layout.RECORDING_PATH)) from None
    return edits.settled


def drop_edits(root: Path) -> None:
    """Leaves the episodes as they were recorded."""
    sidecar = read_recording(root)
    if sidecar is not None and sidecar.raw.pop("edits", None) is not None:
        write_whole(root / layout.RECORDING_PATH, sidecar.encoded())


def carry_out(
    root: Path,
    repo_id: str,
    edits: Sequence[Edit],
    say: Callable[[str], None],
    progress: Progress = silent,
) -> MergeReport:
    """Replaces, deletes and inserts episodes, whole or not at all; video packets are copied.

    The annotation file and the truth of a simulated arm get the new numbers. The old dataset and both of
    these are kept under the name that the report gives.

    Args:
        root: The dataset's folder.
        repo_id: Its name.
        edits: As of ``pending_edits``.
        say: Shows a line to the person.
        progress: Called with the progress.

    Raises:
        GraspError: The dataset or the annotation file is damaged; nothing is changed then.
    """
    order = Edits(edits).order(read_info(root).total_episodes)
    annotations = AnnotationFile(root, repo_id, say)
    annotations.renumbered(order)  # find an error in the file before the work begins

    def stage() -> None:
        if annotations.path.exists():
            write_whole(_staged(annotations.path), annotations.renumbered(order).encode("utf-8"))
        truth = truth_folder(None, root)
        if truth.is_dir():
            known = read_truth(truth)
            shutil.rmtree(_staged(truth), ignore_errors=True)
            for new, old in enumerate(order):
                if old in known:
                    replace(known[old], episode_index=new).write(_staged(truth))

    report = rearrange(repo_id, root, order, progress, before_swap=stage)
    put_in_place(root)
    return report


def put_in_place(root: Path) -> None:
    """Moves the annotation file and the truth that ``carry_out`` has staged to their targets.

    The old ones are kept under the name of the old dataset. Where a ``carry_out`` was interrupted before the
    dataset was in its place, the staged ones are removed.
    """
    done = not pending_edits(root)
    for of in (annotation_path, _truth):
        path, staged = of(root), _staged(of(root))
        if not staged.exists():
            continue
        if not done:
            _remove(staged)
            continue
        if path.exists():
            path.rename(of(last_backup(root)))
        staged.rename(path)


def _truth(root: Path) -> Path:
    return truth_folder(None, root)


def _staged(path: Path) -> Path:
    return path.with_name(f".{path.name}{STAGED}")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
