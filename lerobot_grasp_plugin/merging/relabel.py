"""Relabels a dataset from an annotation file: a merge of one source."""

from __future__ import annotations

from collections.abc import Sequence

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.annotate import check_annotations, label_sources
from lerobot_grasp_plugin.merging.in_place import check_swap, copy_place, write_in_place
from lerobot_grasp_plugin.merging.merge import (
    BeforeWriting,
    allowed,
    at_its_place,
    refuse_inside,
    source_warnings,
)
from lerobot_grasp_plugin.merging.recipe import RelabelConfig, SourceConfig, check_choices
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.merging.sources import Source, open_sources
from lerobot_grasp_plugin.writers.staging import staged


def relabel(
    config: RelabelConfig, progress: Progress = silent, *, before_writing: BeforeWriting = allowed
) -> MergeReport:
    """Writes a copy of a dataset with other labels; everything else stays as it is.

    Args:
        config: The options.
        progress: Called with the progress.
        before_writing: Called with the output's repo_id and the sources when the recipe is valid; may raise
            to refuse it.

    Raises:
        GraspError: With all errors of the call, the dataset and the annotations; nothing is
            written then.
    """
    source = SourceConfig(repo_id=config.repo_id, root=config.root)
    sources: Sequence[Source] = ()
    check_swap(config)
    problems = Gathered()
    with problems:
        check_choices(config)
    with problems:
        sources = open_sources(
            [source],
            config.drop_features,
            follow_links=config.follow_links,
            rescue=config.rescue,
            settled=True,
        )
    with problems:
        repo_id, root = copy_place(config)
        refuse_inside(sources, root)
    with problems:
        warnings = _label(sources, config)
    problems.raise_all()
    before_writing(repo_id, sources)
    warnings += source_warnings(sources, root)
    recipe = config.as_merge([source])
    from lerobot_grasp_plugin.merging.build import write_build
    from lerobot_grasp_plugin.merging.prepare import prepare

    build = prepare(sources, recipe, operation="relabel", progress=progress, warnings=warnings)
    if config.in_place:
        return write_in_place(build, root, repo_id, progress)
    with staged(root) as staging:
        report = write_build(build, staging, repo_id, progress)
    return at_its_place(report, root)


def _label(sources: Sequence[Source], config: RelabelConfig) -> list[Problem]:
    if config.annotations is None and config.labels_from is None:
        hint = "give --annotations, or a label column of the dataset with --labels_from"
        raise UsageError(Problem("no-annotations", "--annotations is missing", hint=hint))
    if not sources:
        check_annotations([config.annotations], config)
    return label_sources(sources, config.annotations, config, exclude_flagged=config.exclude_flagged)
