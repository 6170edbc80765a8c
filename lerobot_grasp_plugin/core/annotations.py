"""The annotation tree: what a person stated about episodes, as written.

The tree keeps comments and blank lines, so that an editor can change one episode and write
everything else back unchanged. Spellings are kept too, but do not count in comparisons: two trees
are equal when they state, and remark, the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.source_text import UNPRINTABLE, Span

IndexBase = Literal[0, 1]


@dataclass(frozen=True, slots=True)
class EpisodeAnnotation:
    """The success frames of one episode.

    Attributes:
        episode_index: LeRobot's ``episode_index``, 0-based in every file.
        ranges: Success ranges in the order written, 0-based and half-open, none overlapping.
            Empty when all frames are failure; one open range from 0 when all are success.
        comment: Text on the same line after ``#``.
        before: Comment and blank lines directly above, as written.
        line: 1-based line in the file, 0 when it comes from no file.
        text: The line as written, empty when it comes from no text file.
        places: Place of each of ``ranges``; empty when they come from no file.
        excluded: Ranges removed from ``ranges``, and their places (the JSON form's ``exclude``).
        frames: Number of frames listed one by one, from the first (the CSV form); else None.

    Raises:
        ValueError: A negative index, overlapping ranges, or a comment that is not one line.
    """

    episode_index: int
    ranges: tuple[FrameInterval, ...]
    comment: str | None = None
    before: tuple[str, ...] = ()
    line: int = field(default=0, compare=False, repr=False)
    text: str = field(default="", compare=False, repr=False)
    places: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    excluded: tuple[tuple[FrameInterval, Span], ...] = field(default=(), compare=False, repr=False)
    frames: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.episode_index < 0:
            raise ValueError(f"episode_index must be 0 or more, got {self.episode_index}")
        in_order = sorted(self.ranges, key=lambda item: item.start)
        for left, right in pairwise(in_order):
            if left.stop is None or right.start < left.stop:
                raise ValueError(f"episode {self.episode_index}: {left} and {right} overlap")
        _check_comment(self.comment)
        _check_remarks(self.before)

    @property
    def success(self) -> IntervalSet:
        """The success frames, 0-based."""
        return IntervalSet(self.ranges)


@dataclass(frozen=True, slots=True)
class AnnotationSection:
    """The episodes of one dataset.

    Attributes:
        dataset: The dataset in the section header: a path, a repo_id or a name. None for
            episodes before any header.
        episodes: In the order written.
        comment: Text after a second ``#`` on the header's line.
        before: Comment and blank lines directly above the header, as written.
        line: 1-based line of the header, 0 when there is none.
        text: The header line as written, empty when there is none.

    Raises:
        ValueError: An episode twice, or a ``dataset`` or comment that a header cannot hold.
    """

    dataset: str | None
    episodes: tuple[EpisodeAnnotation, ...]
    comment: str | None = None
    before: tuple[str, ...] = ()
    line: int = field(default=0, compare=False, repr=False)
    text: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.dataset is not None and (fault := dataset_fault(self.dataset)):
            raise ValueError(f"dataset {self.dataset!r} {fault}")
        if self.dataset is None and (self.comment is not None or self.before):
            raise ValueError("a section without a header has no line for a comment")
        _check_comment(self.comment)
        _check_remarks(self.before)
        _check_once((self,))

    def episode(self, episode_index: int) -> EpisodeAnnotation | None:
        """The annotation of an episode, None when it is not listed."""
        return next((item for item in self.episodes if item.episode_index == episode_index), None)


@dataclass(frozen=True, slots=True)
class Annotations:
    """One annotation file.

    Attributes:
        sections: In the order written. Only the first may be without a header.
        index_base: The number of an episode's first frame in the file, 0 or 1. Numbers in this
            tree are 0-based either way.
        name: The file's name in messages. Does not count in comparisons.
        after: Comment and blank lines below the last episode.
        base_line: 0-based line and spelling of the line that states the index base, None when
            the file has no such line.

    Raises:
        ValueError: An episode of a dataset is listed twice, or a later section has no header.
    """

    sections: tuple[AnnotationSection, ...]
    index_base: IndexBase
    name: str = field(compare=False)
    after: tuple[str, ...] = ()
    base_line: tuple[int, str] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if any(section.dataset is None for section in self.sections[1:]):
            raise ValueError("only the first section may be without a dataset")
        _check_once(self.sections)
        _check_remarks(self.after)

    def listed(self, dataset: str | None) -> tuple[EpisodeAnnotation, ...]:
        """All episodes under a header, which can occur several times in the file."""
        return tuple(
            episode for section in self.sections if section.dataset == dataset for episode in section.episodes
        )


def dataset_fault(dataset: str) -> str:
    """Why a section header cannot hold this dataset name; empty when it can."""
    if not dataset:
        return "is missing"
    if dataset != dataset.strip():
        return "begins or ends with a space"
    if UNPRINTABLE.search(dataset):
        return "has a control character or a line break"
    if dataset.startswith("#") or any(word.startswith("#") for word in dataset.split()):
        return "has a word that begins with #, which begins a comment"
    return ""


def _check_once(sections: Iterable[AnnotationSection]) -> None:
    seen: set[tuple[str | None, int]] = set()
    for section in sections:
        for episode in section.episodes:
            key = (section.dataset, episode.episode_index)
            if key in seen:
                raise ValueError(f"dataset {key[0]}: episode {key[1]} is listed twice")
            seen.add(key)


def _check_comment(comment: str | None) -> None:
    if comment is not None and (not comment or comment != comment.strip() or UNPRINTABLE.search(comment)):
        raise ValueError(f"a comment must be one line without spaces at its ends, got {comment!r}")


def _check_remarks(lines: tuple[str, ...]) -> None:
    for line in lines:
        is_remark = not line or line.lstrip().startswith("#")
        if not is_remark or line != line.rstrip() or UNPRINTABLE.search(line):
            raise ValueError(f"a remark must be one blank line or one line after #, got {line!r}")
