"""Which section of which annotation file labels which source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.choices import Unlisted
from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.labels import check_section
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import is_dataset, lerobot_home
from lerobot_grasp_plugin.errors import AnnotationError, Problem, Severity, UsageError
from lerobot_grasp_plugin.ops.gathering import Gathered
from lerobot_grasp_plugin.ops.recipe import LabelOptions, SourceConfig
from lerobot_grasp_plugin.ops.source_labels import origin
from lerobot_grasp_plugin.ops.sources import Source, same_folder

_MOST_BYTES = 8 * 2**20


@dataclass(frozen=True)
class AnnotationFile:
    """A parsed annotation file and its folder."""

    path: Path
    sha256: str
    annotations: Annotations
    warnings: Sequence[Problem]

    def place(self, section: AnnotationSection) -> str:
        """Where a section starts."""
        return f"{self.path}:{section.line}" if section.line else str(self.path)


def read_annotations(path: Path, index_base: int | None) -> AnnotationFile:
    """Reads an annotation file of either form.

    Raises:
        UsageError: There is no such file, or ``index_base`` is neither 0 nor 1.
        AnnotationError: With everything that is wrong in it.
    """
    if problem := _index_base_problem(index_base):
        raise UsageError(problem)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)  # what is longer than the grammar takes is refused there
    except (OSError, ValueError) as error:  # a ValueError for a name with a null byte
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(Problem("no-annotations", f"cannot be read: {reason}", str(path))) from None
    parsed = parse(data, name=str(path), index_base=index_base)
    return AnnotationFile(path, hashlib.sha256(data).hexdigest(), parsed.annotations, parsed.warnings)


def header_folder(dataset: str, annotation_folder: Path) -> Path | None:
    """The dataset folder a header names: first as a path, else in LeRobot's home folder."""
    try:
        named = Path(dataset).expanduser()
        candidates = [named] if named.is_absolute() else [annotation_folder / named, Path.cwd() / named]
        parts = named.parts[-2:]
        if len(parts) == 2 and ".." not in parts:
            candidates.append(lerobot_home().joinpath(*parts))
        return next((folder for folder in candidates if is_dataset(folder)), None)
    except (OSError, ValueError, RuntimeError):
        return None


def sources_of_headers(path: Path, index_base: int | None) -> list[SourceConfig]:
    """The sources an annotation file names in its headers, each once, in its order.

    Raises:
        AnnotationError: A header names no dataset on this machine, or there is none.
    """
    path = path.expanduser()
    file = read_annotations(path, index_base)
    found: list[Path] = []
    configs: list[SourceConfig] = []
    problems: list[Problem] = []
    for section in file.annotations.sections:
        if section.dataset is None:
            message = "these episodes stand under no header, so they name no dataset"
            hint = "write `# dataset path: owner/name` above them, or give the sources"
            problems.append(Problem("no-header", message, file.place(section), hint))
            continue
        folder = header_folder(section.dataset, path.parent)
        if folder is None:
            message = f"{section.dataset!r} is no dataset here, neither as a path nor in {lerobot_home()}"
            hint = "give the sources with --sources, or mend the header"
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
    sources: Sequence[Source], annotations: Path | None, options: LabelOptions
) -> list[Problem]:
    """Gives each source its ``labels``, and drops unlisted episodes where that is asked for.

    Args:
        sources: Changed in place.
        annotations: The file for every source that has none of its own.
        options: How annotations become labels.

    Returns:
        Warnings.

    Raises:
        GraspError: With everything wrong in any file, and every label that fits no episode.
    """
    problems = Gathered()
    with problems:
        _check_options(options)
    given = [source.config.annotations or annotations for source in sources]
    paths = [None if path is None else path.expanduser() for path in given]
    if not any(paths):
        problems.raise_all()
        return []
    warnings: list[Problem] = []
    if annotations is not None and annotations.expanduser() not in paths:
        message = "every source has annotations of its own, so this file is not used"
        warnings.append(Problem("unused-annotations", message, str(annotations), severity="warning"))
    files = dict.fromkeys(path for path in paths if path is not None)
    for path in files:
        users = [source for source, own in zip(sources, paths, strict=True) if own == path]
        with problems:
            file = read_annotations(path, options.index_base)
            found = _bind(file, users, strict=options.unlisted == "error")
            warnings += [*file.warnings, *(problem for problem in found if problem.severity == "warning")]
            _raise([problem for problem in found if problem.severity == "error"])
    for source, own in zip(sources, paths, strict=True):
        if source.labels is not None or own is None:
            with problems:
                _raise(_apply_unlisted(source, options.unlisted, own))
    problems.raise_all()
    return warnings


def check_annotations(paths: Iterable[Path | None], options: LabelOptions) -> None:
    """Looks at what there is to be said of annotation files where their datasets cannot be opened.

    Raises:
        GraspError: With everything wrong in any file, and with the options.
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


def _index_base_problem(index_base: int | None) -> Problem | None:
    if index_base in (None, 0, 1):
        return None
    return Problem("bad-index-base", f"index_base is 0 or 1, not {index_base}")


def _check_options(options: LabelOptions) -> None:
    base = _index_base_problem(options.index_base)
    problems = [base] if base else []
    values = (options.success_value, options.failure_value)
    with np.errstate(over="ignore"):  # next.reward is float32, and what does not fit is infinite there
        written = np.array(values, dtype=np.float64).astype(np.float32)
    if not np.isfinite(written).all() or written[0] == written[1]:
        message = (
            f"success_value {values[0]} and failure_value {values[1]} must be two different numbers, "
            "as float32 holds them"
        )
        problems.append(Problem("bad-label-values", message))
    if problems:
        raise UsageError(problems)


def _bind(file: AnnotationFile, users: Sequence[Source], *, strict: bool) -> list[Problem]:
    """Finds each section's source and checks its labels against the episodes.

    Args:
        file: The annotation file.
        users: The sources it is to label; changed in place.
        strict: Whether a source without any section is an error, and not a warning.

    Returns:
        Errors and warnings.
    """
    problems: list[Problem] = []
    mine: dict[int, list[AnnotationSection]] = {source.number: [] for source in users}
    for section in file.annotations.sections:
        fitting, problem = _fitting(file, section, users)
        if problem is not None:
            problems.append(problem)
        elif not fitting and header_folder(section.dataset or "", file.path.parent) is None:
            message = (
                f"the header {section.dataset!r} fits no source, and is no dataset on this machine; "
                f"what it says of {len(section.episodes)} episodes is not used"
            )
            hint = "if it is a remark and no header, write it as a sentence"
            problems.append(Problem("unused-section", message, file.place(section), hint, severity="warning"))
        for source in fitting:
            mine[source.number].append(section)
    strict = strict or not any(mine.values())  # not one section fits: that is no choice
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
                    place = f"{file.path}:{episode.line}"
                    hint = f"the other section is at {file.place(listed[episode.episode_index])}"
                    problems.append(Problem("episode-twice", message, place, hint))
                listed[episode.episode_index] = section
        if not mine[source.number]:
            message = f"no section fits the source {source.repo_id} ({source.reader.root})"
            found = contents(file.annotations.sections)
            hint = f"{found}; a header `# dataset path: {source.title}` would fit"
            if made := origin(source):
                hint += f"; {made}: label those and make it anew, or write sections of its own episodes"
            severity: Severity = "error" if strict else "warning"
            problems.append(Problem("no-section", message, str(file.path), hint, severity=severity))
            if strict:
                continue
        source.annotation_sha256 = file.sha256
        source.labels = _success(mine[source.number], source.reader.lengths.tolist())
    return problems


def contents(sections: Sequence[AnnotationSection]) -> str:
    """The sections of a file in words, each with its place."""
    found = [
        f"{section.dataset or 'no header'} (line {section.line}, "
        f"{len(section.episodes)} episode{'s' * (len(section.episodes) != 1)})"
        for section in sections
    ]
    return f"sections found: {', '.join(found) or 'none'}"


def _success(sections: Sequence[AnnotationSection], lengths: Sequence[int]) -> Mapping[int, IntervalSet]:
    """Success frames of each episode; what reaches past an end was found by ``check_section``."""
    return {
        episode.episode_index: episode.success.clip(lengths[episode.episode_index])
        for section in sections
        for episode in section.episodes
        if episode.episode_index < len(lengths)
    }


def sections_of(file: AnnotationFile, source: Source) -> list[AnnotationSection]:
    """The sections of a file that label a source.

    Raises:
        AnnotationError: A header fits, and may mean another dataset.
    """
    found: list[AnnotationSection] = []
    for section in file.annotations.sections:
        fitting, problem = _fitting(file, section, [source])
        if problem is not None:
            raise AnnotationError(problem)
        if fitting:
            found.append(section)
    return found


def _fitting(
    file: AnnotationFile, section: AnnotationSection, users: Sequence[Source]
) -> tuple[list[Source], Problem | None]:
    """The sources a section labels.

    A header is a path, else its last two parts are a repo_id, else its last part is a source's
    name. The same dataset may be a source twice, with other episodes; two datasets are an error.
    """
    where = file.place(section)
    if section.dataset is None:
        if len({source.reader.root.resolve() for source in users}) > 1:
            names = ", ".join(source.title for source in users)
            message = f"these episodes stand under no header, and there are several sources: {names}"
            hint = "write `# dataset path: NAME` above them"
            return [], Problem("no-header", message, where, hint)
        return list(users), None
    folder = header_folder(section.dataset, file.path.parent)
    parts = section.dataset.replace("\\", "/").rstrip("/").split("/")
    repo_id, name = "/".join(parts[-2:]), parts[-1]
    if folder is not None:
        fitting = [source for source in users if same_folder(source.reader.root, folder)]
        if fitting:
            return fitting, None
    fitting = [source for source in users if len(parts) > 1 and source.repo_id == repo_id]
    if not fitting:
        fitting = [source for source in users if name in (source.title, source.reader.root.name)]
    roots = {source.reader.root.resolve() for source in fitting}
    if len(roots) > 1:
        names = " and ".join(str(root) for root in sorted(roots))
        message = f"the header {section.dataset!r} fits two sources: {names}"
        return [], Problem("ambiguous-header", message, where, "write the path of the one that is meant")
    if fitting and folder is not None:
        message = (
            f"the header {section.dataset!r} is the dataset {folder}, but the source of that name is "
            f"{fitting[0].reader.root}"
        )
        hint = "write the path of the one that is meant into the header"
        return [], Problem("ambiguous-header", message, where, hint)
    return fitting, None


def _apply_unlisted(source: Source, unlisted: Unlisted, path: Path | None) -> list[Problem]:
    """Settles the chosen episodes of a source that no annotation names."""
    listed = source.labels or {}
    missing = [episode for episode in source.episodes if episode not in listed]
    source.labels = dict(listed)
    unused = sorted(set(listed) - set(source.episodes))
    if unused:
        source.notes.append(f"annotated, but not chosen: episodes {_numbers(unused)}")
    if not missing:
        return []
    numbers = _numbers(missing)
    where = str(path) if path is not None else ""
    if unlisted == "fail":
        source.labels |= dict.fromkeys(missing, IntervalSet())
        source.notes.append(f"unlisted episodes labelled as failure: {numbers}")
    elif unlisted == "drop":
        left_out = set(missing)
        source.episodes = [episode for episode in source.episodes if episode not in left_out]
        source.notes.append(f"unlisted episodes left out: {numbers}")
    elif unlisted == "keep":
        if layout.REWARD not in source.features:
            message = (
                f"{source.title} has no {layout.REWARD} that its unlisted episodes could keep: {numbers}"
            )
            return [
                Problem("nothing-to-keep", message, where, "annotate them, or use --unlisted fail or drop")
            ]
        source.notes.append(f"unlisted episodes keep their labels: {numbers}")
    else:
        message = f"{len(missing)} chosen episodes of {source.title} are not annotated: {numbers}"
        hint = "annotate them, or say what they are with --unlisted fail, keep or drop"
        return [Problem("unlisted-episode", message, where, hint)]
    return []


def _numbers(episodes: Sequence[int]) -> str:
    return ", ".join(map(str, episodes[:12])) + (", ..." if len(episodes) > 12 else "")
