"""Assigns the sections of annotation files to the sources that they label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lerobot_grasp_plugin.core.annotations import AnnotationSection
from lerobot_grasp_plugin.core.episode_notes import notes_of
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.section_check import check_section
from lerobot_grasp_plugin.dataset.hub import lerobot_home
from lerobot_grasp_plugin.findings.collect import in_lines
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import AnnotationError, Place, Problem, Severity, UsageError
from lerobot_grasp_plugin.findings.words import count, episodes_text
from lerobot_grasp_plugin.merging.annotation_file import (
    AnnotationFile,
    contents,
    fitting_sources,
    header_folder,
    index_base_problem,
    is_doubtful,
    other_owner,
    read_annotations,
    read_partly,
    unused_header,
)
from lerobot_grasp_plugin.merging.flagged import without_flagged
from lerobot_grasp_plugin.merging.recipe import LabelOptions, SourceConfig
from lerobot_grasp_plugin.merging.source_labels import origin
from lerobot_grasp_plugin.merging.sources import Source, same_folder
from lerobot_grasp_plugin.merging.unlisted import check_label_column, label_column_name, with_unlisted


def sources_of_headers(path: Path, index_base: int | None) -> list[SourceConfig]:
    """The sources an annotation file names in its headers, each once, in its order.

    Raises:
        AnnotationError: A header names no dataset on this machine, or the file has no header.
    """
    path = path.expanduser()
    file = read_annotations(path, index_base)
    found: list[Path] = []
    configs: list[SourceConfig] = []
    problems: list[Problem] = []
    for section in file.annotations.sections:
        if section.dataset is None:
            message = "these episodes have no header above them that names their dataset"
            hint = "write `# dataset path: owner/name` above them, or give the sources"
            problems.append(Problem("no-header", message, file.place(section), hint))
            continue
        folder = header_folder(section.dataset, path.parent)
        if folder is None and is_doubtful(section) and not section.episodes:
            continue
        if folder is None:
            message = f"no dataset {section.dataset!r} found, neither as a path nor in {lerobot_home()}"
            hint = "give the sources with --sources, or correct the header"
            if is_doubtful(section):
                hint += "; write a remark with more than one word"
            problems.append(Problem("unknown-dataset", message, file.place(section), hint))
        elif not any(same_folder(folder, other) for other in found):
            found.append(folder)
            configs.append(SourceConfig(repo_id=_name_of(folder), root=folder))
    if problems:
        raise AnnotationError(problems)
    return configs


def _name_of(folder: Path) -> str:
    """repo_id of a folder: its last two parts below LeRobot's home folder, else its name."""
    resolved = folder.resolve()
    try:
        return resolved.relative_to(lerobot_home().resolve()).as_posix()
    except ValueError:
        return resolved.name


def label_sources(
    sources: Sequence[Source],
    annotations: Path | None,
    options: LabelOptions,
    *,
    exclude_flagged: bool = False,
) -> tuple[list[Source], list[Problem]]:
    """Gives each source its labels, and leaves out unlisted episodes if the options say so.

    Args:
        sources: Opened, with episodes chosen.
        annotations: The file for every source that has none of its own.
        options: How annotations become labels.
        exclude_flagged: Whether to leave flagged episodes out.

    Returns:
        The sources with ``labels`` or ``column`` (unchanged if nothing labels them), and warnings.

    Raises:
        GraspError: With all errors of all files, and every label that matches no episode.
    """
    problems = Gathered()
    with problems:
        _check_options(options)
    with problems:
        if found_wrong := check_label_column(sources, options):
            raise UsageError(found_wrong)
    given = [source.config.annotations or annotations for source in sources]
    paths = [None if path is None else path.expanduser() for path in given]
    if exclude_flagged and not any(paths):
        message = "exclude_flagged needs an annotation file, which flags episodes"
        with problems:
            raise UsageError(Problem("no-annotations", message, hint="give --annotations FILE"))
    if not any(paths) and not any(label_column_name(source, options) for source in sources):
        problems.raise_all()
        return list(sources), []
    warnings: list[Problem] = []
    if annotations is not None and annotations.expanduser() not in paths:
        message = "this file is not used: every source has an annotation file of its own"
        warnings.append(Problem("unused-annotations", message, annotations))
    labelled = {source.number: source for source in sources}
    for path in dict.fromkeys(path for path in paths if path is not None):
        users = [source for source, own in zip(sources, paths, strict=True) if own == path]
        with problems:
            file = read_partly(path, options.index_base, users)
            found = _explained(file.parsed.errors, users, options)
            if file.parsed.sections_stand:
                strict = options.unlisted == "error" and options.labels_from is None
                bound, bind_problems = _bind(file, users, strict=strict)
                found += bind_problems
                if file.parsed.episodes_stand:  # otherwise which episodes are unlisted is unknown
                    for source in bound:
                        labelled[source.number] = source
            warnings += [*file.warnings, *(problem for problem in found if problem.severity == "warning")]
            _raise(in_lines(problem for problem in found if problem.severity == "error"))
    for source, own in zip(list(labelled.values()), paths, strict=True):
        rest = without_flagged(source) if exclude_flagged and own is not None else source
        if rest.labels is not None or own is None:
            with problems:
                labelled[source.number] = with_unlisted(rest, options, own)
    problems.raise_all()
    return list(labelled.values()), warnings


def check_annotations(paths: Iterable[Path | None], options: LabelOptions) -> None:
    """Checks annotation files as far as possible without their datasets, which cannot be opened.

    Raises:
        GraspError: With all errors of all files and of the options.
    """
    problems = Gathered()
    with problems:
        _check_options(options)
    for path in dict.fromkeys(path.expanduser() for path in paths if path is not None):
        with problems:
            read_annotations(path, options.index_base)
    problems.raise_all()


def _raise(problems: Sequence[Problem]) -> None:
    if problems:
        raise AnnotationError(problems)


def _check_options(options: LabelOptions) -> None:
    base = index_base_problem(options.index_base)
    problems = [base] if base else []
    values = (options.success_value, options.failure_value)
    with np.errstate(over="ignore"):  # next.reward is float32, where larger values become infinite
        written = np.array(values, dtype=np.float64).astype(np.float32)
    if not np.isfinite(written).all() or written[0] == written[1]:
        message = (
            f"success_value {values[0]} and failure_value {values[1]} must be two different numbers, "
            "also as float32"
        )
        problems.append(Problem("bad-label-values", message))
    if problems:
        raise UsageError(problems)


def _explained(errors: Sequence[Problem], users: Sequence[Source], options: LabelOptions) -> list[Problem]:
    """The errors of a file; an empty file is one where a column labels every episode."""
    column = next(filter(None, (label_column_name(source, options) for source in users)), None)
    if column is None or [problem.code for problem in errors] != ["no-episodes"]:
        return list(errors)
    hint = f"omit --annotations: --labels_from {column} labels every episode"
    return [replace(problem, hint=hint) for problem in errors]


def _bind(
    file: AnnotationFile, users: Sequence[Source], *, strict: bool
) -> tuple[list[Source], list[Problem]]:
    """Finds each section's source and checks its labels against the episodes.

    Args:
        file: The annotation file.
        users: The sources it is to label.
        strict: Whether a source without any section is an error, and not a warning.

    Returns:
        The sources that it labels, with labels; and errors and warnings.
    """
    problems: list[Problem] = []
    bound: list[Source] = []
    mine: dict[int, list[AnnotationSection]] = {source.number: [] for source in users}
    for section in file.annotations.sections:
        fitting, problem = fitting_sources(file, section, users)
        if problem is not None:
            problems.append(problem)
        elif not fitting:
            problems += unused_header(file, section, users)
        problems += other_owner(file, section, fitting)
        for source in fitting:
            mine[source.number].append(section)
    strict = strict or not any(mine.values())  # no section fits, which cannot be meant
    for source in users:
        listed: dict[int, AnnotationSection] = {}
        for section in mine[source.number]:
            problems += check_section(
                section,
                source.reader.lengths.tolist(),
                name=str(file.path),
                index_base=file.annotations.index_base,
            )
            for episode in section.episodes:
                if episode.episode_index in listed:
                    message = f"episode {episode.episode_index} of {source.title} is labelled in two sections"
                    place = Place(str(file.path), episode.line)
                    hint = f"the other section: {file.place(listed[episode.episode_index])}"
                    problems.append(Problem("episode-listed-twice", message, place, hint))
                listed[episode.episode_index] = section
        if not mine[source.number]:
            if file.parsed.errors and not any(section.episodes for section in file.annotations.sections):
                continue  # the lines that would be its section cannot be read
            message = f"no section matches the source {source.repo_id} ({source.reader.root})"
            found = contents(file.annotations.sections)
            hint = f"{found}; expected a header `# dataset path: {source.title}`"
            if made := origin(source):
                hint += f"; {made}: label those and rebuild it, or add a section for its own episodes"
            severity: Severity = "error" if strict else "warning"
            problems.append(Problem("no-section", message, file.path, hint, severity=severity))
            if strict:
                continue
        flagged, absent = _flagged(file, mine[source.number], len(source.reader.lengths))
        problems += absent
        labels = _success(mine[source.number], source.reader.lengths.tolist())
        bound.append(replace(source, labels=labels, flagged=flagged, annotation_sha256=file.sha256))
    return bound, problems


def _flagged(
    file: AnnotationFile, sections: Sequence[AnnotationSection], total: int
) -> tuple[Mapping[int, str], list[Problem]]:
    """Flagged episodes with their reasons, and warnings about flags of episodes that do not exist."""
    notes = notes_of(file.annotations, sections)
    flagged = {episode: note.flag for episode, note in notes.items() if note.flag is not None}
    absent = [episode for episode in flagged if episode >= total]
    message = f"{episodes_text(absent)} flagged, but the dataset has {count(total, 'episode')}"
    problem = Problem("flag-without-episode", message, file.path)
    return flagged, [problem] if absent else []


def _success(sections: Sequence[AnnotationSection], lengths: Sequence[int]) -> Mapping[int, IntervalSet]:
    """Success frames of each episode; ``check_section`` has found ranges past an episode's end."""
    return {
        episode.episode_index: episode.success.clip(lengths[episode.episode_index])
        for section in sections
        for episode in section.episodes
        if episode.episode_index < len(lengths)
    }
