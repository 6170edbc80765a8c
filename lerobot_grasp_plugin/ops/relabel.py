"""A dataset with the labels of an annotation file: a merge of one source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lerobot_grasp_plugin.dataset.reader import open_dataset
from lerobot_grasp_plugin.errors import Problem, UsageError
from lerobot_grasp_plugin.ops.annotate import label_sources
from lerobot_grasp_plugin.ops.merge import at_its_place, leftover_warnings, output_place, refuse_inside
from lerobot_grasp_plugin.ops.progress import Progress, silent
from lerobot_grasp_plugin.ops.recipe import (
    MergeConfig,
    OutputOptions,
    RelabelConfig,
    SourceConfig,
    check_choices,
)
from lerobot_grasp_plugin.ops.report import MergeReport
from lerobot_grasp_plugin.ops.sources import open_sources
from lerobot_grasp_plugin.writers.staging import backups, claimed, refuse_existing, staged, swap, sync_tree


def relabel(config: RelabelConfig, progress: Progress = silent) -> MergeReport:
    """Writes a dataset anew with other labels; all else stays as it is.

    Args:
        config: What to relabel, and how.
        progress: Told how far it is.

    Raises:
        GraspError: With everything that is wrong with the call, the dataset or the annotations;
            nothing was written then.
    """
    check_choices(config)
    if config.annotations is None:
        raise UsageError(Problem("no-annotations", "no annotation file is given", hint="give --annotations"))
    if config.in_place:
        if config.new_root is not None or config.new_repo_id is not None:
            message = "in_place replaces the dataset itself, so it takes no new_root and no new_repo_id"
            raise UsageError(Problem("contradicting-options", message))
        repo_id, root = _in_place_target(config)
    else:
        repo_id, root = output_place(config.new_repo_id, config.new_root)
        refuse_existing(root)
    source = SourceConfig(repo_id=config.repo_id, root=config.root)
    sources = open_sources([source], config.drop_features)
    refuse_inside(sources, root)
    warnings = label_sources(sources, config.annotations, config)
    warnings += leftover_warnings(root)
    recipe = _as_merge(config, source)
    from lerobot_grasp_plugin.ops.build import write
    from lerobot_grasp_plugin.ops.prepare import prepare

    build = prepare(sources, recipe, operation="relabel", progress=progress, warnings=warnings)
    if not config.in_place:
        with staged(root) as staging:
            report = write(build, staging, repo_id, progress)
        return at_its_place(report, root)
    with claimed(root) as staging:
        report = write(build, staging, repo_id, progress)
        sync_tree(staging)
        backup = swap(staging, root)
    return replace(at_its_place(report, root), backup=backup)


def _in_place_target(config: RelabelConfig) -> tuple[str, Path]:
    if config.root is not None and not config.root.exists() and (old := backups(config.root)):
        message = "an interrupted run left no dataset here; the old one is complete in its backup"
        hint = f"put it back with: mv '{old[-1]}' '{config.root}'"
        raise UsageError(Problem("interrupted-swap", message, str(config.root), hint))
    reader = open_dataset(config.repo_id, config.root)
    if reader.root.is_symlink() or reader.root.parent.name == "snapshots":
        message = "a downloaded or linked folder is not replaced"
        hint = "write a new dataset with --new_root"
        raise UsageError(Problem("not-replaceable", message, str(reader.root), hint))
    return reader.repo_id, reader.root.resolve()


def _as_merge(config: RelabelConfig, source: SourceConfig) -> MergeConfig:
    return MergeConfig(
        sources=[source],
        annotations=config.annotations,
        **{name: getattr(config, name) for name in OutputOptions.__dataclass_fields__},
    )
