"""One attribute of LeRobot that this package replaces, extends or reaches into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Use = Literal[
    "factory",
    "watch",
    "replay buffer",
    "actor",
    "environment",
    "clock",
    "reading",
    "labelling",
    "recording",
    "learner",
    "behaviour cloning",
    "classifier",
]

How = Literal["replaced", "extended", "read", "written", "called"]


@dataclass(frozen=True, slots=True)
class Seam:
    """One attribute of LeRobot.

    Attributes:
        use: The part of this package that needs it.
        module: LeRobot's module.
        path: The attribute in the module, with dots: ``DatasetReader._query_videos``.
        how: ``replaced`` puts a value of this package in its place, ``extended`` overrides it in a subclass,
            ``read``, ``written`` and ``called`` use it as it is.
        why: What for.
        undone: How LeRobot gets a replaced attribute back.
        since: The first version of LeRobot in which it was seen.
        parameters: Parameters that it is called with by keyword.
        needed: Whether its absence is an error; False where there is then nothing to do.
    """

    use: Use
    module: str
    path: str
    how: How
    why: str
    undone: str = ""
    since: str = "0.6.0"
    parameters: tuple[str, ...] = ()
    needed: bool = True

    @property
    def name(self) -> str:
        """Module and attribute."""
        return f"{self.module}.{self.path}"
