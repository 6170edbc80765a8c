"""Converts the person's frame numbers to the program's, and back; nothing else does.

A person counts from the file's index base and includes both ends; the program counts from 0 and
leaves the end out. The messages that the text and the JSON form share are here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lerobot_grasp_plugin.core.annotations import Annotations, IndexBase
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.core.source_text import Findings, Span

MAX_NUMBER = 10**9


@dataclass(frozen=True, slots=True)
class WrittenRange:
    """A range as the person wrote it: inclusive, counted from the index base; None = open."""

    first: int
    last: int | None
    place: Span


def bounded_int(digits: str) -> int:
    """The number that ASCII digits, with or without a minus sign, spell; far ones come nearer.

    Anything beyond ``MAX_NUMBER`` becomes ``MAX_NUMBER + 1`` of the same sign, so that a number
    of a million digits costs nothing.
    """
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("-").lstrip("0")
    value = int(digits or "0") if len(digits) <= len(str(MAX_NUMBER)) else MAX_NUMBER + 1
    return sign * min(value, MAX_NUMBER + 1)


def check_number(value: int, what: str, place: Span, findings: Findings) -> bool:
    """Whether an episode or frame number is between 0 and ``MAX_NUMBER``; reports it if not."""
    if value < 0:
        findings.error("negative-number", f"{what} {place.text} is negative", place)
    elif value > MAX_NUMBER:
        findings.error("number-too-large", f"{what} {place.text} is larger than {MAX_NUMBER}", place)
    return 0 <= value <= MAX_NUMBER


def to_interval(written: WrittenRange, base: IndexBase, findings: Findings) -> FrameInterval | None:
    """Convert one range to 0-based and half-open; None after reporting an error."""
    first, last, place = written.first, written.last, written.place
    numbers = (first,) if last is None else (first, last)
    if not all(check_number(number, "frame number", place, findings) for number in numbers):
        return None
    if last is not None and last < first:
        hint = f"write the smaller number first: {last}-{first}"
        findings.error("reversed-range", f"range {first}-{last} ends before it begins", place, hint)
        return None
    if first < base:
        hint = "frames count from 1 here; a file that counts from 0 must state it: index_base 0"
        findings.error("frame-zero", "frames of a 1-indexed file start at 1, not at 0", place, hint)
        return None
    return FrameInterval(first - base, None if last is None else last - base + 1)


def to_intervals(
    written: Sequence[WrittenRange], base: IndexBase, findings: Findings
) -> tuple[tuple[FrameInterval, ...], tuple[Span, ...]]:
    """Convert the ranges of one episode, and check that they do not overlap.

    Returns:
        The ranges in the order written, and their places. A faulty range is reported and left
        out.
    """
    pairs = [
        (interval, item.place)
        for item in written
        if (interval := to_interval(item, base, findings)) is not None
    ]
    in_order = sorted(pairs, key=lambda pair: (pair[0].start, pair[1].start))
    kept: list[tuple[FrameInterval, Span]] = []
    for interval, place in in_order:
        if kept and (kept[-1][0].stop is None or interval.start < kept[-1][0].stop):
            message = f"range {place.text} overlaps {kept[-1][1].text}"
            findings.error("overlapping-ranges", message, place, "list every frame once")
        else:
            kept.append((interval, place))
    if len(kept) == len(written) and kept != pairs:
        late = next(new for old, new in pairwise(pairs) if new[0].start < old[0].start)
        message = f"range {late[1].text} comes after a later range"
        findings.warn("ranges-out-of-order", message, late[1], "the order does not matter")
    kept_places = {place for _, place in kept}
    pairs = [pair for pair in pairs if pair[1] in kept_places]
    return tuple(interval for interval, _ in pairs), tuple(place for _, place in pairs)


def format_range(interval: FrameInterval, base: IndexBase) -> str:
    """Write a range in the person's numbers: ``40-48``, ``60-`` or ``57``."""
    first = interval.start + base
    if interval.stop is None:
        return f"{first}-"
    last = interval.stop - 1 + base
    return f"{first}" if last == first else f"{first}-{last}"


def format_ranges(ranges: Sequence[FrameInterval], base: IndexBase) -> str:
    """Write the success ranges of an episode in the person's numbers."""
    if not ranges:
        return "all fail"
    if tuple(ranges) == (FrameInterval(0, None),):
        return "all success"
    return ", ".join(format_range(interval, base) for interval in ranges)


class ListedEpisodes:
    """The episodes listed so far, by dataset, with their places."""

    def __init__(self) -> None:
        self._places: dict[tuple[str | None, int], Span] = {}

    def add(self, dataset: str | None, episode_index: int, place: Span, findings: Findings) -> bool:
        """Whether the episode is listed for the first time; reports it if not."""
        first = self._places.setdefault((dataset, episode_index), place)
        if first is place:
            return True
        whose = f" of {dataset}" if dataset is not None else ""
        message = f"episode {episode_index}{whose} is listed twice, first in line {first.line}"
        findings.error("episode-listed-twice", message, place, "keep one of the two")
        return False


def check_not_empty(annotations: Annotations, place: Span, findings: Findings, example: str) -> None:
    """Report an error when no episode is labelled, unless other errors explain it."""
    if not findings.has_errors and not any(section.episodes for section in annotations.sections):
        findings.error("no-episodes", "the file has no episodes", place, f"expected e.g. {example}")
