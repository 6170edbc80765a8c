"""Merges chosen episodes of several datasets into a new dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset.hub import check_repo_id, lerobot_home
from lerobot_grasp_plugin.dataset.recording import pending_edits
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.annotate import check_annotations, label_sources, sources_of_headers
from lerobot_grasp_plugin.merging.recipe import MergeConfig, OutputOptions, SourceConfig, check_choices
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.merging.sources import Source, open_sources
from lerobot_grasp_plugin.writers.staging import refuse_existing, staged, staging_leftovers

if TYPE_CHECKING:
    from lerobot_grasp_plugin.merging.cutting import Cuts
    from lerobot_grasp_plugin.merging.prepare import Build

type BeforeWriting = Callable[[str, Sequence[Source]], None]


def allowed(repo_id: str, sources: Sequence[Source]) -> None:
    """Accepts every output."""


def merge(
    config: MergeConfig, progress: Progress = silent, *, before_writing: BeforeWriting = allowed
) -> MergeReport:
    """Builds one dataset of chosen episodes, and labels it in the same pass if annotations are given.

    Sources are only read. The output appears whole at its target, or not at all.

    Args:
        config: The recipe.
        progress: Called with the progress.
        before_writing: Called with the output's repo_id and the sources when the recipe is valid; may raise
            to refuse it.

    Raises:
        GraspError: With all errors of the recipe, the sources and the annotations; nothing is
            written then.
    """
    output = plan_output(config, partial(new_place, config), progress, before_writing=before_writing)
    return output.write_new(progress)


@dataclass(frozen=True)
class Output:
    """A dataset that can be written.

    Attributes:
        build: What to write.
        repo_id: Its name.
        root: Its folder.
    """

    build: Build
    repo_id: str
    root: Path

    def warning(self, problems: Sequence[Problem]) -> Output:
        """The output with further warnings, before its own."""
        return replace(self, build=replace(self.build, warnings=[*problems, *self.build.warnings]))

    def write(self, folder: Path, progress: Progress) -> MergeReport:
        """Writes it into an empty folder and verifies it.

        Raises:
            GraspError: A source turned out to be damaged, or what was written is not what was planned.
        """
        from lerobot_grasp_plugin.merging.build import write_build

        return write_build(self.build, folder, self.repo_id, progress)

    def write_new(self, progress: Progress) -> MergeReport:
        """Writes it to its folder, which does not exist yet: whole, or not at all.

        Raises:
            GraspError: As of ``write``, or the folder exists.
        """
        with staged(self.root) as folder:
            report = self.write(folder, progress)
        return at_its_place(report, self.root)


def plan_output(
    config: MergeConfig,
    place: Callable[[], tuple[str, Path]],
    progress: Progress,
    *,
    operation: str = "merge",
    before_writing: BeforeWriting = allowed,
) -> Output:
    """Checks a recipe, and decides everything about its output before a byte is written.

    Args:
        config: The recipe.
        place: Gives name and folder of the output; may refuse them.
        progress: Called with the progress.
        operation: ``merge``, ``relabel`` or ``edit``.
        before_writing: As of ``merge``.

    Raises:
        GraspError: With everything that is wrong with the recipe, the sources or the annotations.
    """
    sources: list[Source] = []
    problems = Gathered()
    with problems:
        check_choices(config)
    with problems:
        sources = open_sources(
            _sources(config),
            config.drop_features,
            follow_links=config.follow_links,
            rescue=config.rescue,
            settled=True,
        )
    with problems:
        cuts = _cuts(sources, config)
    with problems:
        repo_id, root = place()
        refuse_inside(sources, root)
    with problems:
        if not sources:
            files = [config.annotations, *(source.annotations for source in config.sources)]
            check_annotations(files, config)
        sources, warnings = label_sources(
            sources, config.annotations, config, exclude_flagged=config.exclude_flagged
        )
    problems.raise_all()
    if cuts is not None:
        sources = cuts.apply(sources)
        warnings += cuts.warnings
    before_writing(repo_id, sources)
    warnings += source_warnings(sources, root)
    from lerobot_grasp_plugin.merging.prepare import prepare

    build = prepare(sources, config, operation=operation, progress=progress, warnings=warnings)
    return Output(build, repo_id, root)


def _cuts(sources: Sequence[Source], config: MergeConfig) -> Cuts | None:
    """The parts of episodes that the recipe keeps; None if it keeps whole episodes only."""
    if not any(source.config.frames for source in sources):
        return None
    from lerobot_grasp_plugin.merging.cutting import read_cuts

    return read_cuts(sources, config)


def _sources(config: MergeConfig) -> Sequence[SourceConfig]:
    if config.sources:
        return config.sources
    if config.annotations is None:
        hint = "give --sources, or --annotations with headers that name datasets"
        raise UsageError(Problem("no-sources", "the recipe has no sources", hint=hint))
    return sources_of_headers(config.annotations, config.index_base)


def new_place(config: OutputOptions) -> tuple[str, Path]:
    """Name and folder of an output that is not there yet.

    Raises:
        UsageError: The call names none, or the folder exists.
    """
    repo_id, root = output_place(config.new_repo_id, config.new_root)
    refuse_existing(root)
    return repo_id, root


def output_place(repo_id: str | None, root: Path | None) -> tuple[str, Path]:
    """Name and folder of the output.

    Raises:
        UsageError: Neither is given, or the name is invalid.
    """
    if repo_id is not None:
        check_repo_id(repo_id, "new_repo_id")
        return repo_id, Path(root).expanduser() if root is not None else lerobot_home() / repo_id
    if root is None:
        raise UsageError(
            Problem("no-target", "the new dataset has no name", hint="give --new_repo_id or --new_root")
        )
    folder = Path(root).expanduser()
    return folder.absolute().name, folder


def refuse_inside(sources: Sequence[Source], root: Path) -> None:
    """Refuses to write into a source.

    Raises:
        UsageError: The new folder would be inside a source's.
    """
    for source in sources:
        if root.absolute().parent.resolve().is_relative_to(source.reader.root.resolve()):
            message = f"the new dataset would be inside its source {source.reader.root}"
            raise UsageError(Problem("target-in-source", message, root, "choose another --new_root"))


def leftover_warnings(root: Path) -> list[Problem]:
    """Warnings about folders that interrupted runs left next to a target."""
    return [
        Problem(
            "interrupted-run",
            "an interrupted run left this folder",
            folder,
            f"remove it with: rm -r '{folder}'",
        )
        for folder in staging_leftovers(root)
    ]


def source_warnings(sources: Sequence[Source], root: Path) -> list[Problem]:
    """Warnings about what interrupted recordings and runs left in the sources and next to the target."""
    pending = [problem for source in sources for problem in pending_edits(source.reader.root)]
    return [*pending, *leftover_warnings(root)]


def at_its_place(report: MergeReport, root: Path) -> MergeReport:
    """The report of a dataset after its move to the target."""
    return replace(report, root=root, verification=report.verification.moved(root))
