"""A problem, the place where it stands, and the exceptions that carry problems.

An exception carries all the problems of its input at once. Commands render them and choose the exit code
from the exception's class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from lerobot_grasp_plugin.findings.code import Severity
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.command import Command
from lerobot_grasp_plugin.findings.words import episodes_text

__all__ = [
    "EPISODES",
    "NOWHERE",
    "AnnotationError",
    "DataError",
    "DatasetError",
    "Episodes",
    "GraspError",
    "MergeError",
    "Place",
    "Problem",
    "Severity",
    "UsageError",
    "VerificationError",
    "VideoError",
    "column_of",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a problem stands; what is not known, or does not apply, is empty or None.

    Attributes:
        file: A path, or the name of a text that is no file (an option) or of a dataset.
        line: Line of the file, 1-based.
        column: Column of the line, 1-based.
        field: What of the file is meant: a column of a table (``column action``), a key of a config
            (``env.type``), an option (``--teleop.type``).
        episode: Episode, 0-based.
        frame: Frame of that episode, 0-based.
        root: Folder of the dataset that ``file`` is relative to; empty where ``file`` is relative to none.
    """

    file: str = ""
    line: int | None = None
    column: int | None = None
    field: str = ""
    episode: int | None = None
    frame: int | None = None
    root: str = ""

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number is not None]
        parts = [": ".join(filter(None, [":".join([self.path, *numbers]), self.field]))]
        if self.episode is not None:
            parts.append(f"episode {self.episode}")
        if self.frame is not None:
            parts.append(f"frame {self.frame}")
        return ", ".join(filter(None, parts))

    @property
    def path(self) -> str:
        """The file, with the folder of its dataset."""
        return str(Path(self.root) / self.file) if self.root else self.file

    def within(self, root: Path) -> Place:
        """The same place; a file in a dataset becomes relative to the dataset's folder."""
        if self.root or not self.file or not Path(self.file).is_relative_to(root):
            return self
        return replace(self, root=str(root), file=Path(self.file).relative_to(root).as_posix())


NOWHERE = Place()


def column_of(file: Path, name: str) -> Place:
    """A column of a table."""
    return Place(str(file), field=f"column {name}")


EPISODES: Final = "{episodes}"
"""Stands in the text of a problem where its episodes are to be named."""


@dataclass(frozen=True, slots=True)
class Episodes:
    """Episodes of one dataset.

    Attributes:
        numbers: Each ``episode_index``; -1 for an unknown one.
        dataset: Name of the dataset; empty for the one that the problem is about.
    """

    numbers: tuple[int, ...]
    dataset: str = ""

    def __str__(self) -> str:
        return episodes_text(self.numbers) + f" of {self.dataset}" * bool(self.dataset)


def the_episodes(numbers: Iterable[int]) -> tuple[Episodes, ...]:
    """Episodes of the dataset that a problem is about."""
    return (Episodes(tuple(int(number) for number in numbers)),)


@dataclass(frozen=True, slots=True, init=False)
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        code: Name of the kind of problem in the register, e.g. ``range-past-end``.
        text: What is wrong, with the offending value in it, and ``EPISODES`` for ``episodes``.
        place: Where it stands; a path given for it is its file, a text its field.
        hint: What would be right, or which option settles it. Empty when the message says it.
        excerpt: Source line and caret line, ready to print; empty without a source text.
        severity: ``error`` for what stops the work, ``warning`` for what will probably hurt, ``note`` for
            what is only worth knowing; where none is given, the usual one of the code.
        episodes: All episodes that have the problem, where it is one of several episodes.
        commands: Calls that do what the hint says.
    """

    code: str
    text: str
    place: Place
    hint: str
    excerpt: str
    severity: Severity
    episodes: tuple[Episodes, ...]
    commands: tuple[Command, ...]

    def __init__(
        self,
        code: str,
        text: str,
        place: Place | Path | str = NOWHERE,
        hint: str = "",
        excerpt: str = "",
        severity: Severity | None = None,
        episodes: Sequence[Episodes] = (),
        commands: Sequence[Command] = (),
    ) -> None:
        if severity is None:  # a package that adds labelers or hooks may have codes of its own
            severity = CODES[code].severity if code in CODES else "error"
        if isinstance(place, str):
            place = Place(field=place)
        elif isinstance(place, Path):
            place = Place(str(place))
        values = (code, text, place, hint, excerpt, severity, tuple(episodes), tuple(commands))
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        return "\n".join([*self.body(), *self.hints()])

    @property
    def message(self) -> str:
        """What is wrong, as a sentence."""
        named = " and ".join(map(str, self.episodes))
        return self.text.replace(EPISODES, named) if named else self.text

    @property
    def advice(self) -> str:
        """The hint, with the commands that follow it; empty when the message says it."""
        return " ".join(filter(None, [self.hint, "; ".join(map(str, self.commands))]))

    def body(self) -> list[str]:
        """The lines of the problem without its hint."""
        place = str(self.place)
        lines = [f"{place}: " * bool(place) + f"{self.severity}: {self.message} [{self.code}]"]
        lines.extend("    " + line for line in self.excerpt.splitlines())
        return lines

    def hints(self) -> list[str]:
        """The line of the hint, if there is one."""
        return [f"    {self.advice}"] if self.advice else []


class GraspError(Exception):
    """Base of every error this package raises for bad input.

    It can be made of a text, which becomes the message of one problem: that is how a torch ``DataLoader``
    raises again in the main process what one of its workers raised, with the traceback as the text.

    Attributes:
        problems: All that is wrong, in the order it was found.
        exit_code: What a command ends with: 1 when the data is at fault, 2 when the call is.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problems: Problem | Iterable[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = Problem("failed", problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[GraspError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


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
