"""The annotation file during labelling: read, changed one episode at a time, saved at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.episode_notes import NOTHING, EpisodeNote
from lerobot_grasp_plugin.core.grammar import ParsedAnnotations
from lerobot_grasp_plugin.core.text_edit import parse_editable
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.annotation_file import AnnotationFile, checked_sections, names_dataset
from lerobot_grasp_plugin.merging.label_text import LabelText, Ranges, same
from lerobot_grasp_plugin.merging.sources import Source
from lerobot_grasp_plugin.review.change import Change, OvertakenError, fitted


class Session:
    """Labels of one dataset's episodes, in step with their file.

    Args:
        source: The dataset.
        path: The annotation file; the first label creates it if it does not exist.
        index_base: Value of the option, None without it.
        follow_links: Whether links of the dataset may lead outside it.

    Raises:
        UsageError: The file cannot be read, or its folder does not exist.
        AnnotationError: The file has errors, or does not fit the dataset.
    """

    def __init__(
        self, source: Source, path: Path, index_base: int | None, *, follow_links: bool = False
    ) -> None:
        self.source = source
        self.path = path
        self.asked_base = index_base
        self.follow_links = follow_links
        self.lengths = [int(length) for length in source.reader.lengths]
        self.serial = 0
        self._lock = threading.Lock()
        self._altered: dict[int, int] = {}
        self._last: dict[str, tuple[int, Exception | None]] = {}
        if not path.parent.is_dir():
            raise UsageError(Problem("no-folder", "the annotation file's folder does not exist", path))
        self._text = LabelText(path, self._parsed, source.repo_id)
        self._first = dict(self.labels)

    @property
    def labels(self) -> dict[int, Ranges]:
        """Success frames by ``episode_index``, 0-based half-open; empty for all failure."""
        return self._text.labels

    @property
    def notes(self) -> Mapping[int, EpisodeNote]:
        """Flag and note by ``episode_index``, of episodes that have any."""
        return self._text.notes

    @property
    def definition(self) -> str | None:
        """What counts as success; None if the file does not define it."""
        return self._text.definition

    @property
    def version(self) -> str:
        """Hash of the file this session knows."""
        return self._text.version

    @property
    def index_base(self) -> int:
        """The number of an episode's first frame in the file."""
        return self._text.annotations.index_base

    @property
    def strangers(self) -> Sequence[AnnotationSection]:
        """The sections of the file, if none is about this dataset."""
        return () if self._text.sections else self._text.annotations.sections

    def changed(self, episode: int) -> bool:
        """Whether the episode's labels changed since the session began."""
        return self.labels.get(episode) != self._first.get(episode)

    def changed_outside(self) -> bool:
        """Whether the file on disk differs from the one this session knows."""
        return self._text.changed_outside()

    def news(self, after: int) -> tuple[int, list[int]]:
        """The changes since a caller's last request.

        Args:
            after: The serial number of the last answer; -1 for everything.

        Returns:
            The current serial number, and the episodes whose labels changed since ``after``.
        """
        with self._lock:
            if after < 0:
                return self.serial, sorted(self.labels)
            return self.serial, sorted(episode for episode, at in self._altered.items() if at > after)

    def trouble(self) -> str | None:
        """Why the file cannot be written now; None if it can."""
        return self._text.trouble()

    def load(self) -> None:
        """Reloads the file from disk.

        Raises:
            UsageError: It cannot be read.
            AnnotationError: It has errors, or does not fit the dataset; the old labels stay.
        """
        with self._lock:
            before = self.labels
            self._text.load()
            self.serial += 1
            for episode in before.keys() | self.labels.keys():
                if before.get(episode) != self.labels.get(episode):
                    self._altered[episode] = self.serial

    def apply(self, change: Change) -> None:
        """Sets the success frames of an episode and saves the file.

        A change that arrives a second time has the same result as the first time, and one that arrives
        after a later change of its tab is ignored: a tab can ask again until it has an answer.

        Raises:
            ChangedOutsideError: The file on disk differs from the one this session knows.
            OvertakenError: The episode's labels differ from those that the change is based on.
            ValueError: A range does not fit the episode.
            OSError: The file cannot be written; nothing is changed then.
        """
        with self._lock:
            number, outcome = self._last.get(change.tab, (0, None))
            if change.number < number:
                return
            if change.number > number:
                try:
                    self._apply(change)
                    outcome = None
                except Exception as error:
                    outcome = error
                self._last[change.tab] = (change.number, outcome)
            if outcome is not None:
                raise outcome.with_traceback(None)

    def _apply(self, change: Change) -> None:
        episode, length = change.episode, self.lengths[change.episode]
        after = fitted(change.after, length)
        if not same(self.labels.get(episode), change.before, length):
            raise OvertakenError
        if same(self.labels.get(episode), after, length):
            return
        self._text.put(episode, after)
        self.serial += 1
        self._altered[episode] = self.serial

    def write_note(self, episode: int, before: EpisodeNote, after: EpisodeNote) -> None:
        """Sets the flag and note of an episode and saves the file.

        Raises:
            ChangedOutsideError: The file on disk differs from the one this session knows.
            OvertakenError: The episode has another flag or note than ``before``.
            AnnotationError: The text would be parsed as something else.
            ValueError: The text does not fit in one line.
            OSError: The file cannot be written; nothing is changed then.
        """
        with self._lock:
            known = self.notes.get(episode, NOTHING)
            if known == after:  # sent again, because the answer was lost
                return
            if known != before:
                raise OvertakenError
            self._text.put_note(episode, after)
            self.serial += 1

    def write_definition(self, before: str | None, after: str | None) -> None:
        """Sets the definition of success and saves the file; raises as ``write_note`` does."""
        with self._lock:
            if self.definition == after:  # sent again, because the answer was lost
                return
            if self.definition != before:
                raise OvertakenError
            self._text.put_definition(after)
            self.serial += 1

    def _parsed(self, text: str) -> tuple[Annotations, list[AnnotationSection]]:
        annotations = parse_editable(
            text,
            name=str(self.path),
            index_base=self.asked_base,
            is_dataset=names_dataset(self.path.parent, [self.source]),
        )
        file = AnnotationFile(self.path, "", ParsedAnnotations(annotations, ()))
        return annotations, checked_sections(file, self.source)
