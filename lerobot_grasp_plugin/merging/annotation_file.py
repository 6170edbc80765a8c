"""Reads an annotation file and matches its sections with the sources."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.grammar import ParsedAnnotations, parse_partly
from lerobot_grasp_plugin.core.grammar_comments import IsDataset, is_one_path, says_dataset
from lerobot_grasp_plugin.core.section_check import check_section
from lerobot_grasp_plugin.dataset.hub import is_dataset, lerobot_home
from lerobot_grasp_plugin.findings.problem import AnnotationError, Place, Problem, UsageError
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.merging.sources import Source, same_folder

_MOST_BYTES = 8 * 2**20
_NEAR = 0.85
"""Similarity of a header's name to a source's name above which that source was probably meant."""


@dataclass(frozen=True)
class AnnotationFile:
    """A parsed annotation file and its folder."""

    path: Path
    sha256: str
    parsed: ParsedAnnotations

    @property
    def annotations(self) -> Annotations:
        """Its parsed content."""
        return self.parsed.annotations

    @property
    def warnings(self) -> Sequence[Problem]:
        """Warnings about its content."""
        return self.parsed.warnings

    def place(self, section: AnnotationSection) -> Place:
        """Where a section starts."""
        return Place(str(self.path), section.line or None)


def read_annotations(path: Path, index_base: int | None, sources: Sequence[Source] = ()) -> AnnotationFile:
    """Reads an annotation file of any form; ``read_partly`` has the arguments.

    Raises:
        UsageError: The file does not exist, or ``index_base`` is neither 0 nor 1.
        AnnotationError: With all of its errors.
    """
    file = read_partly(path, index_base, sources)
    if file.parsed.errors:
        raise AnnotationError(file.parsed.errors)
    return file


def read_partly(path: Path, index_base: int | None, sources: Sequence[Source] = ()) -> AnnotationFile:
    """Reads an annotation file of any form, as far as it can be read.

    Args:
        path: The file.
        index_base: As the option says, None without it.
        sources: The datasets it may label: a comment that is the name of one is a section header.

    Raises:
        UsageError: The file does not exist, or ``index_base`` is neither 0 nor 1.
        AnnotationError: It is not text, or has more than a thousand errors.
    """
    if problem := index_base_problem(index_base):
        raise UsageError(problem)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)  # the grammar refuses longer files
    except (OSError, ValueError) as error:  # a ValueError for a name with a null byte
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(Problem("unreadable-file", f"the file cannot be read: {reason}", path)) from None
    is_dataset = names_dataset(path.parent, sources)
    parsed = parse_partly(data, name=str(path), index_base=index_base, is_dataset=is_dataset)
    return AnnotationFile(path, hashlib.sha256(data).hexdigest(), parsed)


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


def index_base_problem(index_base: int | None) -> Problem | None:
    """The error of the option ``index_base``, if it is wrong."""
    if index_base in (None, 0, 1):
        return None
    return Problem("index-base-unknown", f"index_base must be 0 or 1, not {index_base}")


def names_dataset(folder: Path, sources: Sequence[Source]) -> IsDataset:
    """Tells headers from remarks: names of sources and of datasets on this machine are headers.

    Args:
        folder: The annotation file's.
        sources: The datasets it may label.
    """
    return lambda word: bool(_named(word, sources)) or header_folder(word, folder) is not None


def is_doubtful(section: AnnotationSection) -> bool:
    """Whether the header may be a remark: no keyword, and not a path without spaces."""
    return bool(section.text) and not says_dataset(section.text) and not is_one_path(section.text)


def contents(sections: Sequence[AnnotationSection]) -> str:
    """The sections of a file as text, each with its place."""
    found = [
        f"{section.dataset or 'no header'} (line {section.line}, {count(len(section.episodes), 'episode')})"
        for section in sections
    ]
    return f"sections found: {', '.join(found) or 'none'}"


def sections_of(file: AnnotationFile, source: Source) -> list[AnnotationSection]:
    """The sections of a file that label a source.

    Raises:
        AnnotationError: A header fits, but may mean another dataset.
    """
    found: list[AnnotationSection] = []
    for section in file.annotations.sections:
        fitting, problem = fitting_sources(file, section, [source])
        problems = [] if fitting else unused_header(file, section, [source])
        if problem is not None:
            raise AnnotationError(problem)
        if any(problem.severity == "error" for problem in problems):
            raise AnnotationError(problems)
        if fitting:
            found.append(section)
    return found


def checked_sections(file: AnnotationFile, source: Source) -> list[AnnotationSection]:
    """The sections of a file that label a source, after checking their labels against its episodes.

    Raises:
        AnnotationError: A header may mean another dataset, or a label matches no episode.
    """
    sections = sections_of(file, source)
    lengths = source.reader.lengths.tolist()
    base = file.annotations.index_base
    problems = [
        problem
        for section in sections
        for problem in check_section(section, lengths, name=str(file.path), index_base=base)
    ]
    if problems:
        raise AnnotationError(problems)
    return sections


def fitting_sources(
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
            message = f"these episodes have no header, and the recipe has several sources: {names}"
            hint = "write `# dataset path: NAME` above them"
            return [], Problem("no-header", message, where, hint)
        return list(users), None
    folder = header_folder(section.dataset, file.path.parent)
    if folder is not None:
        fitting = [source for source in users if same_folder(source.reader.root, folder)]
        if fitting:
            return fitting, None
    fitting = _named(section.dataset, users)
    roots = {source.reader.root.resolve() for source in fitting}
    if len(roots) > 1:
        names = " and ".join(str(root) for root in sorted(roots))
        message = f"the header {section.dataset!r} matches two sources: {names}"
        return [], Problem("ambiguous-header", message, where, "write the path of the source you mean")
    if fitting and folder is not None:
        message = (
            f"the header {section.dataset!r} is the dataset {folder}, but the source of that name is "
            f"{fitting[0].reader.root}"
        )
        hint = "write the path of the dataset you mean into the header"
        return [], Problem("ambiguous-header", message, where, hint)
    return fitting, None


def unused_header(
    file: AnnotationFile, section: AnnotationSection, sources: Sequence[Source]
) -> list[Problem]:
    """Warns that a header matches neither a source nor a dataset on this machine.

    Args:
        file: The file.
        section: Whose header it is.
        sources: The sources, none of which it matches; the message names the one probably meant.
    """
    if header_folder(section.dataset or "", file.path.parent) is not None:
        return []
    titles = [source.title for source in sources]
    near = get_close_matches((section.dataset or "").rpartition("/")[2], titles, 1, _NEAR)
    meant = f"did you mean `# dataset path: {near[0]}`?" if near else ""
    fits_nothing = f"{section.dataset!r} matches no source and no dataset on this machine"
    if not is_doubtful(section) or _begins_anew(file, section):
        number = count(len(section.episodes), "episode")
        message = f"the header {fits_nothing}; its labels ({number}) are not used"
        return [Problem("unused-section", message, file.place(section), meant)]
    if not section.episodes:
        return []
    message = f"header or remark? {fits_nothing}"
    header = meant or f"for a header, write `# dataset path: {section.dataset}`"
    hint = f"{header} (if it is a remark, reword it)"
    return [Problem("header-doubtful", message, file.place(section), hint, f"{section.text.strip()}\n^")]


def _begins_anew(file: AnnotationFile, section: AnnotationSection) -> bool:
    """Whether a section cannot continue the one before it, because both name the same episodes."""
    sections = file.annotations.sections
    before = sections[sections.index(section) - 1]
    named = {episode.episode_index for episode in before.episodes}
    return section is not sections[0] and any(each.episode_index in named for each in section.episodes)


def other_owner(file: AnnotationFile, section: AnnotationSection, fitting: Sequence[Source]) -> list[Problem]:
    """Warns that a header ``owner/name`` matches a source by name, but the source has another owner."""
    dataset = section.dataset or ""
    owner, _, name = dataset.partition("/")
    owners = {source.repo_id.rpartition("/")[0] for source in fitting}
    if not owner or owner[0] in ".~" or not name or "/" in name or {"", owner} & owners or not owners:
        return []
    if header_folder(dataset, file.path.parent) is not None:
        return []
    message = f"the header {dataset!r} labels the source {fitting[0].repo_id}, which has another owner"
    hint = f"write `# dataset path: {fitting[0].repo_id}` if you mean that source"
    return [Problem("other-owner", message, file.place(section), hint)]


def _named(dataset: str, sources: Sequence[Source]) -> list[Source]:
    """The sources whose repo_id, or else whose name, is the end of a header."""
    parts = dataset.replace("\\", "/").rstrip("/").split("/")
    repo_id, name = "/".join(parts[-2:]), parts[-1]
    found = [source for source in sources if len(parts) > 1 and source.repo_id == repo_id]
    return found or [source for source in sources if name in (source.title, source.reader.root.name)]
