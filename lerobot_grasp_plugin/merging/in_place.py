"""Replaces a dataset by a new one, and keeps the old one under another name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset.writer_lock import WriterLock
from lerobot_grasp_plugin.merging.merge import at_its_place
from lerobot_grasp_plugin.merging.recipe import MergeConfig, SourceConfig
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.merging.sources import open_sources
from lerobot_grasp_plugin.writers.staging import claimed, swap, sync_tree

if TYPE_CHECKING:
    from lerobot_grasp_plugin.merging.prepare import Build


def nothing() -> None:
    """Does nothing."""


def write_in_place(
    build: Build,
    root: Path,
    repo_id: str,
    progress: Progress,
    before_swap: Callable[[], None] = nothing,
) -> MergeReport:
    """Writes a dataset next to ``root``, then swaps it with the existing one.

    Args:
        build: The planned dataset.
        root: The dataset's folder.
        repo_id: Its name.
        progress: Called with the progress.
        before_swap: Called when the new dataset is verified and on disk.
    """
    from lerobot_grasp_plugin.merging.build import write_build

    with WriterLock(root, "relabelled"), claimed(root) as staging:
        report = write_build(build, staging, repo_id, progress)
        sync_tree(staging)
        before_swap()
        backup = swap(staging, root)
    return replace(at_its_place(report, root), backup=backup)


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
    return write_in_place(build, root, repo_id, progress, before_swap)
