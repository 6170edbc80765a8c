"""Changes one episode of an annotation text, and no other character."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.episode_notes import read_statement
from lerobot_grasp_plugin.core.grammar import form_of, parse
from lerobot_grasp_plugin.core.grammar_comments import IsDataset, no_dataset
from lerobot_grasp_plugin.core.grammar_ranges import format_ranges
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.findings.problem import AnnotationError, Place, Problem

_PLACEHOLDER = "0: all fail\n"


def parse_editable(
    text: str, *, name: str, index_base: int | None = None, is_dataset: IsDataset = no_dataset
) -> Annotations:
    """Reads an annotation text, which may be empty or without episodes.

    Args:
        text: The text form.
        name: The file's name in messages.
        index_base: As for ``parse``.
        is_dataset: As for ``parse``.

    Raises:
        AnnotationError: It is of another form, or has errors.
    """
    form = form_of(text)
    if form.name != "text":
        message = f"this is {form.name}, but only the text form can be edited"
        hint = f"use a text file for labelling; relabel and merge read {form.name}"
        raise AnnotationError(Problem("not-editable", message, Place(name), hint))
    try:
        return parse(text, name=name, index_base=index_base, is_dataset=is_dataset).annotations
    except AnnotationError as error:
        if {problem.code for problem in error.problems} != {"no-episodes"}:
            raise
    gap = "" if not text or text.endswith("\n") else "\n"
    text += gap + _PLACEHOLDER
    found = parse(text, name=name, index_base=index_base, is_dataset=is_dataset).annotations
    remarks = found.sections[-1].episodes[-1].before
    sections = tuple(replace(section, episodes=()) for section in found.sections if section.dataset)
    return replace(found, sections=sections, after=remarks)


def with_ranges(
    text: str,
    annotations: Annotations,
    sections: Sequence[AnnotationSection],
    episode_index: int,
    ranges: Collection[FrameInterval] | None,
    *,
    new_header: str,
) -> str:
    """The text with new success frames of one episode.

    A listed episode keeps its line, the spelling of its number and its comment. A new one is put in
    the order of the episodes; if the dataset has no section, one is added at the end.

    Args:
        text: The annotation text.
        annotations: ``parse_editable`` of ``text``.
        sections: Those of ``annotations`` that are about the dataset.
        episode_index: LeRobot's ``episode_index``, 0-based.
        ranges: 0-based half-open success ranges; empty for all failure, None to remove the episode.
        new_header: The dataset's name in a new section.
    """
    lines = split_lines(text)
    listed = [episode for section in sections for episode in section.episodes]
    old = next((episode for episode in listed if episode.episode_index == episode_index), None)
    if ranges is None:
        if old is not None:
            del lines[old.line - 1]
        return "".join(lines)
    said = format_ranges(sorted(ranges, key=lambda item: item.start), annotations.index_base)
    if old is not None:
        lines[old.line - 1] = _relabelled(lines[old.line - 1], said)
        return "".join(lines)
    at = new_place(lines, sections, episode_index)
    return with_lines(text, lines, at, [f"{episode_index:02d}: {said}"], new_header)


def with_lines(text: str, lines: list[str], at: int | None, new: Sequence[str], new_header: str) -> str:
    """A text with more lines.

    Args:
        text: As it was; says how lines end.
        lines: Those that it is to have now.
        at: 0-based line before which the new ones go; None to begin a section at the end.
        new: The lines, without ends.
        new_header: The dataset's name in a new section.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += ending
    if at is None:
        if lines and lines[-1].strip():
            lines.append(ending)
        new = [f"# dataset path: {new_header}", *new]
        at = len(lines)
    lines[at:at] = [line + ending for line in new]
    return "".join(lines)


def split_lines(text: str) -> list[str]:
    """The lines of a text, each with its end."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, last] if last else lines


def _relabelled(line: str, said: str) -> str:
    body = line.rstrip("\r\n")
    number, _, rest = body.partition(":")
    code, mark, comment = rest.partition("#")
    gap = code[len(code.rstrip()) :] or " "
    return f"{number}: {said}" + (f"{gap}#{comment}" if mark else "") + line[len(body) :]


def new_place(lines: Sequence[str], sections: Sequence[AnnotationSection], episode_index: int) -> int | None:
    """The position of a line about an episode: above its line, else in the order of the episodes.

    Args:
        lines: Those of the text.
        sections: The sections about the dataset.
        episode_index: The episode.

    Returns:
        The 0-based line before which it goes, below the flags and notes of this episode and lower ones; None
        when a section has to be begun.
    """
    listed = [episode for section in sections for episode in section.episodes]
    own = next((episode for episode in listed if episode.episode_index == episode_index), None)
    if own is not None:
        return own.line - 1
    lower = [episode for episode in listed if episode.episode_index < episode_index]
    if lower:
        at = max(lower, key=lambda episode: episode.episode_index).line
    elif listed:
        first = min(listed, key=lambda episode: episode.episode_index)
        at = first.line - 1 - len(first.before)
    elif sections and sections[0].line:
        at = sections[0].line
    else:
        return None
    for place in range(at, len(lines)):
        said = read_statement(lines[place].strip())
        if said is None:
            break
        if said.episode_index is None or said.episode_index <= episode_index:
            at = place + 1
    return at
