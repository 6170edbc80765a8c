"""What a comparison of two datasets found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from lerobot_grasp_plugin.core.intervals import IntervalSet

Kind = Literal[
    "same", "moved", "relabelled", "retasked", "cut", "extended", "changed", "only in A", "only in B"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order of reports."""


@dataclass(frozen=True)
class Summary:
    """One of the two datasets.

    Attributes:
        repo_id: Its name.
        root: Its folder.
        codebase_version: Its format.
        episodes: Number of episodes.
        frames: Number of frames.
    """

    repo_id: str
    root: Path
    codebase_version: str
    episodes: int
    frames: int

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {**vars(self), "root": str(self.root)}


@dataclass(frozen=True)
class Difference:
    """A difference of the datasets that belongs to no episode.

    Attributes:
        field: ``fps``, ``robot_type``, ``features``, ``tasks``, ``info`` or ``files``.
        name: Of the feature, task, key or file; empty for ``fps`` and ``robot_type``.
        a: The value in A; None if A has none. For ``tasks`` and ``files``, whether A has it.
        b: The same of B.
    """

    field: str
    name: str
    a: Any
    b: Any


@dataclass(frozen=True)
class FeatureChange:
    """A column or camera with other values.

    Attributes:
        feature: Its name.
        frames: Number of frames in which it differs.
        first: The first one, 0-based, in the episode of B.
        is_video: Whether packets were compared; the decoded images can still be equal.
    """

    feature: str
    frames: int
    first: int
    is_video: bool = False


@dataclass(frozen=True)
class EpisodeDiff:
    """An episode of A, the episode of B that stands for it, and how they differ.

    Attributes:
        kind: The most important difference; ``same`` and ``moved`` have none but the number.
        a: ``episode_index`` in A; None for ``only in B``.
        b: ``episode_index`` in B; None for ``only in A``.
        length_a: Frames in A; None for ``only in B``.
        length_b: Frames in B; None for ``only in A``.
        range: For ``cut``, the frames of A that are the episode of B; for ``extended``, the frames of B that
            are the episode of A. 0-based, half-open.
        labels: Label column -> frames in which it differs, numbered as in B.
        tasks: The tasks in A and in B, if they differ.
        features: Other columns and cameras that differ.
        timestamp: Timestamps that differ by more than LeRobot's tolerance; they decide no kind.
    """

    kind: Kind
    a: int | None
    b: int | None
    length_a: int | None
    length_b: int | None
    range: tuple[int, int] | None = None
    labels: Mapping[str, IntervalSet] = field(default_factory=dict)
    tasks: tuple[Sequence[str], Sequence[str]] | None = None
    features: Sequence[FeatureChange] = ()
    timestamp: FeatureChange | None = None

    @property
    def has_other_values(self) -> bool:
        """Whether values differ, apart from those that the kind is about."""
        return bool(self.labels or self.tasks or self.features)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values; frames are 0-based and half-open."""
        return {
            "kind": self.kind,
            "a": self.a,
            "b": self.b,
            "length_a": self.length_a,
            "length_b": self.length_b,
            "range": None if self.range is None else list(self.range),
            "labels": {name: frames.pairs() for name, frames in self.labels.items()},
            "tasks": None if self.tasks is None else [list(tasks) for tasks in self.tasks],
            "features": [vars(change) for change in self.features],
            "timestamp": None if self.timestamp is None else vars(self.timestamp),
        }


@dataclass(frozen=True)
class DiffReport:
    """Two datasets compared.

    Attributes:
        a: The first one.
        b: The second one.
        level: What was compared: ``data`` (rows) or ``video`` (rows and video packets).
        dataset: What differs besides episodes.
        episodes: By the episodes of B; those only in A last.
        not_compared: Features of both whose values cannot be compared, such as images and video.
    """

    a: Summary
    b: Summary
    level: str
    dataset: Sequence[Difference]
    episodes: Sequence[EpisodeDiff]
    not_compared: Sequence[str]

    @property
    def equal(self) -> bool:
        """Whether no difference was found."""
        plain = all(each.kind == "same" and each.timestamp is None for each in self.episodes)
        return plain and not self.dataset

    def of_kind(self, kind: Kind) -> list[EpisodeDiff]:
        """The episodes of one kind."""
        return [each for each in self.episodes if each.kind == kind]

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values; docs/edit.md describes them."""
        counts = Counter(each.kind for each in self.episodes)
        return {
            "format": 1,
            "index_base": 0,
            "equal": self.equal,
            "level": self.level,
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "dataset": [vars(difference) for difference in self.dataset],
            "not_compared": list(self.not_compared),
            "counts": {kind: counts[kind] for kind in KINDS},
            "episodes": [each.to_json() for each in self.episodes],
        }
