"""Labeler ``file``: proposes the ranges of another annotation file, such as a colleague's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem, UsageError
from lerobot_grasp_plugin.labelers.labeler import Episode, LabelerConfig, Proposal

if TYPE_CHECKING:
    from lerobot_grasp_plugin.core.intervals import IntervalSet
    from lerobot_grasp_plugin.labelers.draft_record import DraftEntry
    from lerobot_grasp_plugin.merging.sources import Source


@LabelerConfig.register_subclass("file")
@dataclass
class FileLabelerConfig(LabelerConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Proposes the ranges of another annotation file."""

    # the annotation file, of any form
    path: Path | None = None
    # index base of a file that does not state one: 0 or 1
    index_base: int | None = None

    @property
    def has_curve(self) -> bool:
        from lerobot_grasp_plugin.labelers.draft_record import record_path

        return self.path is not None and record_path(self.path.expanduser()).is_file()

    def make(self, source: Source) -> FileLabeler:
        """The labeler.

        Raises:
            UsageError: No file is given, or it cannot be read.
            AnnotationError: It has errors, or does not label the dataset.
            DataError: The file next to the draft cannot be read.
        """
        from lerobot_grasp_plugin.labelers.draft_record import read_draft_record

        if self.path is None:
            hint = "give --labeler.path FILE"
            raise UsageError(Problem("no-annotations", "--labeler.path is missing", hint=hint))
        path = self.path.expanduser()
        return FileLabeler(path.name, read_success(path, self.index_base, source), read_draft_record(path))


class FileLabeler:
    """Proposes a file's labels; for a draft, with the reasons and curves of its labeler.

    Args:
        name: The file's.
        success: Success frames by ``episode_index``.
        record: The records next to a draft, by ``episode_index``.
    """

    def __init__(
        self, name: str, success: Mapping[int, IntervalSet], record: Mapping[int, DraftEntry]
    ) -> None:
        self._name, self._success, self._record = name, success, record

    def propose(self, episode: Episode) -> Proposal:
        success, kept = self._success.get(episode.index), self._record.get(episode.index)
        reason = f"as in {self._name}" if success is not None else f"{self._name} does not list the episode"
        if kept is None:
            return Proposal(success, reason)
        curve = kept.curve if kept.curve is not None and len(kept.curve) == episode.length else None
        return Proposal(success, kept.reason or reason, kept.confidence, curve)


def read_success(path: Path, index_base: int | None, source: Source) -> dict[int, IntervalSet]:
    """The labels of a dataset in an annotation file: success frames by ``episode_index``.

    Raises:
        UsageError: The file cannot be read.
        AnnotationError: It has errors, labels that match no episode, or no section for the dataset.
    """
    from lerobot_grasp_plugin.merging.annotation_file import checked_sections, contents, read_annotations

    file = read_annotations(path, index_base, [source])
    sections = checked_sections(file, source)
    if not sections:
        message = f"no section labels {source.repo_id} ({contents(file.annotations.sections)})"
        hint = f"write `# dataset path: {source.reader.root}` above its episodes"
        raise AnnotationError(Problem("no-section", message, path, hint))
    return {each.episode_index: each.success for section in sections for each in section.episodes}
