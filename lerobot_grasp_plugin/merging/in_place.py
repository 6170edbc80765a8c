"""Replaces a dataset by a new one, and keeps the old one under another name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset.opening import open_dataset
from lerobot_grasp_plugin.dataset.writer_lock import Doing, WriterLock
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.merge import Output, at_its_place, new_place
from lerobot_grasp_plugin.merging.recipe import CopyConfig, MergeConfig, SourceConfig
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.merging.sources import open_sources
from lerobot_grasp_plugin.writers.staging import backups, claimed, swap, sync_tree


def nothing() -> None:
    """Does nothing."""


def write_in_place(
    output: Output,
    progress: Progress,
    before_swap: Callable[[], None] = nothing,
    *,
    doing: Doing = "relabelled",
) -> MergeReport:
    """Writes a dataset next to its folder, then swaps it with the one that is there.

    Args:
        output: The planned dataset.
        progress: Called with the progress.
        before_swap: Called when the new dataset is verified and on disk.
        doing: What becomes of the dataset, for other programs that would write it.

    Raises:
        GraspError: As of ``Output.write``; nothing is changed then.
    """
    with WriterLock(output.root, doing), claimed(output.root) as staging:
        report = output.write(staging, progress)
        sync_tree(staging)
        before_swap()
        backup = swap(staging, output.root)
    return replace(at_its_place(report, output.root), backup=backup)


def copy_place(config: CopyConfig) -> tuple[str, Path]:
    """Name and folder of a changed copy: those of the dataset itself with ``in_place``.

    Raises:
        UsageError: The call names no place, or the place cannot be written.
        DatasetError: The dataset cannot be opened.
    """
    if not config.in_place:
        return new_place(config)
    if config.new_root is not None or config.new_repo_id is not None:
        message = "in_place replaces the dataset itself; do not combine it with new_root or new_repo_id"
        raise UsageError(Problem("contradicting-options", message))
    reader = open_dataset(config.repo_id, config.root)
    if reader.root.is_symlink() or reader.root.parent.name == "snapshots":
        message = "in_place cannot replace a downloaded or linked folder"
        hint = "write a new dataset with --new_root"
        raise UsageError(Problem("not-replaceable", message, reader.root, hint))
    return reader.repo_id, reader.root.resolve()


def check_swap(config: CopyConfig) -> None:
    """Refuses a dataset that an interrupted run left in its backup only.

    Raises:
        UsageError: The folder is not there, and its backup is.
    """
    root = None if config.root is None else config.root.expanduser()
    if config.in_place and root is not None and not root.exists() and (old := backups(root)):
        message = "an interrupted run left no dataset here; the old dataset is complete in its backup"
        hint = f"restore it with: mv '{old[-1]}' '{root}'"
        raise UsageError(Problem("interrupted-swap", message, root, hint))


def rearrange(
    repo_id: str,
    root: Path,
    order: Sequence[int],
    progress: Progress = silent,
    *,
    before_swap: Callable[[], None] = nothing,
) -> MergeReport:
    """Reorders the episodes of a dataset, or leaves some out; labels stay.

    The old dataset is kept; the report names its folder.

    Args:
        repo_id: The dataset's name.
        root: Its folder.
        order: The old ``episode_index`` of each new one.
        progress: Called with the progress.
        before_swap: Called when the new dataset is verified and on disk, and not yet in its place.

    Raises:
        GraspError: With the dataset's errors; nothing is changed then.
    """
    from lerobot_grasp_plugin.merging.prepare import prepare

    source = SourceConfig(repo_id=repo_id, root=root, episodes=list(order))
    sources = open_sources([source], [], settled=True)
    build = prepare(sources, MergeConfig(sources=[source]), operation="merge", progress=progress)
    return write_in_place(Output(build, repo_id, root), progress, before_swap)
