"""Relabels a dataset from an annotation file: a merge of one source."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.in_place import check_swap, copy_place, write_in_place
from lerobot_grasp_plugin.merging.merge import BeforeWriting, allowed, plan_output
from lerobot_grasp_plugin.merging.recipe import RelabelConfig, SourceConfig
from lerobot_grasp_plugin.merging.report import MergeReport


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
    check_swap(config)
    recipe = config.as_merge([SourceConfig(repo_id=config.repo_id, root=config.root)])
    output = plan_output(
        recipe, partial(_place, config), progress, operation="relabel", before_writing=before_writing
    )
    return write_in_place(output, progress) if config.in_place else output.write_new(progress)


def _place(config: RelabelConfig) -> tuple[str, Path]:
    """Name and folder of the output; refuses a call without labels."""
    problems = Gathered()
    with problems:
        place = copy_place(config)
    with problems:
        if config.annotations is None and config.labels_from is None:
            hint = "give --annotations, or a label column of the dataset with --labels_from"
            raise UsageError(Problem("no-annotations", "--annotations is missing", hint=hint))
    problems.raise_all()
    return place
