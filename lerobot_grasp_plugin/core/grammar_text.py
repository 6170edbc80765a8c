"""The text form of annotations, line by line.

``NN: RANGES  # comment`` labels an episode; a comment line of its own may be a section header or
state the index base. ``grammar.py`` has the whole grammar in words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lerobot_grasp_plugin.core.annotations import (
    Annotations,
    AnnotationSection,
    EpisodeAnnotation,
    IndexBase,
    dataset_fault,
)
from lerobot_grasp_plugin.core.grammar_ranges import (
    INDEX_BASE,
    ListedEpisodes,
    WrittenRange,
    bounded_int,
    check_not_empty,
    check_number,
    check_said_base,
    to_intervals,
)
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.core.source_text import Findings, Place, Source

_KEYWORD = re.compile(r"(?:dataset(?:[\s_-]+path)?|repo_id)\s*:\s*", re.IGNORECASE)
_PATH = re.compile(r"/[^\s/]|~[^\s/]*(?:/|$)|\.\.?/")
_REPO_ID = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_BARE_NAME = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9_-])[A-Za-z0-9][A-Za-z0-9_.-]*")

_ALL = re.compile(r"all\s+(fail|success)", re.IGNORECASE)
_RANGE = re.compile(r"([0-9]+)(?:\s*(-)(?:\s*([0-9]+))?)?")
_NEGATIVE = re.compile(r"(?:[0-9]+\s*-\s*)?-\s*[0-9]")

_RANGES_HINT = "expected a-b, a-, a single frame a, several of them with commas, `all fail` or `all success`"
_DASHES = re.compile("[\u2010-\u2015\u2212]")


@dataclass(frozen=True, slots=True)
class Header:
    """A section header: the dataset it names, and its comment."""

    dataset: str
    comment: str | None


def read_header(line: str) -> Header | None:
    """The header that a comment line is, None when it is another comment.

    The dataset is empty when only a keyword stands there (``# dataset path:``).
    """
    body = line.strip().lstrip("#").strip()
    keyword = _KEYWORD.match(body)
    value, *rest = re.split(r"(?:^|\s)#", body[keyword.end() :] if keyword else body, maxsplit=1)
    value = value.strip()
    if keyword or _PATH.match(value) or _REPO_ID.fullmatch(value) or _BARE_NAME.fullmatch(value):
        return Header(value, (rest[0].strip() or None) if rest else None)
    return None


def read_index_base(line: str) -> str | None:
    """What a comment line says the index base is, whatever it may be; None for another comment."""
    match = INDEX_BASE.match(line.strip().lstrip("#").strip())
    return match.group(1).partition("#")[0].strip() if match else None


def read_episode(
    source: Source, start: int, line: str, base: IndexBase, findings: Findings
) -> tuple[EpisodeAnnotation | None, Place]:
    """Read an episode line that begins at offset ``start``.

    Returns:
        The episode, with the faulty ranges left out, or None when it has no number; and the place
        of its number.
    """
    code, mark, comment = line.partition("#")
    number, colon, ranges = code.partition(":")
    place = _stripped(source, start, number)
    if not colon:
        digits = re.match(r"\s*[0-9]+", code)
        end = start + (digits.end() if digits else len(code.rstrip()))
        at = source.place(end, end + 1) if digits else place
        message = (
            f"no colon after episode {place.text.split()[0]}" if digits else f"{place.text}: not an episode"
        )
        findings.error("missing-colon", message, at, "expected `NN: RANGES`, e.g. `07: 45-`")
        return None, place
    word = number.strip()
    if re.fullmatch("-[0-9]+", word):
        findings.error("negative-number", f"episode {place.text} is negative", place)
        return None, place
    if not re.fullmatch("[0-9]+", word):
        message = f"{place.text!r} is not an episode number"
        findings.error("unknown-token", message, place, "expected `NN: RANGES`, e.g. `07: 45-`")
        return None, place
    index = bounded_int(word)
    if not check_number(index, "episode", place, findings):
        return None, place
    intervals, places = _read_ranges(source, start + len(number) + 1, ranges, base, findings)
    episode = EpisodeAnnotation(
        index,
        intervals,
        comment.strip() or None,
        line=place.line,
        text=line.rstrip(),
        places=places,
    )
    if mark and episode.comment and INDEX_BASE.match(episode.comment):
        at = source.place(start + len(code), start + len(line.rstrip()))
        hint = "put `# index_base: 0` on a line of its own before the first episode"
        findings.error("index-base-misplaced", "the index base is stated beside an episode", at, hint)
    return episode, place


def parse_text(source: Source, index_base: IndexBase | None, findings: Findings) -> Annotations:
    """Read a whole text file; what is wrong is noted in ``findings``."""
    reader = _Reader(source, index_base, findings)
    for start, line in source.lines():
        reader.read(start, line)
    return reader.finish()


def _stripped(source: Source, start: int, text: str) -> Place:
    left = start + len(text) - len(text.lstrip())
    return source.place(left, max(left + 1, start + len(text.rstrip())))


def _read_ranges(
    source: Source, start: int, text: str, base: IndexBase, findings: Findings
) -> tuple[tuple[FrameInterval, ...], tuple[Place, ...]]:
    body = text.strip()
    place = _stripped(source, start, text)
    if not body:
        at = source.place(start, start + 1)
        findings.error("missing-ranges", "nothing stands after the colon", at, _RANGES_HINT)
        return (), ()
    every = _ALL.match(body)
    if every and every.end() == len(body):
        is_success = every.group(1).lower() == "success"
        return ((FrameInterval(0, None),), (place,)) if is_success else ((), ())
    written: list[WrittenRange] = []
    for word in text.split(","):
        found = _read_range(source, start, word, findings)
        if found is not None:
            written.append(found)
        start += len(word) + 1
    return to_intervals(written, base, findings)


def _read_range(source: Source, start: int, text: str, findings: Findings) -> WrittenRange | None:
    word = text.strip()
    place = _stripped(source, start, text)
    match = _RANGE.match(word)
    if match and match.end() == len(word):
        first = bounded_int(match.group(1))
        last = bounded_int(match.group(3)) if match.group(3) else None if match.group(2) else first
        return WrittenRange(first, last, place)
    if not word:
        at = source.place(start + len(text), start + len(text) + 1)
        findings.error("missing-ranges", "no range between the commas", at, _RANGES_HINT)
    elif _NEGATIVE.match(word):
        findings.error("negative-number", f"{place.text!r} has a negative frame number", place, _RANGES_HINT)
    elif _DASHES.search(word):
        hint = "write the plain minus sign `-`"
        findings.error("unknown-token", f"{place.text!r} has a dash that is not a minus", place, hint)
    elif every := _ALL.fullmatch(word):
        message = f"`{' '.join(every.group().split())}` stands beside ranges"
        findings.error("trailing-junk", message, place, "write either it or the ranges")
    elif known := match or _ALL.match(word):
        rest = word[known.end() :].lstrip()
        at = source.place(place.stop - len(rest), place.stop)
        message = f"{at.text!r} is left over after {' '.join(known.group().split())}"
        findings.error("trailing-junk", message, at, "put commas between ranges and # before a remark")
    else:
        findings.error("unknown-token", f"{place.text!r} is not a range", place, _RANGES_HINT)
    return None


@dataclass(slots=True)
class _Section:
    header: Header | None = None
    place: Place | None = None
    text: str = ""
    before: tuple[str, ...] = ()
    episodes: list[EpisodeAnnotation] = field(default_factory=list)


class _Reader:
    def __init__(self, source: Source, index_base: IndexBase | None, findings: Findings) -> None:
        self.source = source
        self.asked = index_base
        self.base: IndexBase = 1 if index_base is None else index_base
        self.base_line: tuple[int, str] | None = None
        self.findings = findings
        self.listed = ListedEpisodes()
        self.begun = False
        self.sections = [_Section()]
        self.pending: list[str] = []
        self.comments: list[tuple[str, Place]] = []

    def read(self, start: int, line: str) -> None:
        word = line.strip()
        if not word:
            self.pending.append("")
        elif not word.startswith("#"):
            self._episode(start, line)
        else:
            self._remark(_stripped(self.source, start, line), line)

    def finish(self) -> Annotations:
        for comment, place in self.comments:
            check_said_base(comment, self.base, place, self.findings)
        sections = []
        for part in self.sections:
            if part.header is None:
                if part.episodes:
                    sections.append(AnnotationSection(None, tuple(part.episodes)))
                continue
            if not part.episodes and part.place is not None:
                message = f"no episode follows this header of {part.header.dataset}"
                hint = "if it is a remark, word it so that it is more than one word"
                self.findings.warn("empty-section", message, part.place, hint)
            line = part.place.line if part.place else 0
            sections.append(
                AnnotationSection(
                    part.header.dataset,
                    tuple(part.episodes),
                    part.header.comment,
                    part.before,
                    line,
                    part.text,
                )
            )
        annotations = Annotations(
            tuple(sections), self.base, self.source.name, tuple(self.pending), self.base_line
        )
        check_not_empty(annotations, self.source.place(0, 1), self.findings, "`07: 45-`")
        return annotations

    def _episode(self, start: int, line: str) -> None:
        self.begun = True
        episode, place = read_episode(self.source, start, line, self.base, self.findings)
        if episode is None:
            return
        if episode.comment:
            at = start + line.index("#")
            self.comments.append((episode.comment, self.source.place(at, start + len(line.rstrip()))))
        section = self.sections[-1]
        dataset = section.header.dataset if section.header else None
        if self.listed.add(dataset, episode.episode_index, place, self.findings):
            # Only `before` is not yet known to read_episode.
            section.episodes.append(
                EpisodeAnnotation(
                    episode.episode_index,
                    episode.ranges,
                    episode.comment,
                    tuple(self.pending),
                    episode.line,
                    episode.text,
                    episode.places,
                )
            )
        self.pending.clear()

    def _remark(self, place: Place, line: str) -> None:
        said = read_index_base(line)
        if said is not None:
            self._index_base(said, place, line.rstrip())
            return
        header = read_header(line)
        if header is None:
            self.pending.append(line.rstrip())
            self.comments.append((line, place))
            return
        if fault := dataset_fault(header.dataset):
            hint = "expected a path, a repo_id or a name"
            self.findings.error("missing-dataset", f"the dataset of this header {fault}", place, hint)
            header = Header(f"(unnamed, line {place.line})", header.comment)
        if header.comment:
            self.comments.append((header.comment, place))
            if INDEX_BASE.match(header.comment):
                hint = "put `# index_base: 0` on a line of its own before the first episode"
                message = "the index base is stated beside a dataset"
                self.findings.error("index-base-misplaced", message, place, hint)
        self.sections.append(_Section(header, place, line.rstrip(), tuple(self.pending)))
        self.pending.clear()

    def _index_base(self, said: str, place: Place, text: str) -> None:
        if said not in ("0", "1"):
            message = f"index base {said[:20]!r} is neither 0 nor 1"
            self.findings.error("index-base-unknown", message, place, "the number of the first frame")
        elif self.begun:
            hint = "put it on a line of its own before the first episode, for the whole file"
            self.findings.error("index-base-misplaced", "the index base is stated too late", place, hint)
        elif self.base_line is not None:
            message = "the index base is stated twice"
            self.findings.error("index-base-twice", message, place, "remove one of the two")
        else:
            stated: IndexBase = 0 if said == "0" else 1
            self.base_line = (place.line - 1, text)
            if self.asked is not None and self.asked != stated:
                message = f"the file says index base {stated}, but {self.asked} was asked for"
                hint = "leave the option out, or correct the file"
                self.findings.error("index-base-contradiction", message, place, hint)
            self.base = stated
