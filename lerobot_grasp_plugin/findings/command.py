"""A command that a hint proposes, as a value."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Command:
    """A call of a program on a dataset.

    Attributes:
        program: Its name.
        root: Folder of the dataset, given as ``--root``; None for a call on none.
        repo_id: Name of the dataset, given as ``--repo_id``; empty for the name of its folder.
        flags: Option -> value; what is neither text nor a path is written as JSON.
    """

    program: str
    root: Path | None = None
    repo_id: str = ""
    flags: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        call = [self.program]
        if self.root is not None:
            call += ["--repo_id", self.repo_id or self.root.resolve().name, "--root", str(self.root)]
        for name, value in self.flags.items():
            call += [f"--{name}", str(value) if isinstance(value, str | Path) else _json(value)]
        return shlex.join(call)

    def moved(self, before: Path, after: Path) -> Command:
        """The same call on a dataset whose folder was renamed."""
        return replace(self, root=after) if self.root == before else self


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
