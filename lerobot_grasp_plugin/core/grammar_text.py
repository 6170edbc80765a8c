"""Reads the text form of annotations, line by line.

``NN: RANGES  # comment`` labels an episode; a comment line of its own may be a section header or
state the index base. ``grammar.py`` describes the whole grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from lerobot_grasp_plugin.core.annotations import (
    Annotations,
    AnnotationSection,
    EpisodeAnnotation,
    IndexBase,
)
from lerobot_grasp_plugin.core.grammar_comments import (
    BASE_HINT,
    Comments,
    Header,
    IsDataset,
    no_dataset,
)
from lerobot_grasp_plugin.core.grammar_ranges import (
    ListedEpisodes,
    WrittenRange,
    bounded_int,
    check_not_empty,
    check_number,
    to_intervals,
)
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.core.odd_numbers import odd_number
from lerobot_grasp_plugin.core.said_counting import INDEX_BASE
from lerobot_grasp_plugin.core.source_text import Findings, Source, Span

_ALL = re.compile(r"all\s+(fail|success)", re.IGNORECASE)
_RANGE = re.compile(r"([0-9]+)(?:\s*(-)(?:\s*([0-9]+))?)?")
_NEGATIVE = re.compile(r"(?:[0-9]+\s*-\s*)?-\s*[0-9]")

_RANGES_HINT = "expected a-b, a-, a single frame a, several of them with commas, `all fail` or `all success`"
_EPISODE_HINT = "expected `NN: RANGES`, e.g. `07: 45-`; headers and remarks begin with #"


def read_episode(
    source: Source, start: int, line: str, base: IndexBase, findings: Findings
) -> tuple[EpisodeAnnotation | None, Span]:
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
        findings.error("missing-colon", message, at, _EPISODE_HINT)
        return None, place
    word = number.strip()
    if re.fullmatch("-[0-9]+", word):
        findings.error("negative-number", f"episode {place.text} is negative", place)
        return None, place
    if not re.fullmatch("[0-9]+", word):
        odd = odd_number(word, base)
        if odd is not None and odd.code != "time-not-frame":
            findings.error(odd.code, f"{place.text!r} {odd.reason}", place, odd.hint)
        else:
            message = f"{place.text!r} is not an episode number"
            findings.error("unknown-token", message, place, _EPISODE_HINT)
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
        message = "the index base is stated on the line of an episode"
        findings.error("index-base-misplaced", message, at, BASE_HINT)
    return episode, place


def parse_text(
    source: Source, index_base: IndexBase | None, findings: Findings, is_dataset: IsDataset = no_dataset
) -> Annotations:
    """Read a whole text file; errors go to ``findings``."""
    reader = _Reader(source, Comments(index_base, findings, is_dataset), findings)
    for start, line in source.lines():
        reader.read(start, line)
    return reader.finish()


def _stripped(source: Source, start: int, text: str) -> Span:
    left = start + len(text) - len(text.lstrip())
    return source.place(left, max(left + 1, start + len(text.rstrip())))


def _read_ranges(
    source: Source, start: int, text: str, base: IndexBase, findings: Findings
) -> tuple[tuple[FrameInterval, ...], tuple[Span, ...]]:
    body = text.strip()
    place = _stripped(source, start, text)
    if not body:
        at = source.place(start, start + 1)
        findings.error("missing-ranges", "no ranges after the colon", at, _RANGES_HINT)
        return (), ()
    every = _ALL.match(body)
    if every and every.end() == len(body):
        is_success = every.group(1).lower() == "success"
        return ((FrameInterval(0, None),), (place,)) if is_success else ((), ())
    written: list[WrittenRange] = []
    for word in text.split(","):
        found = _read_range(source, start, word, base, findings)
        if found is not None:
            written.append(found)
        start += len(word) + 1
    return to_intervals(written, base, findings)


def _read_range(
    source: Source, start: int, text: str, base: IndexBase, findings: Findings
) -> WrittenRange | None:
    word = text.strip()
    place = _stripped(source, start, text)
    match = _RANGE.match(word)
    if match and match.end() == len(word):
        first = bounded_int(match.group(1))
        last = bounded_int(match.group(3)) if match.group(3) else None if match.group(2) else first
        return WrittenRange(first, last, place)
    if not word:
        at = source.place(start + len(text), start + len(text) + 1)
        findings.error("missing-ranges", "a range between the commas is missing", at, _RANGES_HINT)
    elif _NEGATIVE.match(word):
        findings.error("negative-number", f"{place.text!r} has a negative frame number", place, _RANGES_HINT)
    elif odd := odd_number(word, base):
        findings.error(odd.code, f"{place.text!r} {odd.reason}", place, odd.hint)
    elif every := _ALL.fullmatch(word):
        message = f"`{' '.join(every.group().split())}` is combined with ranges"
        findings.error("trailing-junk", message, place, "write either this or the ranges")
    elif known := match or _ALL.match(word):
        rest = word[known.end() :].lstrip()
        at = source.place(place.stop - len(rest), place.stop)
        message = f"unexpected {at.text!r} after {' '.join(known.group().split())}"
        findings.error("trailing-junk", message, at, "put commas between ranges and # before a remark")
    else:
        findings.error("unknown-token", f"{place.text!r} is not a range", place, _RANGES_HINT)
    return None


@dataclass(slots=True)
class _Section:
    header: Header | None = None
    place: Span | None = None
    text: str = ""
    before: tuple[str, ...] = ()
    episodes: list[EpisodeAnnotation] = field(default_factory=list)


class _Reader:
    def __init__(self, source: Source, comments: Comments, findings: Findings) -> None:
        self.source = source
        self.comments = comments
        self.findings = findings
        self.listed = ListedEpisodes()
        self.begun = False
        self.sections = [_Section()]
        self.pending: list[str] = []

    @property
    def base(self) -> IndexBase:
        """The number of an episode's first frame, as far as the file has been read."""
        return 1 if self.comments.base is None else self.comments.base

    def read(self, start: int, line: str) -> None:
        word = line.strip()
        if not word:
            self.pending.append("")
        elif not word.startswith("#"):
            self._episode(start, line)
        else:
            self._comment(_stripped(self.source, start, line), line)

    def finish(self) -> Annotations:
        self.comments.check()
        sections = []
        for part in self.sections:
            if part.header is None:
                if part.episodes:
                    sections.append(AnnotationSection(None, tuple(part.episodes)))
                continue
            if not part.episodes and part.place is not None:
                message = f"no episodes follow the header of {part.header.dataset}"
                hint = "if it is a remark, use more than one word"
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
            tuple(sections), self.base, self.source.name, tuple(self.pending), self.comments.base_line
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
            self.comments.note(episode.comment, self.source.place(at, start + len(line.rstrip())))
        section = self.sections[-1]
        dataset = section.header.dataset if section.header else None
        if self.listed.add(dataset, episode.episode_index, place, self.findings):
            section.episodes.append(replace(episode, before=tuple(self.pending)))
        self.pending.clear()

    def _comment(self, place: Span, line: str) -> None:
        found = self.comments.read(line, place, begun=self.begun)
        if isinstance(found, Header):
            self.sections.append(_Section(found, place, line.rstrip(), tuple(self.pending)))
            self.pending.clear()
        elif found is not None:
            self.pending.append(found)
