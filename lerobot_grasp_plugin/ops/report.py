"""What an operation did, as values; commands print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lerobot_grasp_plugin.core.choices import Level
from lerobot_grasp_plugin.findings.problem import Problem, Severity


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verification block.

    Attributes:
        name: What was checked.
        ok: Whether it is right; None where it was not checked.
        detail: A figure, or a word more.
    """

    name: str
    ok: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Whether a dataset is sound.

    Attributes:
        root: The dataset's folder.
        checks: The verification block, in order.
        problems: Everything that was found, errors first.
        level: How deep it was looked: ``meta``, ``data``, ``video`` or ``decode``.
    """

    root: Path
    checks: Sequence[Check]
    problems: Sequence[Problem]
    level: Level = "video"

    @property
    def ok(self) -> bool:
        """Whether the report has no errors; warnings and notes do not count."""
        return not self.count("error")

    def count(self, severity: Severity) -> int:
        """How many findings have a severity."""
        return sum(problem.severity == severity for problem in self.problems)

    def moved(self, root: Path) -> VerifyReport:
        """The same report of a dataset that was renamed since; commands in hints name its new folder."""
        before, after = (str(self.root), self.root.name), (str(root), root.name)

        def renamed(command: str) -> str:
            for old, new in zip(before, after, strict=True):
                command = command.replace(old, new)
            return command

        problems = [
            replace(
                problem,
                place=replace(problem.place, root=str(root)) if problem.place.root else problem.place,
                hint=renamed(problem.hint),
            )
            for problem in self.problems
        ]
        return replace(self, root=root, problems=problems)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one source gave.

    Attributes:
        repo_id: Its name.
        root: Its folder.
        codebase_version: Its format.
        episodes: How many were taken.
        frames: In these.
        success_frames: Rows with a success label; None where the output has no reward.
        done: How next.done was decided; None where nothing was labelled.
        timestamps_fixed: Rows whose timestamp was set to frame_index / fps.
        max_deviation_s: How far timestamps were from that, at most.
        notes: What else a person should know.
    """

    repo_id: str
    root: Path
    codebase_version: str
    episodes: int
    frames: int
    success_frames: int | None
    done: str | None
    timestamps_fixed: int
    max_deviation_s: float
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class EpisodeReport:
    """One row of the remapping table; indices are LeRobot's, 0-based."""

    episode_index: int
    source: int
    source_episode: int
    frames: int
    success_frames: int | None


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What merge or relabel made.

    Attributes:
        repo_id: Name of the new dataset.
        root: Its folder.
        sources: In recipe order.
        episodes: The remapping table.
        video_files: How many video files were made in which way.
        warnings: Named, harmless.
        verification: Of the finished dataset.
        backup: Where the old dataset is, after an in-place relabel.
    """

    repo_id: str
    root: Path
    sources: Sequence[SourceReport]
    episodes: Sequence[EpisodeReport]
    video_files: Mapping[str, int]
    warnings: Sequence[Problem]
    verification: VerifyReport
    backup: Path | None = None

    @property
    def frames(self) -> int:
        """Rows of the new dataset."""
        return sum(source.frames for source in self.sources)

    @property
    def success_frames(self) -> int | None:
        """Rows with a success label; None without a reward column."""
        counts = [source.success_frames for source in self.sources]
        return None if None in counts else sum(count for count in counts if count is not None)
