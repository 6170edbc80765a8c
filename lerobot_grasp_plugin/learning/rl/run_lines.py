"""Reads and appends JSON lines files of a run, also after a killed run left a torn line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line, in order; a last line that a kill cut off is left out.

    Args:
        path: The file; one that does not exist has no lines.
    """
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            return
        if isinstance(entry, dict):
            yield entry


def append_line(path: Path, entry: Mapping[str, Any]) -> None:
    """Append one object; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(entry)) + "\n")


def cut_torn_line(path: Path) -> None:
    """Remove a last line that a kill cut off, so that what is appended starts on a line of its own."""
    if not path.is_file():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
