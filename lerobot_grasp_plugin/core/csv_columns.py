"""Reads the columns of a CSV annotation file from the names in its first row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from lerobot_grasp_plugin.core.csv_text import Row, delimiter_of
from lerobot_grasp_plugin.core.source_text import Findings
from lerobot_grasp_plugin.findings.words import some

COLUMNS = {
    "episode": ("episode", "episode_index"),
    "frame": ("frame", "frame_index"),
    "reward": ("reward", "next.reward"),
    "success": ("success", "next.success", "is_success", "label"),
    "start": ("start", "success_start"),
    "end": ("end", "success_end"),
    "reset": ("reset", "is_reset"),
    "dataset": ("dataset", "dataset_path", "repo_id"),
    "comment": ("comment", "note", "description"),
}
"""The role of a column, and its accepted names."""

NAMES = {name: role for role, names in COLUMNS.items() for name in names}
"""The role of a column, by its name."""

FORMS_HINT = "expected the columns episode,start,end or episode,frame,reward in the first row"

NOTHING = {"", "nan", "null", "none", "na", "n/a", "<na>"}
"""Contents of an empty cell, in lower case."""

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
"""A finite number with or without fraction and exponent."""

_NAME_OR_NUMBER = re.compile(r"[A-Za-z_<][\w .>-]*|[+-]?[0-9]+(?:\.[0-9]*)?|")
_EPISODE_LINE = re.compile(r"^[ \t]*[0-9]+[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Columns:
    """The positions of the columns.

    Attributes:
        places: Position of each column, from 0, by its role (a key of ``COLUMNS``).
        unnamed: Positions of columns without a name.
        has_frames: Whether a row is a frame; else it is a range.
    """

    places: Mapping[str, int]
    unnamed: tuple[int, ...]
    has_frames: bool


def is_csv(text: str) -> bool:
    """Whether a text is a table: names of columns, or numbers, with delimiters between them."""
    line = next((line for line in text.split("\n") if line.strip() and line.lstrip()[:1] != "#"), "")
    delimiter = delimiter_of(line)
    if delimiter is None:
        return False
    cells = [cell.strip().strip('"').strip() for cell in line.split(delimiter)]
    if sum(column_name(cell) in NAMES for cell in cells) > 1:
        return True
    is_table = sum(map(bool, cells)) > 1 and all(map(_NAME_OR_NUMBER.fullmatch, cells))
    return is_table and not _EPISODE_LINE.search(text)


def column_name(cell: str) -> str:
    """The name in a cell of the first row, as ``NAMES`` spells names."""
    return re.sub(r"[\s-]+", "_", cell.strip().lower())


def read_columns(row: Row, findings: Findings) -> Columns:
    """Read the names in the first row of a table.

    Raises:
        AnnotationError: They are not those of an annotation file.
    """
    problem = _problem(row)
    if problem is not None:
        message, hint, column = problem
        findings.error("csv-columns", message, row.place(column), hint)
        findings.raise_errors()
    names = [column_name(cell) for cell in row.cells]
    places = {NAMES[name]: i for i, name in enumerate(names) if name}
    unnamed = tuple(i for i, name in enumerate(names) if not name)
    return Columns(places, unnamed, "frame" in places)


def _problem(row: Row) -> tuple[str, str, int | None] | None:
    """The error of a first row: message, hint, and column."""
    names = [column_name(cell) for cell in row.cells]
    if all(NUMBER.fullmatch(name) or name in NOTHING for name in names):
        return "this looks like a CSV file, but its first row does not name the columns", FORMS_HINT, None
    unknown = [cell for cell, name in zip(row.cells, names, strict=True) if name and name not in NAMES]
    if unknown:
        known = ", ".join(names[0] for names in COLUMNS.values())
        absent = [name for name, role in NAMES.items() if not {*COLUMNS[role]} & {*names}]
        close = {match for cell in unknown for match in get_close_matches(column_name(cell), absent, 1)}
        meant = f"; did you mean {' or '.join(sorted(close))}?" if close else ""
        named = some((repr(cell[:40]) for cell in unknown), 8)
        are = f"the columns {named} are" if len(unknown) > 1 else f"the column {named} is"
        return (
            f"this looks like a CSV file, but {are} unknown{meant}",
            f"known columns: {known}; remove or rename all others",
            None,
        )
    roles: dict[str, str] = {}
    for i, name in enumerate(names):
        if name and NAMES[name] in roles:
            message = f"the columns {roles[NAMES[name]]!r} and {name!r} mean the same"
            return message, "keep one of the two", i
        if name:
            roles[NAMES[name]] = name
    has = roles.keys()
    is_frames = {"episode", "frame"} <= has and len({"reward", "success"} & has) == 1
    is_ranges = {"episode", "start", "end"} <= has
    if is_ranges and {"frame", "reward", "success"} & has:
        return "this table has columns of frames and columns of ranges", FORMS_HINT, None
    if {"reward", "success"} <= has:
        message = f"both {roles['reward']!r} and {roles['success']!r} mark success frames"
        return message, "keep one of the two", None
    if (not is_frames and not is_ranges) or (is_frames and {"start", "end"} & has):
        found = ", ".join(name for name in names if name)
        return f"this looks like a CSV file, but its columns {found} are not enough", FORMS_HINT, None
    return None
