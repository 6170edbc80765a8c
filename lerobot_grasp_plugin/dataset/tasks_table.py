"""Reads ``meta/tasks.parquet`` of v3.0: the sentence of each ``task_index``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.tables import TableFile, index_numbers
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, column_of


def read_tasks_table(path: Path) -> dict[int, str]:
    """``meta/tasks.parquet`` as task_index -> sentence, in the order of its rows.

    Raises:
        DatasetError: The table cannot be read (see ``task_rows``), or LeRobot finds another sentence for a
            task_index.
    """
    rows = task_rows(path)
    tasks = tasks_by_number(rows)
    for number, other in misread_tasks(rows).items():
        if other is not None:
            message = (
                f"task_index {number} is {tasks[number]!r} by its number and {other!r} by its row, which "
            )
            message += "LeRobot takes"
            hint = "the two readings differ, so the list is not used; list each task once, in the order of "
            hint += "task_index, starting at 0"
            raise DatasetError(Problem("task-numbering", message, path, hint))
    return tasks


def tasks_by_number(rows: Sequence[tuple[int, str]]) -> dict[int, str]:
    """task_index -> sentence; of a number that is listed twice, the row that LeRobot takes for it.

    Args:
        rows: task_index and sentence of each row.
    """
    tasks: dict[int, str] = {}
    for row, (number, sentence) in enumerate(rows):
        if number == row or number not in tasks:
            tasks[number] = sentence
    return tasks


def misread_tasks(rows: Sequence[tuple[int, str]]) -> dict[int, str | None]:
    """Each task_index for which LeRobot, which uses it as the row number, finds another sentence or none.

    Args:
        rows: task_index and sentence of each row.

    Returns:
        task_index -> the sentence that LeRobot finds; None without a row of that number.
    """
    found = {number: rows[number][1] if 0 <= number < len(rows) else None for number in tasks_by_number(rows)}
    return {number: found[number] for number, own in tasks_by_number(rows).items() if found[number] != own}


def task_rows(path: Path) -> list[tuple[int, str]]:
    """task_index and sentence of each row of ``meta/tasks.parquet``.

    The sentences are the pandas index, which is stored as ``task`` or ``__index_level_0__``.

    Raises:
        DatasetError: The table is missing or damaged, or has no such columns, or a sentence is null.
    """
    file = TableFile(path)
    table = file.read(0, file.rows, file.columns)
    texts = [
        name
        for name in ("task", "__index_level_0__", *table.column_names)
        if name in table.column_names and name != layout.TASK_INDEX
    ]
    if layout.TASK_INDEX not in table.column_names or not texts:
        message = f"expected the columns 'task' and 'task_index', found {table.column_names}"
        raise DatasetError(Problem("missing-column", message, path))
    indices = index_numbers(table[layout.TASK_INDEX], column_of(path, "task_index"))
    try:
        sentences = table[texts[0]].to_pylist()
    except UnicodeDecodeError as error:
        raise DatasetError(Problem("bad-column", f"{texts[0]!r}: {error}", path)) from None
    if None in sentences:
        message = f"{texts[0]!r} is empty (null) for task_index {indices[sentences.index(None)]}"
        hint = "policies and LeRobot's DataLoader need a text; add it to the table"
        raise DatasetError(Problem("bad-column", message, path, hint))
    return list(zip(indices.tolist(), map(str, sentences), strict=True))
