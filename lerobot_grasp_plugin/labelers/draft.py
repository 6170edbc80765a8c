"""Writes proposals as an annotation file: a draft for a person to review."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lerobot_grasp_plugin.core.annotations import (
    Annotations,
    AnnotationSection,
    EpisodeAnnotation,
    dataset_fault,
)
from lerobot_grasp_plugin.core.grammar import format_text, parse_partly
from lerobot_grasp_plugin.core.source_text import UNPRINTABLE
from lerobot_grasp_plugin.findings.problem import DataError, Problem, UsageError
from lerobot_grasp_plugin.findings.words import short
from lerobot_grasp_plugin.labelers.draft_record import record_path
from lerobot_grasp_plugin.labelers.labeler import Proposal
from lerobot_grasp_plugin.writers.whole import write_whole

_LONGEST, _SHOWN = 300, 3


def draft_text(
    proposals: Mapping[int, Proposal], lengths: Mapping[int, int], *, dataset: str, origin: str
) -> str:
    """The draft in the text form: frames count from 1, confidence and reason are in comment lines.

    A range that reaches the last frame is written with an open end (``34-``). An episode without a proposal
    is not annotated; a comment says why.

    Args:
        proposals: By ``episode_index``, ascending.
        lengths: Frames of each of these episodes.
        dataset: For the section header, a path or a repo_id; one that a header cannot hold is left out.
        origin: The labeler and its settings, on one line.

    Raises:
        DataError: There is no proposal for any episode.
    """
    named = None if dataset_fault(dataset) else dataset
    opening = [
        _remark("A draft by the labeler", origin),
        "# Look through it before you use it; frames count from one, both ends inclusive.",
    ]
    episodes: list[EpisodeAnnotation] = []
    remarks = [] if named else opening
    for index, proposal in proposals.items():
        if proposal.success is None:
            remarks.append(_remark(f"no proposal for episode {index}", proposal.reason))
            continue
        if confidence := "" if proposal.confidence is None else f"confidence {proposal.confidence:.2f}":
            remarks.append(_remark(confidence, proposal.reason))
        elif proposal.reason:
            remarks.append(_remark("reason", proposal.reason))
        ranges = proposal.success.open_at(lengths[index])
        episodes.append(EpisodeAnnotation(index, ranges, before=tuple(remarks)))
        remarks = []
    if not episodes:
        reasons = list(dict.fromkeys(proposal.reason for proposal in proposals.values()))
        message = f"the labeler has no proposal for any episode: {'; '.join(reasons[:_SHOWN])}"
        raise DataError(Problem("no-proposal", message, dataset))
    section = AnnotationSection(named, tuple(episodes), before=tuple(opening) if named else ())
    return format_text(Annotations((section,), 1, "draft", after=tuple(remarks)))


def write_draft(path: Path, text: str, record: str | None = None) -> None:
    """Writes a draft to a new file, completely or not at all.

    Args:
        path: The file.
        text: The draft.
        record: The content of the file next to it; None for none.

    Raises:
        UsageError: One of the files exists.
    """
    refuse_existing_draft(path)
    if record is not None:
        write_whole(record_path(path), record.encode("utf-8"))
    write_whole(path, text.encode("utf-8"))


def refuse_existing_draft(draft: Path) -> None:
    """Refuses the path of a draft if it, or the file next to it, exists.

    Raises:
        UsageError: One of the files exists.
    """
    hint = "give another --output_path; existing files are never overwritten"
    found = [path for path in (draft, record_path(draft)) if path.exists() or path.is_symlink()]
    if found:
        problems = [Problem("target-exists", "the file already exists", path, hint) for path in found]
        raise UsageError(problems)


def _remark(about: str, words: str) -> str:
    """A comment line; text that the grammar would read as something else is left out."""
    words = _words(words)
    line = f"# {about}: {words}" if words else f"# {about}"
    parsed = parse_partly(f"{line}\n00: all fail\n", name="draft")
    sections = parsed.annotations.sections
    is_remark = not parsed.errors and not parsed.warnings and [each.dataset for each in sections] == [None]
    return line if is_remark else f"# {about} (the text is not valid in a comment)"


def _words(words: str) -> str:
    return short(" ".join(UNPRINTABLE.sub(" ", words).split()), _LONGEST)
