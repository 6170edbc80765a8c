"""Comment lines of an annotation file: section headers, statements of the index base, remarks.

A comment is a section header when it begins with ``dataset path:``, ``dataset:`` or ``repo_id:``,
when it is a path or one word with a slash, or when it is one word that names a dataset the caller
knows. A comment that looks like a misspelt header, or states another index base than the file's, is
an error with a hint. ``said_counting.py`` checks what remarks say about the counting.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher

from lerobot_grasp_plugin.core.annotations import IndexBase, dataset_fault
from lerobot_grasp_plugin.core.episode_notes import meant_flag
from lerobot_grasp_plugin.core.said_counting import INDEX_BASE, base_contradiction, check_said_counting
from lerobot_grasp_plugin.core.source_text import Findings, Span

type IsDataset = Callable[[str], bool]
"""Whether one word, as it stands alone in a comment, names a dataset."""

_KEYWORD = re.compile(r"(?:dataset(?:[\s_-]+path)?|repo[\s_-]?id)\s*[:=]\s*", re.IGNORECASE)
_PATH = re.compile(r"/[^\s/]|~[^\s/]*(?:/|$)|\.\.?/|[A-Za-z]:[\\/]")
_SLASHED = re.compile(r"(?=.*[A-Za-z])[^\s/\\:]+(?:[/\\][^\s/\\:]+)+[/\\]?")

_KEY_VALUE = re.compile(r"([A-Za-z]+(?:[\s_-]+[A-Za-z]+)?)\s*[:=]\s*(\S.*)")
_KEY_WORD = re.compile(r"([A-Za-z]+(?:[\s_-]+[A-Za-z]+)?)\s+(\S+)")
_HEADER_KEYS = ("datasetpath", "dataset", "repoid")
_OTHER_KEYS = {"path", "datapath", "root", "folder", "dir", "directory", "source"}
_OTHER_KEYS |= {"repo", "repository"}
_DATASET_KEYS = {f"dataset{word}" for word in ("root", "name", "id", "dir", "folder", "directory", "repo")}
_NEAR = 0.83
_FRAMED = re.compile(r"[=*<\[({\"'`|-]+\s*(\S.*?)\s*[=*>\])}\"'`|-]+")
_NAME = re.compile(r"(\S+?)\s*(?::|\s\(.*\))?")

_BASE_KEY = re.compile(
    r"(?P<key>[A-Za-z]+(?:[\s_-]+(?!is\b)[A-Za-z]+)?)(?P<mark>\s*[:=]|\s+is|[\s_-])"
    r"\s*(?P<value>[0-9]+|zero|one)\s*\.?",
    re.IGNORECASE,
)
_BASE_KEYS = {"base", "index", "indexing", "framebase", "baseindex", "indexstart", "indexfrom", "indexorigin"}
_BASE_KEYS |= {"startindex", "firstindex", "frameindex", "indexed"}

BASE_HINT = "put `# index_base: 0` on a line of its own before the first episode"


def no_dataset(word: str) -> bool:
    """The ``IsDataset`` of a caller without known datasets."""
    del word
    return False


@dataclass(frozen=True, slots=True)
class Header:
    """A section header: the dataset it names, and its comment."""

    dataset: str
    comment: str | None


def read_header(line: str, is_dataset: IsDataset = no_dataset) -> Header | None:
    """The header in a comment line, None for another comment.

    The dataset is empty after a keyword alone (``# dataset path:``).
    """
    body = _body(line)
    keyword = _KEYWORD.match(body)
    value, comment = _split(body[keyword.end() :] if keyword else body)
    if keyword or _PATH.match(value) or _SLASHED.fullmatch(value):
        return Header(value, comment)
    if value and not re.search(r"\s", value) and not value.startswith("#") and is_dataset(value):
        return Header(value, comment)
    return None


def says_dataset(line: str) -> bool:
    """Whether a comment line says with a keyword that it is a section header."""
    return _KEYWORD.match(_body(line)) is not None


def is_one_path(line: str) -> bool:
    """Whether a header line without a keyword is a path without spaces, which nothing else can be."""
    value, _ = _split(_body(line))
    return _PATH.match(value) is not None and not re.search(r"\s", value)


def meant_header(line: str, is_dataset: IsDataset = no_dataset) -> str | None:
    """The header line that a comment was probably meant to be; None for another comment."""
    value, _ = _split(_body(line))
    if framed := _FRAMED.fullmatch(value):  # === so101_v1 ===
        value = framed.group(1)
        if keyword := _KEYWORD.match(value):
            return f"# dataset path: {value[keyword.end() :]}"
    if (name := _NAME.fullmatch(value)) and is_dataset(name.group(1)):
        return f"# dataset path: {name.group(1)}"
    if found := _KEY_VALUE.fullmatch(value):
        key, value = _joined(found.group(1)), found.group(2)
        is_word = not re.search(r"\s", value)
        is_path = bool(_PATH.match(value) or _SLASHED.fullmatch(value))
        is_meant = (
            (is_path and key in _OTHER_KEYS)
            or (is_word and key in _DATASET_KEYS)
            or (_is_near(key, _HEADER_KEYS) and not value.isdigit() and (is_word or key != "datasets"))
        )
    elif found := _KEY_WORD.fullmatch(value):
        key, value = _joined(found.group(1)), found.group(2)
        names = re.search(r"[/\\_~]" if key == "dataset" else r"[/\\_~0-9]", value)
        is_meant = names is not None and _is_near(key, _HEADER_KEYS)
    else:
        return None
    return f"# dataset path: {value}" if is_meant else None


def read_index_base(line: str) -> str | None:
    """The index base that a comment line states, valid or not; None for another comment."""
    match = INDEX_BASE.match(_body(line))
    return match.group(1).partition("#")[0].strip() if match else None


class Comments:
    """The contents of a file's comment lines, in the text and the CSV form.

    Args:
        index_base: From the caller; None when the file must state it.
        findings: Collects errors.
        is_dataset: Which single words are headers.

    Attributes:
        stated: The index base that the file states.
        base_line: 0-based line and spelling of the line that states it.
    """

    def __init__(self, index_base: IndexBase | None, findings: Findings, is_dataset: IsDataset) -> None:
        self.asked = index_base
        self.findings = findings
        self.is_dataset = is_dataset
        self.stated: IndexBase | None = None
        self.base_line: tuple[int, str] | None = None
        self._seen: list[tuple[str, Span, bool]] = []

    @property
    def base(self) -> IndexBase | None:
        """The index base of the file or the caller; None without either."""
        return self.asked if self.stated is None else self.stated

    def read(self, line: str, place: Span, *, begun: bool) -> Header | str | None:
        """Read one comment line.

        Args:
            line: The line.
            place: Its place, without the spaces around it.
            begun: Whether an episode comes before it.

        Returns:
            The header, the text of a remark, or None for a statement of the index base.
        """
        stated = read_index_base(line)
        if stated is not None:
            self._state_base(stated, place, line.rstrip(), begun=begun)
            return None
        header = read_header(line, self.is_dataset)
        if header is None:
            meant = meant_header(line, self.is_dataset)
            if meant is None:
                self._check_flag(line, place)
                self.note(line, place, is_line=True)
                return line.rstrip()
            message = f"this looks like a misspelt header: did you mean `{meant}`?"
            self.findings.error("header-doubtful", message, place, "write that, or reword the remark")
            return Header(f"(unnamed, line {place.line})", None)
        if fault := dataset_fault(header.dataset):
            hint = "expected a path, a repo_id or a name"
            self.findings.error("missing-dataset", f"the dataset of this header {fault}", place, hint)
            header = Header(f"(unnamed, line {place.line})", header.comment)
        if header.comment:
            self.note(header.comment, place)
            if INDEX_BASE.match(header.comment):
                message = "the index base is stated on the line of a dataset"
                self.findings.error("index-base-misplaced", message, place, BASE_HINT)
        return header

    def note(self, comment: str, place: Span, *, is_line: bool = False) -> None:
        """Keep a comment, so that ``check`` can compare it with the index base."""
        self._seen.append((comment, place, is_line))

    def check(self) -> None:
        """Report every comment that mentions another way of counting than the one used."""
        base: IndexBase = 1 if self.base is None else self.base
        for comment, place, is_line in self._seen:
            text = _body(comment)
            if not is_line or not _check_base_key(text, base, place, self.findings):
                check_said_counting(text, base, place, self.findings, is_stated=self.base is not None)

    def _check_flag(self, line: str, place: Span) -> None:
        if meant := meant_flag(line):
            message = f"this looks like a misspelt flag: did you mean `{meant}`?"
            hint = "write that, one line per episode, or reword the remark"
            self.findings.error("flag-doubtful", message, place, hint)

    def _state_base(self, stated: str, place: Span, line: str, *, begun: bool) -> None:
        if stated not in ("0", "1"):
            _unknown_base(stated, place, self.findings)
        elif begun:
            hint = "put it on a line of its own before the first episode, for the whole file"
            self.findings.error(
                "index-base-misplaced", "the index base is stated after the first episode", place, hint
            )
        elif self.base_line is not None:
            message = "the index base is stated twice"
            self.findings.error("index-base-twice", message, place, "remove one of the two")
        else:
            self.stated = 0 if stated == "0" else 1
            self.base_line = (place.line - 1, line)
            if self.asked is not None and self.asked != self.stated:
                message = f"the file states index base {stated}, but the option says {self.asked}"
                hint = "omit the option, or correct the file"
                self.findings.error("index-base-contradiction", message, place, hint)


def _check_base_key(text: str, base: IndexBase, place: Span, findings: Findings) -> bool:
    """Whether a comment line is almost ``index_base: 0``; reports it if it says another base."""
    match = _BASE_KEY.fullmatch(_split(text)[0])
    if match is None:
        return False
    key = _joined(match["key"])
    if not (_is_near(key, ("indexbase",)) or (key in _BASE_KEYS and match["mark"].strip() in (":", "="))):
        return False
    value = {"zero": "0", "one": "1"}.get(match["value"].lower(), match["value"])
    if value not in ("0", "1"):
        _unknown_base(value, place, findings)
    elif value != str(base):
        base_contradiction(match.group(), int(value), base, place, findings)
    return True


def _unknown_base(text: str, place: Span, findings: Findings) -> None:
    message = f"index base {text[:20]!r} is neither 0 nor 1"
    findings.error("index-base-unknown", message, place, "it is the number of the first frame")


def _body(line: str) -> str:
    return line.strip().lstrip("#").strip()


def _split(text: str) -> tuple[str, str | None]:
    """A comment, and the comment behind a second ``#`` in it."""
    value, *rest = re.split(r"(?:^|\s)#", text, maxsplit=1)
    return value.strip(), (rest[0].strip() or None) if rest else None


def _joined(key: str) -> str:
    return re.sub(r"[\s_-]+", "", key).lower()


def _is_near(key: str, known: tuple[str, ...]) -> bool:
    return any(SequenceMatcher(None, key, word, autojunk=False).ratio() >= _NEAR for word in known)
