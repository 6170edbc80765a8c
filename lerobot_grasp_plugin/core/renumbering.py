"""Renumbers an annotation text after episodes of its dataset were reordered or removed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.episode_notes import counts_for, read_statement
from lerobot_grasp_plugin.core.text_edit import split_lines

_NUMBER = re.compile("[0-9]+")


def renumbered(
    text: str, annotations: Annotations, sections: Sequence[AnnotationSection], order: Sequence[int]
) -> str:
    """The text with the new episode numbers; lines of removed episodes are left out.

    Lines that follow each other are put in the order of the new numbers. Comments stay where they are; flags
    and notes go with their episode.

    Args:
        text: The annotation text.
        annotations: ``parse_editable`` of ``text``.
        sections: Those of ``annotations`` that are about the dataset.
        order: The old ``episode_index`` of each new one.
    """
    new_index = {old: new for new, old in enumerate(order)}
    owners = {section.line: section for section in annotations.sections if section.line}
    episodes = {episode.line: episode.episode_index for section in sections for episode in section.episodes}
    owner = next((section for section in annotations.sections if section.dataset is None), None)
    result: list[str] = []
    run: list[tuple[int, str]] = []

    def end_run() -> None:
        result.extend(line for _, line in sorted(run, key=lambda item: item[0]))
        run.clear()

    lines = split_lines(text)
    ending = "\r\n" if "\r\n" in text else "\n"
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += ending
    for number, line in enumerate(lines, 1):
        owner = owners.get(number, owner)
        said = read_statement(line.strip())
        if number in episodes:
            new = new_index.get(episodes[number])
            if new is not None:
                run.append((new, _NUMBER.sub(f"{new:02d}", line, count=1)))
        elif said is not None and said.episode_index is not None and counts_for(owner, annotations, sections):
            new = new_index.get(said.episode_index)
            if new is not None:
                run.append((new, replace(said, episode_index=new).line() + ending))
        else:
            end_run()
            result.append(line)
    end_run()
    return "".join(result)
