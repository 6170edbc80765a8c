"""The annotation file while somebody labels: read, changed one episode at a time, saved at once."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.grammar import ParsedAnnotations
from lerobot_grasp_plugin.core.source_text import MAX_BYTES
from lerobot_grasp_plugin.core.text_edit import parse_editable, with_ranges
from lerobot_grasp_plugin.errors import AnnotationError, Problem, UsageError
from lerobot_grasp_plugin.ops.annotation_file import AnnotationFile, checked_sections, names_dataset
from lerobot_grasp_plugin.ops.sources import Source
from lerobot_grasp_plugin.review.change import (
    Change,
    ChangedOutsideError,
    OvertakenError,
    Ranges,
    fitted,
    same,
)
from lerobot_grasp_plugin.writers.staging import sync


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
        self.asked_base = index_base
        self.follow_links = follow_links
        self.lengths = [int(length) for length in source.reader.lengths]
        self.serial = 0
        self._lock = threading.Lock()
        self._altered: dict[int, int] = {}
        self._last: dict[str, tuple[int, Exception | None]] = {}
        self._write_failed = False
        if not path.parent.is_dir():
            raise UsageError(Problem("no-folder", "the annotation file's folder does not exist", str(path)))
        self._take(self._read())
        self._first = dict(self.labels)

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

    def news(self, after: int) -> tuple[int, list[int]]:
        """What changed since a caller last asked.

        Args:
            after: The serial number of that answer; -1 for everything.

        Returns:
            The present serial number, and the episodes whose labels changed since ``after``.
        """
        with self._lock:
            if after < 0:
                return self.serial, sorted(self.labels)
            return self.serial, sorted(episode for episode, at in self._altered.items() if at > after)

    def trouble(self) -> str | None:
        """Why the file cannot be written now; None where nothing speaks against it.

        After a write that failed, a file is written on trial next to it.
        """
        target = self.path.resolve()
        if not target.parent.is_dir():
            return f"the folder {target.parent} does not exist any more"
        if target.is_dir():
            return f"{target} is a folder"
        for path in (target.parent, target):
            if path.exists() and not os.access(path, os.W_OK):
                return f"{path} is write-protected"
        if self._write_failed:
            try:
                _staged(target, self._text.encode("utf-8")).unlink()
            except OSError as error:
                return f"{target} cannot be written: {error.strerror or error}"
            self._write_failed = False
        return None

    def load(self) -> None:
        """Takes the file as it is on disk now.

        Raises:
            UsageError: It cannot be read.
            AnnotationError: It has errors, or does not fit the dataset; the old labels stay.
        """
        with self._lock:
            before = self.labels
            self._take(self._read())
            self.serial += 1
            for episode in before.keys() | self.labels.keys():
                if before.get(episode) != self.labels.get(episode):
                    self._altered[episode] = self.serial

    def apply(self, change: Change) -> None:
        """Gives an episode other success frames and saves the file.

        A change that arrives a second time has the outcome it had the first time, and one that arrives
        after a later change of its tab is passed over: a tab can ask again until it has an answer.

        Raises:
            ChangedOutsideError: The file on disk is not the one this session knows.
            OvertakenError: The episode has other labels than those the change was made on.
            ValueError: A range does not fit the episode.
            OSError: The file cannot be written; nothing changed then.
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
        self._save(episode, after)
        self.serial += 1
        self._altered[episode] = self.serial

    def _save(self, episode: int, ranges: Ranges | None) -> None:
        if trouble := self.trouble():
            raise OSError(f"not saved: {trouble}")
        if _digest(self._read()) != self.version:
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
            self._write_failed = True
            raise OSError(f"not saved: {self.path} cannot be written: {error.strerror}") from error
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


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _replace_file(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all; a link keeps pointing where it points."""
    target = path.resolve()
    staging = _staged(target, data)
    try:
        if target.exists():
            staging.chmod(target.stat().st_mode & 0o7777)
        staging.replace(target)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    sync(target.parent)


def _staged(target: Path, data: bytes) -> Path:
    """A new file next to ``target`` that holds ``data``, on disk; none is left where that fails."""
    staging = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with staging.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    return staging
