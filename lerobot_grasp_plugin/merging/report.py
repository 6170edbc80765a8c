"""The reports of merge and relabel, as values that commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.report import VerifyReport


@dataclass(frozen=True, slots=True)
class SourceReport:
    """The part of one source in the output.

    Attributes:
        repo_id: Its name.
        root: Its folder.
        codebase_version: Its format.
        episodes: Number of its episodes.
        frames: Number of their frames.
        success_frames: Rows with a success label; None if the output has no reward.
        done: How next.done was decided; None if nothing was labelled.
        timestamps_fixed: Rows whose timestamp was set to frame_index / fps.
        max_deviation_s: Largest distance of a timestamp from that.
        notes: Further remarks for the person.
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

    @classmethod
    def of(cls, planned: PlannedEpisode, success_frames: int | None = None) -> EpisodeReport:
        """The row of an episode of a plan."""
        return cls(
            planned.episode_index,
            planned.source,
            planned.source_episode,
            planned.length,
            success_frames,
            planned.from_frame,
        )


@dataclass(frozen=True, slots=True)
class MergeReport:
    """The report of merge or relabel.

    Attributes:
        repo_id: Name of the new dataset.
        root: Its folder.
        sources: In recipe order.
        episodes: The remapping table.
        video_files: Number of video files by the way they were copied.
        warnings: Findings that did not stop the run.
        verification: Of the finished dataset.
        backup: The old dataset's folder, after an in-place relabel.
        index_base: Number of the first frame of an episode in annotations.
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
