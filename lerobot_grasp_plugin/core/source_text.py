"""A text, places in it, and the findings about it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from lerobot_grasp_plugin.findings.problem import AnnotationError, Place, Problem, Severity
from lerobot_grasp_plugin.findings.words import short

MAX_BYTES = 4 * 1024 * 1024
MAX_PROBLEMS = 1000

UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that are not allowed in a line: control characters except tab, and lone surrogates."""

_FOREIGN = re.compile("(?!\n)" + UNPRINTABLE.pattern)

_EXCERPT_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Source:
    r"""A text and the name to call it by; its only line separator is ``\n``.

    Attributes:
        name: File name or option, for messages.
        text: The whole text.
        starts: Offset of the first character of every line.
    """

    name: str
    text: str
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = (0, *(match.end() for match in re.finditer("\n", self.text)))
        object.__setattr__(self, "starts", starts)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Every line with the offset of its first character; none after a final newline."""
        lines = self.text.split("\n")
        if not lines[-1]:
            lines.pop()
        return zip(self.starts, lines, strict=False)

    def place(self, start: int, stop: int) -> Span:
        """The characters ``start`` up to but not including ``stop``, as 0-based offsets."""
        return Span(self, start, stop)


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a source: 0-based offsets, half-open."""

    source: Source
    start: int
    stop: int

    @property
    def line(self) -> int:
        """1-based line of the first character."""
        return bisect_right(self.source.starts, self.start)

    @property
    def column(self) -> int:
        """1-based column of the first character."""
        return self.start - self.source.starts[self.line - 1] + 1

    @property
    def place(self) -> Place:
        """Name, line and column."""
        return Place(self.source.name, self.line, self.column)

    @property
    def text(self) -> str:
        """The characters themselves, shortened and made safe to print."""
        return _printable(short(self.source.text[self.start : min(self.stop, self.start + 41)], 40))

    @property
    def excerpt(self) -> str:
        """The line, or the part of a long line around the place, over a line with the caret."""
        text, low = self.source.text, self.source.starts[self.line - 1]
        high = text.find("\n", self.start, self.start + _EXCERPT_WIDTH)
        high = min(len(text), self.start + _EXCERPT_WIDTH) if high < 0 else high
        if high - low > _EXCERPT_WIDTH:
            low = max(low, self.start - _EXCERPT_WIDTH // 2)
            high = min(high, low + _EXCERPT_WIDTH)
        carets = "^" * max(1, min(self.stop, high) - self.start)
        return f"{_printable(text[low:high])}\n{' ' * (self.start - low)}{carets}"

    def problem(self, code: str, message: str, hint: str = "", severity: Severity | None = None) -> Problem:
        """A problem with the characters, with their line."""
        return Problem(code, message, self.place, hint, self.excerpt, severity)


class Findings:
    """Errors and warnings of one source, collected until all of it has been read."""

    def __init__(self) -> None:
        self._errors: list[tuple[int, Problem]] = []
        self._warnings: list[tuple[int, Problem]] = []

    @property
    def has_errors(self) -> bool:
        """Whether any error was reported."""
        return bool(self._errors)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The errors, in the order of the text."""
        return _in_order(self._errors)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings, in the order of the text."""
        return _in_order(self._warnings)

    def error(self, code: str, message: str, place: Span, hint: str = "") -> None:
        """Add an error; stop after the thousandth.

        Raises:
            AnnotationError: There are too many errors.
        """
        self._errors.append((place.start, place.problem(code, message, hint)))
        if len(self._errors) >= MAX_PROBLEMS:
            message, hint = f"stopped after {MAX_PROBLEMS} errors", "check that this is an annotation file"
            last = Problem("too-many-errors", message, place.place, hint)
            raise AnnotationError((*_in_order(self._errors), last))

    def warn(self, code: str, message: str, place: Span, hint: str = "") -> None:
        """Add a warning; the first thousand are kept."""
        if len(self._warnings) < MAX_PROBLEMS:
            self._warnings.append((place.start, place.problem(code, message, hint, "warning")))

    def raise_errors(self) -> None:
        """Raise all errors, in the order of the text.

        Raises:
            AnnotationError: There is at least one error.
        """
        if self._errors:
            raise AnnotationError(self.errors)


def decode(data: bytes | str, name: str, findings: Findings) -> Source:
    r"""Turn the content of a file into a source with ``\n`` line ends and no byte order mark.

    Raises:
        AnnotationError: It is too large, not UTF-8, or holds control characters.
    """
    if len(data) > MAX_BYTES:
        message = f"the file has {len(data)} bytes; an annotation file may have at most {MAX_BYTES}"
        raise AnnotationError(Problem("file-too-large", message, Place(name)))
    if isinstance(data, bytes):
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise AnnotationError(
                Problem("not-utf-8", "the file is UTF-16", Place(name), "save the file as UTF-8")
            )
        data = data.decode("utf-8", "surrogateescape")
    text = data.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    source = Source(name, text)
    at = 0
    while match := _FOREIGN.search(text, at):
        place, code = source.place(match.start(), match.end()), ord(match.group())
        if 0xDC80 <= code <= 0xDCFF:
            message = f"byte 0x{code - 0xDC00:02x} is not UTF-8"
            findings.error("not-utf-8", message, place, "save the file as UTF-8")
        else:
            findings.error("control-character", f"character U+{code:04X} is not allowed", place)
        at = text.find("\n", match.end())
        if at < 0:
            break
    findings.raise_errors()
    return source


def _printable(text: str) -> str:
    return UNPRINTABLE.sub("\ufffd", text.replace("\t", " "))


def _in_order(found: list[tuple[int, Problem]]) -> tuple[Problem, ...]:
    return tuple(problem for _, problem in sorted(found, key=lambda item: item[0]))
