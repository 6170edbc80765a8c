"""Edits an annotation text on disk episode by episode, while other programs may edit it too."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.episode_notes import EpisodeNote, definition_of, notes_of
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.note_edit import with_definition, with_note
from lerobot_grasp_plugin.core.renumbering import renumbered
from lerobot_grasp_plugin.core.source_text import MAX_BYTES
from lerobot_grasp_plugin.core.text_edit import parse_editable, with_ranges
from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem, UsageError
from lerobot_grasp_plugin.writers import whole

type Ranges = tuple[FrameInterval, ...]
type Parse = Callable[[str], tuple[Annotations, list[AnnotationSection]]]
"""Parses a text; returns it and its sections about the dataset."""


class ChangedOutsideError(Exception):
    """The file is not what the session last read or wrote."""


class LabelText:
    """The text of an annotation file, and its labels of one dataset.

    The file is read before each write, and is not written if another program changed it since it was
    last read.

    Args:
        path: The file; the first label creates it if it does not exist.
        parse: Parses its text.
        new_header: The dataset's name in a new section.

    Attributes:
        labels: Success frames by ``episode_index``, 0-based half-open; empty for all failure.
        notes: Flag and note by ``episode_index``, of episodes that have any.
        definition: What counts as success; None if the file does not define it.
        sections: The sections about the dataset.
        annotations: Everything in the file.
        version: Hash of its bytes.

    Raises:
        UsageError: The file cannot be read.
        AnnotationError: It has errors.
    """

    def __init__(self, path: Path, parse: Parse, new_header: str) -> None:
        self.path = path
        self._parse = parse
        self._new_header = new_header
        self._write_failed = False
        self.load()

    def changed_outside(self) -> bool:
        """Whether the file on disk is not the one that was last read or written."""
        try:
            return _digest(self._read()) != self.version
        except (UsageError, AnnotationError):
            return True

    def load(self) -> None:
        """Reads the file again from disk.

        Raises:
            UsageError: It cannot be read.
            AnnotationError: It has errors; the old labels stay.
        """
        data = self._read()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            parse_editable(data.decode("utf-8", "surrogateescape"), name=str(self.path))
            raise
        self._set(text, data, *self._parse(text))

    def put(self, episode: int, ranges: Ranges | None) -> None:
        """Sets the success frames of an episode, and saves the file.

        Args:
            episode: ``episode_index``.
            ranges: 0-based half-open; empty for all failure, None to remove the episode.

        Raises:
            ChangedOutsideError: The file on disk is not the one that was last read or written.
            OSError: The file cannot be written; nothing is changed then.
        """
        self._save(with_ranges(*self._file, episode, ranges, new_header=self._new_header))

    def put_note(self, episode: int, note: EpisodeNote) -> None:
        """Sets the flag and note of an episode, and saves the file; raises as ``put`` does.

        Raises:
            AnnotationError: The text would be parsed as something else.
            ValueError: The text does not fit in one line.
        """
        self._save(with_note(*self._file, episode, note, new_header=self._new_header))

    def put_definition(self, definition: str | None) -> None:
        """Sets the definition of success, and saves the file; raises as ``put_note`` does."""
        self._save(with_definition(*self._file, definition, new_header=self._new_header))

    def renumbered(self, order: Sequence[int]) -> str:
        """The text for a dataset with its episodes in another order; nothing is saved.

        Args:
            order: The old ``episode_index`` of each new one.
        """
        return renumbered(*self._file, order)

    @property
    def _file(self) -> tuple[str, Annotations, list[AnnotationSection]]:
        return self._text, self.annotations, self.sections

    def _save(self, text: str) -> None:
        if trouble := self.trouble():
            raise OSError(f"not saved: {trouble}")
        if _digest(self._read()) != self.version:
            raise ChangedOutsideError
        annotations, sections = self._parse(text)
        data = text.encode("utf-8")
        try:
            whole.replace_file(self.path, data)
        except OSError as error:
            self._write_failed = True
            raise OSError(f"not saved: {self.path} cannot be written: {error.strerror}") from error
        self._set(text, data, annotations, sections)

    def trouble(self) -> str | None:
        """Why the file cannot be written now; None if it can.

        After a failed write, a trial file is written next to it.
        """
        target = self.path.resolve()
        if not target.parent.is_dir():
            return f"the folder {target.parent} no longer exists"
        if target.is_dir():
            return f"{target} is a folder"
        for path in (target.parent, target):
            if path.exists() and not os.access(path, os.W_OK):
                return f"{path} is write-protected"
        if self._write_failed:
            try:
                whole.staged_file(target, self._text.encode("utf-8")).unlink()
            except OSError as error:
                return f"{target} cannot be written: {error.strerror or error}"
            self._write_failed = False
        return None

    def _read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(Problem("unreadable-file", f"cannot be read: {reason}", self.path)) from None

    def _set(
        self, text: str, data: bytes, annotations: Annotations, sections: list[AnnotationSection]
    ) -> None:
        self._text, self.annotations, self.sections = text, annotations, sections
        self.version = _digest(data)
        self.notes = notes_of(annotations, sections)
        self.definition = definition_of(annotations, sections)
        self.labels: dict[int, Ranges] = {
            episode.episode_index: episode.success.intervals
            for section in sections
            for episode in section.episodes
        }


def same(one: Sequence[FrameInterval] | None, other: Sequence[FrameInterval] | None, length: int) -> bool:
    """Whether two labels name the same frames; unlabelled is not the same as all failure."""
    if one is None or other is None:
        return one is other
    return IntervalSet(one).clip(length) == IntervalSet(other).clip(length)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
