"""Tables, rows and columns that the checks did not look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Unseen:
    """What reading the tables left out.

    Attributes:
        unread: Tables whose rows could not be read.
        unknown: Tables with rows of which nothing says what episode they are of.
        doubled: Tables that hold again what others hold.
        moved: Listed tables that are not there while the rows of all their episodes are, in others.
        partly: Columns of numbers of which some batches hold something else, with the first such table.
    """

    unread: set[Path] = field(default_factory=set)
    unknown: set[Path] = field(default_factory=set)
    doubled: set[Path] = field(default_factory=set)
    moved: set[Path] = field(default_factory=set)
    partly: dict[str, Path] = field(default_factory=dict)
