"""``meta/tasks.parquet`` of v3.0: the sentence of each ``task_index``."""

from __future__ import annotations

from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.tables import TableFile, whole_numbers
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem


def read_tasks_table(path: Path) -> dict[int, str]:
    """``meta/tasks.parquet`` as task_index -> sentence, in the order of its rows; see ``task_rows``."""
    return dict(task_rows(path))


def task_rows(path: Path) -> list[tuple[int, str]]:
    """task_index and sentence of each row of ``meta/tasks.parquet``.

    The sentences are the pandas index, which is stored as ``task`` or ``__index_level_0__``.

    Raises:
        DatasetError: The table is missing or damaged, or has no such columns.
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
        raise DatasetError(Problem("missing-column", message, str(path)))
    indices = whole_numbers(table[layout.TASK_INDEX], f"{path}: column 'task_index'")
    try:
        sentences = table[texts[0]].to_pylist()
    except UnicodeDecodeError as error:
        raise DatasetError(Problem("bad-column", f"{texts[0]!r}: {error}", str(path))) from None
    return list(zip(indices.tolist(), map(str, sentences), strict=True))
