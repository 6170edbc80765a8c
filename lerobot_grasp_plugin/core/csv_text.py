"""Rows of a CSV text, with the places of their cells."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from lerobot_grasp_plugin.core.source_text import Findings, Source, Span

_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Attributes:
        cells: Its cells, each without spaces at the ends.
        line: The line as written.
        start: Offset of its first character.
        delimiter: What separates its cells.
        source: The text that contains it.
    """

    cells: tuple[str, ...]
    line: str
    start: int
    delimiter: str
    source: Source

    def place(self, column: int | None = None) -> Span:
        """The place of a cell; the whole line without a column, or if cells have quotes."""
        left, right = 0, len(self.line.rstrip())
        if column is not None and column < len(self.cells) and '"' not in self.line:
            parts = self.line.split(self.delimiter)
            left = sum(len(part) + 1 for part in parts[:column])
            right = left + len(parts[column].rstrip())
            left += len(parts[column]) - len(parts[column].lstrip())
        return self.source.place(self.start + left, self.start + max(left + 1, right))


def delimiter_of(line: str) -> str | None:
    """What separates the cells of a line; None when nothing does."""
    counts = {delimiter: line.strip(" ").count(delimiter) for delimiter in _DELIMITERS}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    return best if counts[best] else None


def read_row(source: Source, start: int, line: str, delimiter: str, findings: Findings) -> Row | None:
    """Read one line of a table; None after noting why it cannot be read."""
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):
        place = source.place(start, start + len(line.rstrip()))
        message = "a quote in this line is not closed, or is inside a cell"
        findings.error(
            "not-csv", message, place, "each line must be one row; write a quote inside quotes twice"
        )
        return None
    return Row(tuple(cell.strip() for cell in cells), line, start, delimiter, source)
