"""Reads flags and notes of episodes, and the definition of success, from comment lines.

    # success: the cube is held and lifted      what counts as success
    # flag 07: look again                       this episode is doubtful; the reason is optional
    # note 07: the camera was moved             a remark on this episode

Other readers of the text form treat these lines as comments, and no label depends on them. ``NN`` is
LeRobot's ``episode_index``. A line counts for the dataset of the header above it. Above every header,
``success`` counts for all datasets of the file, and ``flag`` and ``note`` count where the file has only one
section. Several lines about the same are one, with ``; `` between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection
from lerobot_grasp_plugin.core.source_text import UNPRINTABLE

SUCCESS, FLAG, NOTE = "success", "flag", "note"
_BETWEEN = "; "
_STATEMENT = re.compile(
    r"\s*#+\s*(?:(?P<definition>success)\s*:\s*(?P<what>\S.*?)"
    r"|(?P<flag>flag)\s+(?P<flagged>[0-9]{1,9})\s*(?::\s*(?P<why>.*?))?"
    r"|(?P<note>note)\s+(?P<noted>[0-9]{1,9})\s*:\s*(?P<words>\S.*?))\s*",
    re.IGNORECASE | re.DOTALL,
)

_ABOUT_AN_EPISODE = re.compile(
    r"\s*#+\s*(?P<word>[A-Za-z]+)\s*[:=]?\s*(?:(?:episodes?|ep\.?)\s*)?(?P<episode>[0-9]{1,9})\b"
    r"(?P<mark>\s*(?:[:,;&-]|and\b|$))?\s*(?P<words>.*?)\s*",
    re.IGNORECASE | re.DOTALL,
)
_NEAR_FLAG = 0.72


@dataclass(frozen=True, slots=True)
class EpisodeNote:
    """The flag and note of one episode.

    Attributes:
        flag: Why it is doubtful, empty without a reason; None when it is not flagged.
        note: A remark on it; None without one.
    """

    flag: str | None = None
    note: str | None = None


NOTHING = EpisodeNote()


@dataclass(frozen=True, slots=True)
class Statement:
    """One comment line that the grammar reads.

    Attributes:
        kind: ``success``, ``flag`` or ``note``.
        episode_index: The episode it is about, None for ``success``.
        words: What it says.
    """

    kind: str
    episode_index: int | None
    words: str

    def line(self) -> str:
        """The line, without an end."""
        about = self.kind if self.episode_index is None else f"{self.kind} {self.episode_index:02d}"
        return f"# {about}: {self.words}" if self.words else f"# {about}"


def read_statement(line: str) -> Statement | None:
    """The statement that a comment line is, None for any other line."""
    found = _STATEMENT.fullmatch(line)
    if found is None:
        return None
    if found["definition"]:
        return Statement(SUCCESS, None, found["what"])
    if found["flag"]:
        return Statement(FLAG, int(found["flagged"]), found["why"] or "")
    return Statement(NOTE, int(found["noted"]), found["words"])


def meant_flag(line: str) -> str | None:
    """The flag that a comment line was probably meant to be; None for a flag and for any other line."""
    found = _ABOUT_AN_EPISODE.fullmatch(line)
    if found is None or read_statement(line) is not None:
        return None
    word = found["word"].lower()
    is_near = SequenceMatcher(None, word, FLAG, autojunk=False).ratio() >= _NEAR_FLAG
    if word != FLAG and not (is_near and found["mark"] is not None):
        return None
    return Statement(FLAG, int(found["episode"]), found["words"]).line()


def one_line(words: str) -> str:
    """Words as a comment line holds them: with single spaces between them.

    Raises:
        ValueError: A control character is among them.
    """
    words = " ".join(words.split())
    if UNPRINTABLE.search(words):
        raise ValueError("the words have a control character")
    return words


def counts_for(
    owner: AnnotationSection | None, annotations: Annotations, sections: Sequence[AnnotationSection]
) -> bool:
    """Whether a flag or a note counts for one of the sections.

    Args:
        owner: Its section, None above every header.
        annotations: The whole file.
        sections: Those asked about.
    """
    if owner is None:
        return len(annotations.sections) == 1 and any(one is annotations.sections[0] for one in sections)
    return any(one is owner for one in sections)


def notes_of(annotations: Annotations, sections: Sequence[AnnotationSection]) -> Mapping[int, EpisodeNote]:
    """Flags and notes of episodes, by ``episode_index``.

    Args:
        annotations: The whole file.
        sections: Those that are about the dataset.
    """
    found: dict[int, dict[str, list[str]]] = {}
    for owner, said in _statements(annotations):
        if said.episode_index is not None and counts_for(owner, annotations, sections):
            found.setdefault(said.episode_index, {}).setdefault(said.kind, []).append(said.words)
    return {
        episode: EpisodeNote(_joined(words.get(FLAG)), _joined(words.get(NOTE)))
        for episode, words in sorted(found.items())
    }


def definition_of(annotations: Annotations, sections: Sequence[AnnotationSection]) -> str | None:
    """What counts as success in the sections of a dataset, else in the whole file; None without one."""
    own, everywhere = [], []
    for owner, said in _statements(annotations):
        if said.kind != SUCCESS:
            continue
        if owner is None or owner.dataset is None:
            everywhere.append(said.words)
        elif any(one is owner for one in sections):
            own.append(said.words)
    return _joined(own) or _joined(everywhere)


def _statements(annotations: Annotations) -> Iterator[tuple[AnnotationSection | None, Statement]]:
    for owner, lines in _remarks(annotations):
        for line in lines:
            if said := read_statement(line):
                yield owner, said


def _remarks(annotations: Annotations) -> Iterator[tuple[AnnotationSection | None, Iterable[str]]]:
    """Comment lines in their order, each block with its section."""
    above = None
    for section in annotations.sections:
        yield above, section.before
        above = section
        for episode in section.episodes:
            yield section, episode.before
    yield above, annotations.after


def _joined(words: Sequence[str] | None) -> str | None:
    return None if not words else _BETWEEN.join(dict.fromkeys(word for word in words if word))
