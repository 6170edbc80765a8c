"""Columns with times or frame numbers of an episode, cut to a part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lerobot_grasp_plugin.dataset.cut_columns import cut_language, cut_side_columns, uncut_columns

SPOKEN = pa.struct([("content", pa.string()), ("timestamp", pa.float32())])


def cut(rows: list[Any], kind: pa.DataType, starts: list[int], lengths: list[int]) -> list[Any]:
    column = pa.chunked_array([pa.array(rows[:1], kind), pa.array(rows[1:], kind)])
    return cut_language(column, np.array(starts), np.array(lengths), 10).to_pylist()


@pytest.mark.parametrize("of", [pa.list_, pa.large_list])
def test_times_of_language_rows_are_those_of_the_part(of: Callable[[pa.DataType], pa.DataType]) -> None:
    said = [{"content": "reach", "timestamp": 0.0}, {"content": "grasp", "timestamp": 0.5}]
    said += [{"content": "lift", "timestamp": 0.9}]
    found = cut([said, None, [], said], of(SPOKEN), [3, 3, 3, 9], [4, 4, 4, 2])
    assert found[1] is None
    assert found[2] == []
    exact = [float(np.float32(time)) for time in (-0.3, 0.2)]
    assert found[0] == [
        {"content": "reach", "timestamp": exact[0]},
        {"content": "grasp", "timestamp": exact[1]},
    ]
    assert [each["content"] for each in found[3]] == ["reach", "grasp", "lift"]
    assert found[3][2]["timestamp"] == 0  # else it does not hold in the first frame


def test_rows_without_times_stay() -> None:
    kind = pa.list_(pa.struct([("content", pa.string())]))
    rows = [[{"content": "stop"}], []]
    assert cut(rows, kind, [3, 3], [4, 4]) == rows


def test_a_part_without_subtasks_has_none() -> None:
    table = pa.table(
        {
            "subtask_names": [["reach", "lift"], ["reach", "lift"]],
            "subtask_start_frames": [[0, 8], [0, 8]],
            "subtask_end_frames": [[3, 9], [3, 9]],
            "lab": [1, 2],
        }
    )
    found = cut_side_columns(table, [(4, 8), None], 10)
    assert found.schema == table.schema
    assert found.slice(0, 1).to_pylist() == [
        {"subtask_names": None, "subtask_start_frames": None, "subtask_end_frames": None, "lab": 1}
    ]
    assert found.slice(1).equals(table.slice(1))
    assert uncut_columns(table.column_names) == ["lab"]
