"""What the tests of verify have in common: changing a dataset in one place, and reading what is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lerobot_grasp_plugin import Problem, verify_dataset
from lerobot_grasp_plugin.findings.problem import EPISODES as PLACE_OF_EPISODES

EPISODES = "meta/episodes/chunk-000/file-000.parquet"
DATA = "data/chunk-000/file-000.parquet"
LEGACY_DATA = "data/chunk-000/episode_000001.parquet"


def findings(root: Path, level: str = "data", *, notes: bool = False) -> list[Problem]:
    """What verify finds, but for the episodes being as short as tests have them."""
    problems = verify_dataset(root, level=level).problems  # type: ignore[arg-type]
    assert [problem for problem in problems if PLACE_OF_EPISODES in problem.message] == []
    return [
        problem
        for problem in problems
        if problem.code != "short-episode" and (notes or problem.severity != "note")
    ]


def found(root: Path, level: str = "data") -> list[tuple[str, str]]:
    """Code and severity of each finding, notes left out."""
    return [(problem.code, problem.severity) for problem in findings(root, level)]


def by_code(root: Path, code: str, level: str = "data") -> Problem:
    """The one finding of a code; all findings are shown where it is not there, or not the only one."""
    all_found = findings(root, level, notes=True)
    chosen = [problem for problem in all_found if problem.code == code]
    assert len(chosen) == 1, [str(problem) for problem in all_found]
    return chosen[0]


def change_column(root: Path, file: str, name: str, change: Callable[[list[Any]], Sequence[Any]]) -> None:
    """Writes other values of the same type into a column."""
    path = root / file
    table = pq.ParquetFile(path).read()
    values = pa.array(change(table[name].to_pylist()), table[name].type)
    pq.write_table(table.set_column(table.column_names.index(name), name, values), path)


def change_table(root: Path, file: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Writes another table in a table's place."""
    pq.write_table(change(pq.ParquetFile(root / file).read()), root / file)


def change_json(root: Path, file: str, change: Callable[[Any], Any]) -> None:
    """Writes other content into a JSON file; a change that returns None was made in place."""
    path = root / file
    content = json.loads(path.read_text())
    changed = change(content)
    path.write_text(json.dumps(content if changed is None else changed))


def replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """The table with other values in a column, of any type."""
    return table.set_column(table.column_names.index(name), name, values)
