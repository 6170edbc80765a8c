"""``meta/grasp_recording.json``: how each episode was recorded and marked; and labels in words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.core.grammar_ranges import format_ranges
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.section_check import check_section
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.findings.problem import (
    AnnotationError,
    DatasetError,
    Problem,
    UsageError,
)
from lerobot_grasp_plugin.writers.whole import write_whole

RECORDING_PATH: Final = layout.RECORDING_PATH
FORMAT: Final = 1


@dataclass
class RecordingSidecar:
    """What is known about the episodes of a dataset from their recording.

    Attributes:
        labels: How marks became labels: alignment, done, success_value, failure_value, next_success.
        episodes: One entry an episode, by ``episode_index`` as text.
    """

    labels: dict[str, Any]
    episodes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, root: Path) -> None:
        """Writes the file, whole or not at all."""
        raw = {"format": FORMAT, "index_base": 0, "labels": self.labels, "episodes": self.episodes}
        write_whole(root / RECORDING_PATH, (json.dumps(raw, indent=2) + "\n").encode("utf-8"))


def read_recording(root: Path, labels: dict[str, Any]) -> RecordingSidecar:
    """A dataset's recording sidecar; a new one where there is none.

    Raises:
        DatasetError: The file is damaged.
        UsageError: Its episodes were labelled in another way.
    """
    path = root / RECORDING_PATH
    if not path.exists():
        return RecordingSidecar(labels)
    raw = read_json(path)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT or not isinstance(raw.get("episodes"), dict):
        message = f"it is no recording sidecar of format {FORMAT}"
        raise DatasetError(Problem("bad-sidecar", message, path))
    if raw.get("labels") != labels:
        said = ", ".join(f"{name}={value}" for name, value in dict(raw.get("labels") or {}).items())
        message = f"the episodes that are there were labelled with {said}, and this call says otherwise"
        hint = "give the same --grasp options, or record another dataset"
        raise UsageError(Problem("other-labels", message, path, hint))
    return RecordingSidecar(labels, dict(raw["episodes"]))


def open_ended(success: IntervalSet, length: int) -> tuple[FrameInterval, ...]:
    """Ranges with an open end where they reach the episode's last frame."""
    return tuple(
        FrameInterval(item.start, None) if item.stop == length else item for item in success.clip(length)
    )


def spelled(success: IntervalSet, length: int) -> str:
    """Success ranges as a person writes them, frames counted from 1: ``40-48, 60-``."""
    return format_ranges(open_ended(success, length), 1)


def told(success: IntervalSet, length: int) -> str:
    """An episode's labels in a sentence: ``success 40-48, 60-``, ``all fail``."""
    ranges = spelled(success, length)
    return ranges if ranges.startswith("all") else f"success {ranges}"


def parse_ranges(text: str, episode_index: int, length: int) -> IntervalSet:
    """Reads what a person says about one episode: ``40-48, 60-``, ``all fail``.

    Raises:
        AnnotationError: It cannot be understood, or does not fit the episode.
    """
    parsed = parse(f"{episode_index}: {text}\n", name="ranges")
    section = parsed.annotations.sections[0]
    problems = check_section(section, {episode_index: length}, name="ranges", index_base=1)
    if problems:
        raise AnnotationError(problems)
    return section.episodes[0].success.clip(length)
