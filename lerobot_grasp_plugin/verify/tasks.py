"""Reads the list of tasks of either layout, as far as possible."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow_types import is_text
from lerobot_grasp_plugin.dataset.file_format import V30, FileFormat
from lerobot_grasp_plugin.dataset.json_lines import read_json_lines
from lerobot_grasp_plugin.dataset.tables import TableFile
from lerobot_grasp_plugin.dataset.tasks_table import misread_tasks, task_rows, tasks_by_number
from lerobot_grasp_plugin.findings.problem import DatasetError, GraspError, Place, Problem
from lerobot_grasp_plugin.findings.words import short
from lerobot_grasp_plugin.verify.listed import Report, as_count

_OWN_NUMBER = "each task needs its own number, 0, 1, 2, ...; decide which of the two applies to the rows"


def read_tasks(root: Path, own: FileFormat, report: Report) -> dict[int, str] | None:
    """``task_index`` -> sentence; None without a list."""
    try:
        path = root / own.tasks
        if own is V30:
            _check_index(path, report)
            rows = task_rows(path)
            _check_numbers(path, rows, report)
            _check_twice(path, rows, report)
            return tasks_by_number(rows)
        lines = list(_task_lines(path))
        _check_twice(path, lines, report)
        return dict(lines) or None
    except GraspError as error:
        for problem in error.problems:
            report(problem)
    return None


def _check_numbers(path: Path, rows: Sequence[tuple[int, str]], report: Report) -> None:
    """Checks whether LeRobot, which uses task_index as the row number, finds each task."""
    if misread := misread_tasks(rows):
        number, other = next(iter(misread.items()))
        message = f"task_index runs {[number for number, _ in rows][:8]}; LeRobot uses it as the row number, "
        message += f"and finds {'no task' if other is None else repr(other)} for task_index {number}"
        hint = "list each task once, in the order of task_index, starting at 0"
        report(Problem("task-numbering", message, path, hint))


def _check_twice(path: Path, rows: Iterable[tuple[int, str]], report: Report) -> None:
    """Finds a task_index that is listed twice."""
    tasks: dict[int, str] = {}
    for index, task in rows:
        if index in tasks:
            same = tasks[index] == task
            message = f"task_index {index} is listed twice or more: {tasks[index]!r}"
            message += "" if same else f" and {task!r}"
            hint = "remove the duplicate line" if same else _OWN_NUMBER
            report(Problem("duplicate-task", message, path, hint))
        tasks[index] = task


def _check_index(path: Path, report: Report) -> None:
    """Checks whether the sentences are in the pandas index, where LeRobot looks for them."""
    schema = TableFile(path).file.schema_arrow
    try:
        stored = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
    except (ValueError, AttributeError):
        stored = []
    index = [name for name in stored if isinstance(name, str) and name in schema.names]
    hint = "LeRobot reads the tasks from the table's index; lerobot-grasp-merge writes it correctly"
    if not index:
        message = "the sentences are an ordinary column, not the table's pandas index"
    elif layout.TASK_INDEX in index or len(index) > 1:
        message = f"the table's pandas index is {', '.join(map(repr, index))}, expected the sentences"
    elif not is_text(schema.field(index[0]).type):
        message = f"the table's pandas index holds {schema.field(index[0]).type}, expected the sentences"
    else:
        return
    report(Problem("task-index-lost", message, path, hint))


def _task_lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, entry in enumerate(read_json_lines(path), start=1):
        index, task = as_count(entry.get("task_index")), entry.get("task")
        if index is None or not isinstance(task, str):
            message = f"expected task_index and task, found {short(str(entry))}"
            raise DatasetError(Problem("bad-json", message, Place(str(path), number)))
        yield index, task
