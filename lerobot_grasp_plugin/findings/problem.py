"""A problem, and the exceptions that carry problems.

An exception carries all the problems of its input at once. Commands render them and choose the exit code
from the exception's class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from lerobot_grasp_plugin.findings.code import Severity
from lerobot_grasp_plugin.findings.codes import CODES

__all__ = [
    "AnnotationError",
    "DataError",
    "DatasetError",
    "GraspError",
    "MergeError",
    "Problem",
    "Severity",
    "UsageError",
    "VerificationError",
    "VideoError",
]


@dataclass(frozen=True, slots=True, init=False)
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        code: Name of the kind of problem in the register, e.g. ``range-past-end``.
        message: What is wrong, with the offending value in it.
        where: Where it stands: ``labels.txt:3:5`` (line and column, 1-based), a path, or
            ``episode 7, frame 12`` (0-based, as LeRobot counts). Empty when it stands nowhere.
        hint: What would be right, or which option settles it. Empty when ``message`` says it.
        excerpt: Source line and caret line, ready to print. Empty when there is no text to show.
        severity: ``error`` for what stops the work, ``warning`` for what will probably hurt, ``note`` for
            what is only worth knowing; where none is given, the usual one of the code.
        episode: The episode it was found in, 0-based; None when it belongs to none.
        frame: The frame of that episode, 0-based; None when it belongs to none.
    """

    code: str
    message: str
    where: str
    hint: str
    excerpt: str
    severity: Severity
    episode: int | None
    frame: int | None

    def __init__(
        self,
        code: str,
        message: str,
        where: str = "",
        hint: str = "",
        excerpt: str = "",
        severity: Severity | None = None,
        episode: int | None = None,
        frame: int | None = None,
    ) -> None:
        if severity is None:  # a package that adds labelers or hooks may have codes of its own
            severity = CODES[code].severity if code in CODES else "error"
        values = (code, message, where, hint, excerpt, severity, episode, frame)
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

    @property
    def place(self) -> str:
        """Where it stands, episode and frame included; empty when it stands nowhere."""
        parts = [self.where]
        if self.episode is not None:
            parts.append(f"episode {self.episode}")
        if self.frame is not None:
            parts.append(f"frame {self.frame}")
        return ", ".join(part for part in parts if part)

    def __str__(self) -> str:
        return "\n".join([*self.body(), *self.hints()])

    def body(self) -> list[str]:
        """The lines of the problem without its hint."""
        place = f"{self.place}: " if self.place else ""
        lines = [f"{place}{self.severity}: {self.message} [{self.code}]"]
        lines.extend("    " + line for line in self.excerpt.splitlines())
        return lines

    def hints(self) -> list[str]:
        """The line of the hint, if there is one."""
        return [f"    {self.hint}"] if self.hint else []


_RENDERED = re.compile(
    r"^(?:(?P<where>\S.*?): )?(?P<severity>error|warning|note): (?P<message>.*) \[(?P<code>[a-z0-9-]+)\]$",
    re.MULTILINE,
)


class GraspError(Exception):
    """Base of every error this package raises for bad input.

    It can be made of its own text, or of the traceback that ends in it: that is how a torch ``DataLoader``
    raises again in the main process what one of its workers raised.

    Attributes:
        problems: All that is wrong, in the order it was found.
        exit_code: What a command ends with: 1 when the data is at fault, 2 when the call is.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problems: Problem | Iterable[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = _problems_of(problems, type(self).__name__)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[GraspError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


def _problems_of(text: str, class_name: str) -> Iterator[Problem]:
    """The problems of a rendered error; what is in another form becomes the message of one."""
    text = re.split(rf"^(?:[\w.]+\.)?{class_name}: ", text, flags=re.MULTILINE)[-1].strip()
    found = list(_RENDERED.finditer(text))
    if not found or found[0].start():
        yield Problem("failed", text)
        return
    for match, stop in zip(found, [*(match.start() for match in found[1:]), None], strict=True):
        severity: Any = match["severity"]
        hint = text[match.end() : stop].strip("\n").removeprefix("    ")
        yield Problem(match["code"], match["message"], match["where"] or "", hint, severity=severity)


class DataError(GraspError):
    """The data is at fault: annotations, a dataset, a video file."""


class AnnotationError(DataError):
    """An annotation file cannot be read, or does not fit the episodes it labels."""


class DatasetError(DataError):
    """A dataset is missing files, contradicts itself, or is in a format that is not known."""


class VideoError(DatasetError):
    """A video cannot be copied exactly."""


class MergeError(DataError):
    """Sources cannot become one dataset."""


class VerificationError(DataError):
    """A dataset that was just written is not what the plan said."""


class UsageError(GraspError):
    """The call is at fault: options that contradict each other, a target that exists."""

    exit_code = 2
