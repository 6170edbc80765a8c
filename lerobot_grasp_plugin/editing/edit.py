"""One dataset changed by an operation: its recipes, carried out by the merge engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from dataclasses import replace as changed
from functools import partial
from typing import Any

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset.hub import lerobot_home
from lerobot_grasp_plugin.editing.config import (
    DeleteConfig,
    EditConfig,
    InsertConfig,
    OperationConfig,
    PlacingConfig,
    ReorderConfig,
    ReplaceConfig,
    SetTaskConfig,
    SplitConfig,
    TrimConfig,
)
from lerobot_grasp_plugin.editing.rearrange import delete, insert, reorder, replace
from lerobot_grasp_plugin.editing.recipes import Dataset, Recipe
from lerobot_grasp_plugin.editing.set_task import set_task
from lerobot_grasp_plugin.editing.split import split
from lerobot_grasp_plugin.editing.success import called_success
from lerobot_grasp_plugin.editing.trim import trim
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.annotate import check_annotations
from lerobot_grasp_plugin.merging.in_place import check_swap, copy_place, write_in_place
from lerobot_grasp_plugin.merging.merge import (
    BeforeWriting,
    Output,
    allowed,
    at_its_place,
    new_place,
    output_place,
    plan_output,
)
from lerobot_grasp_plugin.merging.recipe import MergeConfig, SourceConfig, check_choices
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.merging.sources import open_sources
from lerobot_grasp_plugin.writers.staging import staged

PLANS: Mapping[type[OperationConfig], Callable[[Any, Dataset], Sequence[Recipe]]] = {
    DeleteConfig: delete,
    InsertConfig: insert,
    ReorderConfig: reorder,
    ReplaceConfig: replace,
    SetTaskConfig: set_task,
    SplitConfig: split,
    TrimConfig: trim,
}
"""What turns each operation into recipes."""


@dataclass(frozen=True)
class EditReport:
    """What an edit made, or would make.

    Attributes:
        merges: What the operation became: of each output its recipe, and the call of the merge engine.
        reports: Of the outputs; empty where none was to be written.
        warnings: Named, harmless; where outputs were written, their reports have them.
    """

    merges: Sequence[tuple[Recipe, MergeConfig]]
    reports: Sequence[MergeReport] = ()
    warnings: Sequence[Problem] = field(default_factory=tuple)


def edit(
    config: EditConfig, progress: Progress = silent, *, before_writing: BeforeWriting = allowed
) -> EditReport:
    """Changes a dataset, as a new one or in its place.

    Args:
        config: What to change, and where the result goes.
        progress: Called with the progress.
        before_writing: As of ``merge``.

    Raises:
        GraspError: With everything that is wrong with the call, the operation or the dataset; nothing was
            written then.
    """
    check_swap(config)
    problems = Gathered()
    merges: Sequence[tuple[Recipe, MergeConfig]] = ()
    with problems:
        merges = _merges(config)
    with problems:
        _check_place(config)
    if not merges:
        with problems:
            _check_others(config)
    outputs: list[Output] = []
    for recipe, merge in merges:
        place = partial(new_place, merge) if recipe.name else partial(copy_place, config)
        with problems:
            output = plan_output(merge, place, progress, operation="edit", before_writing=before_writing)
            outputs.append(output.warning([*recipe.warnings, *_nothing_changed(output)]))
    problems.raise_all()
    if config.dry_run:
        warnings = [problem for output in outputs for problem in output.build.warnings]
        return EditReport(merges, warnings=list(dict.fromkeys(warnings)))
    return EditReport(merges, _write(config, outputs, progress))


def _check_place(config: EditConfig) -> None:
    """Refuses a place for the output that cannot be its place.

    Raises:
        UsageError: With what is wrong with it.
    """
    if config.operation is None or not config.operation.makes_parts:
        copy_place(config)
    elif config.in_place:
        message = "in_place replaces one dataset by one, and the operation makes several"
        hint = "give --new_root, the folder that they go to"
        raise UsageError(Problem("contradicting-options", message, hint=hint))
    else:
        output_place(config.new_repo_id, config.new_root)


def _check_others(config: EditConfig) -> None:
    """Checks what a call names besides its dataset and its operation, where these are refused.

    Raises:
        GraspError: With everything that is wrong with it.
    """
    source = config.operation.source if isinstance(config.operation, PlacingConfig) else None
    problems = Gathered()
    with problems:
        check_choices(config)
    with problems:
        check_annotations([config.annotations, *([source.annotations] if source else [])], config)
    if source is not None and source.root is not None:  # a name may be one of the Hub, to be downloaded
        with problems:
            open_sources([source], [], follow_links=config.follow_links, rescue=config.rescue)
    problems.raise_all()


def _merges(config: EditConfig) -> Sequence[tuple[Recipe, MergeConfig]]:
    """What the operation becomes, each recipe with its call of the merge engine.

    Raises:
        GraspError: The dataset cannot be opened, or the operation does not fit it.
    """
    entry = SourceConfig(repo_id=config.repo_id, root=config.root)
    problems = Gathered()
    with problems:
        sources = open_sources(
            [entry], [], follow_links=config.follow_links, rescue=config.rescue, settled=True
        )
    with problems:
        operation = _operation(config)
    problems.raise_all()
    (source,) = sources
    base = 0 if config.index_base == 0 else 1
    success = partial(called_success, source, config)
    dataset = Dataset(entry, source.reader, source.episodes, base, success)
    recipes = PLANS[type(operation)](operation, dataset)
    return [(recipe, _merge(config, recipe, source.repo_id)) for recipe in recipes]


def _operation(config: EditConfig) -> OperationConfig:
    """The operation of a call.

    Raises:
        UsageError: None is given.
    """
    if config.operation is None:
        hint = f"give --operation.type: {', '.join(sorted(OperationConfig.get_known_choices()))}"
        raise UsageError(Problem("missing-option", "no operation is given", hint=hint))
    return config.operation


def _merge(config: EditConfig, recipe: Recipe, repo_id: str) -> MergeConfig:
    """A recipe as a call of the merge engine.

    Args:
        config: The call.
        recipe: The recipe.
        repo_id: Name of the dataset.
    """
    merge = config.as_merge(recipe.sources)
    if not recipe.name:
        return merge
    name = f"{config.new_repo_id or repo_id}_{recipe.name}"
    root = lerobot_home() / name if config.new_root is None else config.new_root / recipe.name
    return changed(merge, new_repo_id=name, new_root=root)


def _nothing_changed(output: Output) -> Sequence[Problem]:
    """A warning for an output whose rows are those of the dataset."""
    build = output.build
    (source, *_) = build.sources
    has_task = source.config.task is not None or bool(source.config.tasks)
    own = build.config
    differs = own.drop_features or own.license or (own.actions, own.state) != ("keep", "keep")
    if not build.is_whole or source.parts or has_task or build.target.labels or differs:
        return []
    message = f"nothing of {source.title} changes, so the new dataset is a copy of it"
    return [Problem("nothing-to-edit", message)]


def _write(config: EditConfig, outputs: Sequence[Output], progress: Progress) -> Sequence[MergeReport]:
    """Writes the outputs: all of them, or none."""
    if config.in_place:
        (output,) = outputs
        report = write_in_place(output, progress, doing="edited")
        return [report]
    with ExitStack() as stack:
        folders = [stack.enter_context(staged(output.root)) for output in outputs]
        reports = [output.write(folder, progress) for output, folder in zip(outputs, folders, strict=True)]
    return [at_its_place(report, output.root) for report, output in zip(reports, outputs, strict=True)]
