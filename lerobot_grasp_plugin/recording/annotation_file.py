"""Writes the annotation file of a dataset during recording; a person may edit it at any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.grammar_ranges import format_ranges
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.text_edit import parse_editable
from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.findings.words import episodes_text
from lerobot_grasp_plugin.merging.label_text import ChangedOutsideError, LabelText, Ranges, same

Ask = Callable[[str], str | None]

QUESTION = "[Enter] keep the file's label, w write this session's label > "


def annotation_path(root: Path) -> Path:
    """The annotation file next to a recorded dataset."""
    return root.parent / f"{root.name}_annotations.txt"


class AnnotationFile:
    """The text file with the success frames of a recorded dataset.

    It is read before each write; edits from outside stay, and the person decides where both the file and
    the session have new labels for one episode. Without an answer the file keeps its label. Labels that
    cannot be written now are written with the next ones.

    Args:
        root: The dataset's folder; the file is next to it.
        repo_id: The dataset's name.
        say: Shows a line to the person.

    Attributes:
        ask: Asks the person; None when nobody can answer.

    Raises:
        AnnotationError: The file has errors.
    """

    def __init__(self, root: Path, repo_id: str, say: Callable[[str], None]) -> None:
        self.path = annotation_path(root)
        self.ask: Ask | None = None
        self._say = say
        self._names = {repo_id, repo_id.rpartition("/")[2], root.name}
        self._header = repo_id if repo_id.rpartition("/")[2] == root.name else f"./{root.name}"
        self._unwritten: dict[int, tuple[Ranges | None, int]] = {}
        self._text = LabelText(self.path, self._parsed, self._header)
        self._known = dict(self._text.labels)
        self._own: set[int] = set()  # labels that this session has written

    def episodes(self) -> dict[int, IntervalSet]:
        """Success frames of each episode that the file lists, 0-based, as it was last read or written."""
        return {episode: IntervalSet(ranges) for episode, ranges in self._text.labels.items()}

    def put(self, episode: int, success: IntervalSet, length: int) -> bool:
        """Sets the success frames of an episode.

        Args:
            episode: ``episode_index``.
            success: 0-based success frames.
            length: Frames of the episode.

        Returns:
            Whether the file has this label now.
        """
        ranges = success.open_at(length)
        self._unwritten[episode] = (ranges, length)
        self.write()
        return episode not in self._unwritten and same(self._text.labels.get(episode), ranges, length)

    def keep_below(self, episodes: int) -> None:
        """Removes the lines of episodes that do not exist, and reports them."""
        for episode in sorted({*self._text.labels, *self._unwritten}):
            if episode >= episodes:
                self._unwritten[episode] = (None, 0)
        self.write()

    def renumbered(self, order: Sequence[int]) -> str:
        """The file's current text, for a dataset with its episodes in another order.

        Args:
            order: The old ``episode_index`` of each new one.

        Raises:
            AnnotationError: The file has errors.
        """
        self._text.load()
        return self._text.renumbered(order)

    def write(self) -> None:
        """Writes pending labels; those that cannot be written stay pending."""
        while self._unwritten:
            try:
                self._merge()
            except ChangedOutsideError:
                continue
            except (GraspError, OSError) as error:
                waiting = episodes_text(self._unwritten)
                self._say(f"{error}\nThe labels of {waiting} are in the dataset, but not yet in {self.path}.")
            return

    def _merge(self) -> None:
        self._text.load()
        if not self.path.exists():
            self._restore()
        foreign = {
            episode
            for episode in {*self._known, *self._text.labels} - self._unwritten.keys()
            if self._known.get(episode) != self._text.labels.get(episode)
        }
        if foreign:
            self._say(f"{self.path.name} was edited: it has new labels for {episodes_text(foreign)}.")
        known = self._known
        self._known = {key: ranges for key, ranges in self._text.labels.items() if key not in self._unwritten}
        self._known |= {key: ranges for key, ranges in known.items() if key in self._unwritten}
        for episode, (ranges, length) in sorted(self._unwritten.items()):
            self._settle(episode, ranges, length)

    def _restore(self) -> None:
        """Marks the labels of a deleted file as pending."""
        lost = {episode: (ranges, 0) for episode, ranges in self._known.items()}
        if lost:
            self._say(
                f"{self.path} was deleted; it is written again, with the labels of {episodes_text(lost)}."
            )
        self._unwritten = {**lost, **self._unwritten}

    def _settle(self, episode: int, ranges: Ranges | None, length: int) -> None:
        """Writes one label, or keeps an edit of the file."""
        theirs = self._text.labels.get(episode)
        edited = theirs is not None and theirs != self._known.get(episode)
        if ranges is None:
            if theirs is not None and (edited or episode not in self._own):
                said = self._spelled(theirs)
                self._say(f"{self.path.name}: `{episode:02d}: {said}` is removed with its episode.")
            if theirs is not None:
                self._text.put(episode, None)
                self._drop_empty()
        elif not same(theirs, ranges, length) and not (edited and self._keeps(episode, theirs, ranges)):
            self._text.put(episode, ranges)
            self._own.add(episode)
        del self._unwritten[episode]
        self._known.pop(episode, None)
        if episode in self._text.labels:
            self._known[episode] = self._text.labels[episode]

    def _keeps(self, episode: int, theirs: Ranges | None, ours: Ranges) -> bool:
        """Whether the file keeps an edited label of an episode."""
        self._say(
            f"{self.path.name} was edited: it says `{episode:02d}: {self._spelled(theirs)}`, this session "
            f"`{episode:02d}: {self._spelled(ours)}`."
        )
        answer = None if self.ask is None else self.ask(QUESTION)
        writes = answer is not None and answer.lower() == "w"
        self._say("This session's label is written." if writes else "The file keeps its label.")
        return not writes

    def _spelled(self, ranges: Ranges | None) -> str:
        return format_ranges(ranges or (), self._text.annotations.index_base)

    def _drop_empty(self) -> None:
        """Removes a file that contains only the header of a dataset without episodes."""
        if self.path.read_text(encoding="utf-8").strip() == f"# dataset path: {self._header}":
            self.path.unlink()
            self._text.load()

    def _parsed(self, text: str) -> tuple[Annotations, list[AnnotationSection]]:
        annotations = parse_editable(text, name=str(self.path), is_dataset=self._names.__contains__)
        return annotations, [section for section in annotations.sections if self._is_own(section)]

    def _is_own(self, section: AnnotationSection) -> bool:
        """Whether a section is about the recorded dataset; one without a header is."""
        name = (section.dataset or "").replace("\\", "/").rstrip("/").rpartition("/")[2]
        return section.dataset is None or name in self._names
