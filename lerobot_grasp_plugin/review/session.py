"""The annotation file while somebody labels: read, changed one episode at a time, saved at once."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.grammar import ParsedAnnotations
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.source_text import MAX_BYTES
from lerobot_grasp_plugin.core.text_edit import parse_editable, with_ranges
from lerobot_grasp_plugin.errors import AnnotationError, Problem, UsageError
from lerobot_grasp_plugin.ops.annotation_file import AnnotationFile, checked_sections, names_dataset
from lerobot_grasp_plugin.ops.sources import Source
from lerobot_grasp_plugin.writers.staging import sync

type Ranges = tuple[FrameInterval, ...]


class ChangedOutsideError(Exception):
    """The file is not what the page last saw."""


@dataclass(frozen=True, slots=True)
class Change:
    """One edit, so that it can be undone; None for an episode that is not listed."""

    episode: int
    before: Ranges | None
    after: Ranges | None


class Session:
    """Labels of one dataset's episodes, in step with their file.

    Args:
        source: The dataset.
        path: The annotation file; begun with the first label when it does not exist.
        index_base: As the option says, None without it.
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
        self.history: list[Change] = []
        self.asked_base = index_base
        self.follow_links = follow_links
        self._lock = threading.Lock()
        if not path.parent.is_dir():
            raise UsageError(Problem("no-folder", "the annotation file's folder does not exist", str(path)))
        self._take(self._read())
        self._first = dict(self.labels)

    @property
    def lengths(self) -> list[int]:
        """Frames of every episode."""
        return [int(length) for length in self.source.reader.lengths]

    @property
    def index_base(self) -> int:
        """The number of an episode's first frame in the file."""
        return self._annotations.index_base

    @property
    def strangers(self) -> Sequence[AnnotationSection]:
        """The sections of the file, where none is about this dataset."""
        return () if self._sections else self._annotations.sections

    def changed(self, episode: int) -> bool:
        """Whether the episode's labels are others than when the session began."""
        return self.labels.get(episode) != self._first.get(episode)

    def changed_outside(self) -> bool:
        """Whether the file on disk is not the one this session knows."""
        try:
            return _digest(self._read()) != self.version
        except (UsageError, AnnotationError):
            return True

    def load(self) -> None:
        """Takes the file as it is on disk now; what was done before cannot be undone any more.

        Raises:
            UsageError: It cannot be read.
            AnnotationError: It has errors, or does not fit the dataset; the old labels stay.
        """
        with self._lock:
            self._take(self._read())
            self.history.clear()

    def label(self, episode: int, ranges: Sequence[FrameInterval] | None, version: str) -> None:
        """Gives an episode other success frames and saves the file.

        Args:
            episode: ``episode_index``.
            ranges: 0-based half-open; empty for all failure, None for unlabelled.
            version: The version the change was made on.

        Raises:
            ChangedOutsideError: The file, or the session, is of another version.
            ValueError: A range does not fit the episode.
            OSError: The file cannot be written; nothing changed then.
        """
        length = self.lengths[episode]
        wanted: Ranges | None = None
        if ranges is not None:
            wanted = _open_ended(IntervalSet(ranges), length)
        with self._lock:
            before = self.labels.get(episode)
            if _same(before, wanted, length):
                return
            self._save(episode, wanted, version)
            self.history.append(Change(episode, before, wanted))

    def undo(self, version: str) -> int | None:
        """Takes the last change back and saves the file.

        Returns:
            The episode it was about, None when there is nothing to undo.

        Raises:
            ChangedOutsideError: The file, or the session, is of another version.
            OSError: The file cannot be written; nothing changed then.
        """
        with self._lock:
            if not self.history:
                return None
            change = self.history[-1]
            self._save(change.episode, change.before, version)
            self.history.pop()
            return change.episode

    def _save(self, episode: int, ranges: Ranges | None, version: str) -> None:
        if version != self.version or _digest(self._read()) != self.version:
            raise ChangedOutsideError
        text = with_ranges(
            self._text,
            self._annotations,
            self._sections,
            episode,
            ranges,
            new_header=self.source.repo_id,
        )
        annotations, sections = self._checked(text)
        data = text.encode("utf-8")
        try:
            _replace_file(self.path, data)
        except OSError as error:
            raise OSError(error.errno, f"not saved: {error.strerror}", str(self.path)) from error
        self._set(text, data, annotations, sections)

    def _read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(Problem("no-annotations", f"cannot be read: {reason}", str(self.path))) from None
        return data

    def _take(self, data: bytes) -> None:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            parse_editable(data.decode("utf-8", "surrogateescape"), name=str(self.path))
            raise
        self._set(text, data, *self._checked(text))

    def _checked(self, text: str) -> tuple[Annotations, list[AnnotationSection]]:
        annotations = parse_editable(
            text,
            name=str(self.path),
            index_base=self.asked_base,
            is_dataset=names_dataset(self.path.parent, [self.source]),
        )
        file = AnnotationFile(self.path, "", ParsedAnnotations(annotations, ()))
        return annotations, checked_sections(file, self.source)

    def _set(
        self, text: str, data: bytes, annotations: Annotations, sections: list[AnnotationSection]
    ) -> None:
        self._text, self._annotations, self._sections = text, annotations, sections
        self.version = _digest(data)
        self.labels: dict[int, Ranges] = {
            episode.episode_index: episode.success.intervals
            for section in sections
            for episode in section.episodes
        }


def _open_ended(success: IntervalSet, length: int) -> Ranges:
    """Ranges that fit the episode; the one that reaches its end is left open, as a person writes it."""
    if any(item.start >= length or (item.stop or 0) > length for item in success):
        raise ValueError(f"a range does not fit an episode of {length} frames")
    return tuple(FrameInterval(item.start, None) if item.stop == length else item for item in success)


def _same(one: Ranges | None, other: Ranges | None, length: int) -> bool:
    if one is None or other is None:
        return one is other
    return IntervalSet(one).clip(length) == IntervalSet(other).clip(length)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _replace_file(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all; a link keeps pointing where it points."""
    target = path.resolve()
    staging = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with staging.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            staging.chmod(target.stat().st_mode & 0o7777)
        staging.replace(target)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    sync(target.parent)
