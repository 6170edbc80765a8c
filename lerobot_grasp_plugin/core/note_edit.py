"""Edits the flag and note of one episode, or the definition of success; all other lines stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.episode_notes import (
    FLAG,
    NOTE,
    SUCCESS,
    EpisodeNote,
    Statement,
    counts_for,
    one_line,
    read_statement,
)
from lerobot_grasp_plugin.core.text_edit import new_place, split_lines, with_lines

type Owner = AnnotationSection | None


def with_note(
    text: str,
    annotations: Annotations,
    sections: Sequence[AnnotationSection],
    episode_index: int,
    note: EpisodeNote,
    *,
    new_header: str,
) -> str:
    """The text with a new flag and note of one episode.

    Both go above the episode's line, or where that line would be. The episode's old flag and note are
    removed.

    Args:
        text: The annotation text.
        annotations: ``parse_editable`` of ``text``.
        sections: Those of ``annotations`` that are about the dataset.
        episode_index: LeRobot's ``episode_index``, 0-based.
        note: The new flag and note; ``NOTHING`` removes them.
        new_header: The dataset's name in a new section.

    Raises:
        ValueError: The text does not fit in a comment line.
    """
    new = [
        Statement(kind, episode_index, one_line(words)).line()
        for kind, words in ((FLAG, note.flag), (NOTE, note.note))
        if words is not None and (words.strip() or kind == FLAG)
    ]

    def replaced(owner: Owner, said: Statement) -> bool:
        return said.episode_index == episode_index and counts_for(owner, annotations, sections)

    lines = split_lines(text)
    places = _places(lines, annotations, replaced)
    if not new and not places:
        return text
    at = new_place(lines, sections, episode_index)
    for place in reversed(places):
        del lines[place]
        at = at - 1 if at is not None and place < at else at
    return with_lines(text, lines, at, new, new_header) if new else "".join(lines)


def with_definition(
    text: str,
    annotations: Annotations,
    sections: Sequence[AnnotationSection],
    definition: str | None,
    *,
    new_header: str,
) -> str:
    """The text with a new definition of success.

    One that the dataset has of its own is replaced, else the one of the whole file; a new one stands below
    the dataset's header, or at the top of a file without headers.

    Args:
        text: The annotation text.
        annotations: ``parse_editable`` of ``text``.
        sections: Those of ``annotations`` that are about the dataset.
        definition: What counts as success; None or nothing removes it.
        new_header: The dataset's name in a new section.

    Raises:
        ValueError: The text does not fit in a comment line.
    """
    words = one_line(definition or "")
    lines = split_lines(text)

    def own(owner: Owner, said: Statement) -> bool:
        return said.kind == SUCCESS and any(one is owner for one in sections)

    def everywhere(owner: Owner, said: Statement) -> bool:
        return said.kind == SUCCESS and (owner is None or owner.dataset is None)

    places = _places(lines, annotations, own) or _places(lines, annotations, everywhere)
    if places:
        at: int | None = places[0]
    elif sections:
        at = sections[0].line
    else:
        at = None if annotations.sections else 0
    for place in reversed(places):
        del lines[place]
    if not words:
        return "".join(lines)
    return with_lines(text, lines, at, [Statement(SUCCESS, None, words).line()], new_header)


def _places(
    lines: Sequence[str], annotations: Annotations, wanted: Callable[[Owner, Statement], bool]
) -> list[int]:
    """The 0-based lines of the statements that are wanted."""
    headers = {section.line: section for section in annotations.sections if section.line}
    above: Owner = next((section for section in annotations.sections if section.dataset is None), None)
    found = []
    for place, line in enumerate(lines):
        above = headers.get(place + 1, above)
        said = read_statement(line.strip())
        if said is not None and wanted(above, said):
            found.append(place)
    return found
