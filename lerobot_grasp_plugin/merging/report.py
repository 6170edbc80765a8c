"""What a merge or a relabelling did, as values; commands print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.report import VerifyReport


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
    """One row of the remapping table; indices are LeRobot's, 0-based.

    ``from_frame`` is the first frame of a part of the source episode; None for a whole episode.
    """

    episode_index: int
    source: int
    source_episode: int
    frames: int
    success_frames: int | None
    from_frame: int | None = None


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
        index_base: What the person calls the first frame of an episode.
    """

    repo_id: str
    root: Path
    sources: Sequence[SourceReport]
    episodes: Sequence[EpisodeReport]
    video_files: Mapping[str, int]
    warnings: Sequence[Problem]
    verification: VerifyReport
    backup: Path | None = None
    index_base: int = 1

    @property
    def frames(self) -> int:
        """Rows of the new dataset."""
        return sum(source.frames for source in self.sources)

    @property
    def success_frames(self) -> int | None:
        """Rows with a success label; None without a reward column."""
        counts = [source.success_frames for source in self.sources]
        return None if None in counts else sum(count for count in counts if count is not None)
