"""Reads and writes annotation files: what a person stated about each episode, as text.

The text form, one episode a line::

    # index_base: 0                     optional, before the first episode; 1 when not stated
    # dataset path: ~/data/so101_v1     a section header: the dataset of the lines below
    00: 34-                             frame 34 to the end of the episode
    01: 40-48, 60-  # slipped once      several ranges; both ends are inclusive
    02: 57                              a single frame
    03: all fail                        or `all success`

Episode numbers are LeRobot's ``episode_index``, from 0; frame numbers count from the index base.
``grammar_comments.py`` defines which comment lines are section headers, ``said_counting.py`` which
remarks contradict the way the file is read, ``grammar_json.py`` the JSON form, and
``grammar_csv.py`` the CSV form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lerobot_grasp_plugin.core.annotations import (
    Annotations,
    AnnotationSection,
    EpisodeAnnotation,
    IndexBase,
)
from lerobot_grasp_plugin.core.csv_columns import is_csv
from lerobot_grasp_plugin.core.foreign_files import check_bytes, check_text
from lerobot_grasp_plugin.core.grammar_comments import (
    Header,
    IsDataset,
    no_dataset,
    read_header,
    read_index_base,
)
from lerobot_grasp_plugin.core.grammar_ranges import format_ranges
from lerobot_grasp_plugin.core.grammar_text import parse_text, read_episode
from lerobot_grasp_plugin.core.source_text import Findings, Source, decode
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem


@dataclass(frozen=True, slots=True)
class ParsedAnnotations:
    """The result of reading a file: annotations, warnings and errors.

    Attributes:
        annotations: Ranges 0-based and half-open.
        warnings: Problems of severity ``warning``, in the order found.
        errors: Errors of the file; ``annotations`` lacks the ranges and lines they concern.
    """

    annotations: Annotations
    warnings: tuple[Problem, ...]
    errors: tuple[Problem, ...] = ()

    @property
    def sections_stand(self) -> bool:
        """Whether the other lines can be trusted: no error concerns headers or the index base."""
        return all(CODES[problem.code].leaves_out for problem in self.errors)

    @property
    def episodes_stand(self) -> bool:
        """Whether every episode that the file names is in ``annotations``, possibly with fewer ranges."""
        return all(CODES[problem.code].leaves_out == "range" for problem in self.errors)


@dataclass(frozen=True, slots=True)
class Form:
    """A form that an annotation file can have.

    Attributes:
        name: Its name in messages.
        fits: Whether a text, decoded, has this form.
        read: Reads a source of this form; errors are added to the findings.
    """

    name: str
    fits: Callable[[str], bool]
    read: Callable[[Source, IndexBase | None, Findings, IsDataset], Annotations]


def _read_json(
    source: Source, base: IndexBase | None, findings: Findings, is_dataset: IsDataset
) -> Annotations:
    from lerobot_grasp_plugin.core.grammar_json import parse_json_form

    return parse_json_form(source, base, findings, is_dataset)


def _read_csv(
    source: Source, base: IndexBase | None, findings: Findings, is_dataset: IsDataset
) -> Annotations:
    from lerobot_grasp_plugin.core.grammar_csv import parse_csv_form

    return parse_csv_form(source, base, findings, is_dataset)


FORMS = (
    Form("JSON", lambda text: text.lstrip()[:1] in ("{", "["), _read_json),
    Form("CSV", is_csv, _read_csv),
    Form("text", lambda text: True, parse_text),
)
"""All forms; the first that fits is the form of a file."""


def form_of(text: str) -> Form:
    """The form of an annotation file, by its content."""
    text = text.removeprefix("\ufeff")
    return next(form for form in FORMS if form.fits(text))


def parse(
    data: bytes | str,
    *,
    name: str,
    index_base: int | None = None,
    is_dataset: IsDataset = no_dataset,
) -> ParsedAnnotations:
    """Read an annotation file of any form; ``parse_partly`` has the arguments.

    Raises:
        AnnotationError: With every error in the file, in its order (reading stops after a thousand).
        ValueError: ``index_base`` is neither 0 nor 1.
    """
    parsed = parse_partly(data, name=name, index_base=index_base, is_dataset=is_dataset)
    if parsed.errors:
        raise AnnotationError(parsed.errors)
    return parsed


def parse_partly(
    data: bytes | str,
    *,
    name: str,
    index_base: int | None = None,
    is_dataset: IsDataset = no_dataset,
) -> ParsedAnnotations:
    """Read an annotation file of any form, as far as possible.

    Args:
        data: The content of the file: UTF-8, with any line ends, with or without byte order mark.
        name: The file's name in messages.
        index_base: The number of the first frame, 0 or 1, for a file that does not state it. A
            text file that does not is otherwise 1-indexed; a JSON or CSV file is an error.
        is_dataset: Whether a single word names a dataset, so that it is a section header when it is
            alone in a comment (``# so101_v1``). Without it such a comment is a remark.

    Raises:
        AnnotationError: It is not text, or has more than a thousand errors.
        ValueError: ``index_base`` is neither 0 nor 1.
    """
    base: IndexBase | None = None
    if index_base is not None:
        if index_base not in (0, 1):
            raise ValueError(f"index_base must be 0 or 1, got {index_base}")
        base = 0 if index_base == 0 else 1
    findings = Findings()
    check_bytes(data, name)
    source = decode(data, name, findings)
    form = form_of(source.text)
    if form.name == "text":
        check_text(source)
    annotations = form.read(source, base, findings, is_dataset)
    return ParsedAnnotations(annotations, findings.warnings, findings.errors)


def format_text(annotations: Annotations) -> str:
    """Write annotations in the text form, numbers counted from their own index base.

    A line from a text file that still says the same keeps its spelling.
    The result is parsed again, and equals ``annotations``.

    Raises:
        ValueError: The text form cannot express this: no episode, a remark that would be
            read as a header or an index base, a number that is too large.
    """
    base = annotations.index_base
    lines: list[str] = []
    first_episode = None
    for section in annotations.sections:
        if section.dataset is not None:
            lines.extend(section.before)
            lines.append(_header_line(section, section.dataset))
        for episode in section.episodes:
            lines.extend(episode.before)
            first_episode = len(lines) if first_episode is None else first_episode
            lines.append(_episode_line(episode, base))
    lines.extend(annotations.after)
    if annotations.base_line is not None or base != 1:
        position, text = annotations.base_line or (0, "")
        if read_index_base(text) != str(base):
            text = f"# index_base: {base}"
        lines.insert(min(position, first_episode or 0), text)
    text = "".join(line + "\n" for line in lines)
    # Headers that are one word stay so where they were read as headers, and only there.
    words = {item.dataset for item in annotations.sections if item.text and read_header(item.text) is None}
    try:
        read_back = parse(text, name=annotations.name, is_dataset=words.__contains__).annotations
    except AnnotationError as error:
        raise ValueError(f"the text form cannot express this: {error}") from error
    if read_back != annotations:
        raise ValueError(
            "the text form cannot express this: a remark or an empty section would be read differently"
        )
    return text


def _header_line(section: AnnotationSection, dataset: str) -> str:
    if section.text and read_header(section.text, dataset.__eq__) == Header(dataset, section.comment):
        return section.text
    return f"# dataset path: {dataset}{_comment(section.comment)}"


def _episode_line(episode: EpisodeAnnotation, base: IndexBase) -> str:
    if episode.text:
        findings = Findings()
        said, _ = read_episode(Source("", episode.text), 0, episode.text, base, findings)
        if said is not None and not findings.has_errors and _same(said, episode):
            return episode.text
    ranges = format_ranges(episode.ranges, base)
    return f"{episode.episode_index:02d}: {ranges}{_comment(episode.comment)}"


def _same(one: EpisodeAnnotation, other: EpisodeAnnotation) -> bool:
    return (one.episode_index, one.ranges, one.comment) == (other.episode_index, other.ranges, other.comment)


def _comment(comment: str | None) -> str:
    return "" if comment is None else f"  # {comment}"
