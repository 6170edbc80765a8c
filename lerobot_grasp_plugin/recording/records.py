"""Reads ``meta/grasp_recording.json``, and converts labels to and from text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.core.grammar_ranges import format_ranges
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.section_check import check_section
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.recording import FORMAT, RecordingSidecar, read_recording
from lerobot_grasp_plugin.findings.problem import (
    AnnotationError,
    DatasetError,
    Problem,
    UsageError,
)


def recording_of(root: Path, labels: dict[str, Any]) -> RecordingSidecar:
    """A dataset's recording sidecar to continue; a new one if it has none.

    Raises:
        DatasetError: The file is damaged.
        UsageError: Its episodes were labelled with other options.
    """
    path, sidecar = root / layout.RECORDING_PATH, read_recording(root)
    if sidecar is None:
        return RecordingSidecar.new(labels)
    if sidecar.problems:
        raise DatasetError(sidecar.problems)
    if sidecar.raw.get("format") != FORMAT or not sidecar.is_whole:
        message = f"not a recording sidecar of format {FORMAT}"
        raise DatasetError(Problem("bad-sidecar", message, path))
    if (known := sidecar.raw.get("labels")) != labels:
        said = ", ".join(f"{name}={value}" for name, value in dict(known or {}).items())
        message = f"existing episodes were labelled with {said}, but this call has other options"
        hint = "use the same --grasp options, or record another dataset"
        raise UsageError(Problem("other-labels", message, path, hint))
    return sidecar


def spelled(success: IntervalSet, length: int) -> str:
    """Success ranges as a person writes them, frames counted from 1: ``40-48, 60-``."""
    return format_ranges(success.open_at(length), 1)


def label_text(success: IntervalSet, length: int) -> str:
    """An episode's labels as text: ``success 40-48, 60-``, ``all fail``."""
    ranges = spelled(success, length)
    return ranges if ranges.startswith("all") else f"success {ranges}"


def parse_ranges(text: str, episode_index: int, length: int) -> IntervalSet:
    """Parses a person's label of one episode: ``40-48, 60-``, ``all fail``.

    Raises:
        AnnotationError: It cannot be parsed, or does not fit the episode.
    """
    parsed = parse(f"{episode_index}: {text}\n", name="ranges")
    section = parsed.annotations.sections[0]
    problems = check_section(section, {episode_index: length}, name="ranges", index_base=1)
    if problems:
        raise AnnotationError(problems)
    return section.episodes[0].success.clip(length)
