"""``meta/grasp_recording.json``: how each episode was recorded and marked; and its annotation file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection, EpisodeAnnotation
from lerobot_grasp_plugin.core.grammar import format_text, parse
from lerobot_grasp_plugin.core.grammar_ranges import format_ranges
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.section_check import check_section
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.errors import AnnotationError, DatasetError, Problem, UsageError
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
        raise DatasetError(Problem("bad-sidecar", message, str(path)))
    if raw.get("labels") != labels:
        said = ", ".join(f"{name}={value}" for name, value in dict(raw.get("labels") or {}).items())
        message = f"the episodes that are there were labelled with {said}, and this call says otherwise"
        hint = "give the same --grasp options, or record another dataset"
        raise UsageError(Problem("other-labels", message, str(path), hint))
    return RecordingSidecar(labels, dict(raw["episodes"]))


def annotation_path(root: Path) -> Path:
    """The annotation file beside a recorded dataset."""
    return root.parent / f"{root.name}_annotations.txt"


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


class AnnotationFile:
    """The text file that says which frames of a recorded dataset are success.

    Args:
        root: The dataset's folder; the file lies beside it.
        repo_id: The dataset's name.
    """

    def __init__(self, root: Path, repo_id: str) -> None:
        self.path = annotation_path(root)
        self._names = {repo_id, repo_id.rpartition("/")[2], root.name}
        self._header = repo_id if repo_id.rpartition("/")[2] == root.name else f"./{root.name}"
        self._annotations: Annotations | None = None
        self.reload()

    def reload(self) -> None:
        """Reads the file again; a person may have changed it.

        Raises:
            AnnotationError: It cannot be understood.
        """
        if not self.path.exists():
            self._annotations = None
            return
        parsed = parse(self.path.read_bytes(), name=str(self.path), is_dataset=self._names.__contains__)
        self._annotations = parsed.annotations

    def episodes(self) -> dict[int, IntervalSet]:
        """Success frames of each episode that is listed, 0-based."""
        if self._annotations is None:
            return {}
        return {
            item.episode_index: item.success
            for section in self._annotations.sections
            if self._is_own(section)
            for item in section.episodes
        }

    def put(self, episode_index: int, success: IntervalSet, length: int) -> None:
        """Says which frames of an episode are success, and writes the file."""
        ranges = open_ended(success, length)
        old = self._annotations
        if old is None:
            section = AnnotationSection(self._header, (EpisodeAnnotation(episode_index, ranges),))
            new = Annotations((section,), 1, str(self.path))
        else:
            own = [section.dataset for section in old.sections if self._is_own(section)]
            header = own[-1] if own else self._header
            new = old.with_episode(header, episode_index, ranges)
        self._write(new)

    def keep_below(self, episodes: int) -> None:
        """Takes out the lines of episodes that are not there."""
        old = self._annotations
        if old is None or max(self.episodes(), default=-1) < episodes:
            return
        sections = tuple(
            AnnotationSection(
                section.dataset,
                tuple(
                    item
                    for item in section.episodes
                    if item.episode_index < episodes or not self._is_own(section)
                ),
                section.comment,
                section.before,
            )
            for section in old.sections
        )
        if not any(section.episodes for section in sections):
            self.path.unlink(missing_ok=True)
            self._annotations = None
            return
        self._write(Annotations(sections, old.index_base, old.name, old.after))

    def _is_own(self, section: AnnotationSection) -> bool:
        """Whether a section is about the recorded dataset; one without a header is."""
        name = (section.dataset or "").replace("\\", "/").rstrip("/").rpartition("/")[2]
        return section.dataset is None or name in self._names

    def _write(self, annotations: Annotations) -> None:
        write_whole(self.path, format_text(annotations).encode("utf-8"))
        self._annotations = annotations
