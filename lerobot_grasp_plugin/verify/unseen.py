"""Tables, rows and columns that were not checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Unseen:
    """The parts that reading the tables left out.

    Attributes:
        unread: Tables whose rows could not be read.
        unknown: Tables with rows of unknown episodes.
        doubled: Tables that repeat the rows of others.
        moved: Missing listed tables, the rows of whose episodes are all in other tables.
        partly: Columns of numbers of which some batches hold something else, with the first such table.
    """

    unread: set[Path] = field(default_factory=set)
    unknown: set[Path] = field(default_factory=set)
    doubled: set[Path] = field(default_factory=set)
    moved: set[Path] = field(default_factory=set)
    partly: dict[str, Path] = field(default_factory=dict)
