"""Finds tables without rows, and those whose first row group has none, which LeRobot cannot open."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.dataset.tables import TableFile
from lerobot_grasp_plugin.findings.problem import Problem


def check_empty(file: TableFile, *, legacy: bool = False) -> Iterator[Problem]:
    """Findings about a table without rows, or without rows in its first row group.

    Args:
        file: The table.
        legacy: Whether it has format v2.0 or v2.1, which LeRobot converts with another reader.
    """
    message = "the first row group has no rows" if file.rows else "the table has no rows"
    if file.begins_empty and not legacy:
        hint = "LeRobot cannot open the dataset: it uses the size of the first row group as its batch size; "
        hint += (
            "write the table again without that group" if file.rows else "move the file out of the dataset"
        )
        yield Problem("empty-table", message, file.path, hint)
    elif not file.rows:
        yield Problem("empty-table", message, file.path, severity="warning")
