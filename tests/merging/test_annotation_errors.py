"""Errors of one annotation file: all of them at once, in the order of its lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge
from lerobot_grasp_plugin.findings.problem import GraspError

type Recorded = Callable[[str], Path]

CSV = """# index_base: 1
episode,start,end
0,x,3
9,1,2
1,1,
1,2,
2,1,999
3,,5
4,1,2,3
"""
JSON = """{"index_base": 1,
 "0": {"success_start": "3"},
 "9": {"ranges": [[1, 2]]},
 "1": {"success_start": 2, "success_end": 1},
 "2": {"ranges": [[1, 999]]},
 "3": 7,
 "4": null}
"""
TEXT = """0: 3 x
9: 1-2
1: 3-, 4-
2: 1-999
3: 1-2
3: 1-2
"""
FRAMES = """# index_base: 0
episode,frame,reward
0,0,1
0,x,1
9,0,1
1,0,7
1,1,1
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "labels.csv",
            CSV,
            {3: "wrong-type", 4: "unknown-episode", 6: "overlapping-ranges", 7: "range-past-end"}
            | {8: "missing-ranges", 9: "wrong-cells"},
        ),
        (
            "labels.json",
            JSON,
            {
                2: "wrong-type",
                3: "unknown-episode",
                4: "reversed-range",
                5: "range-past-end",
                6: "wrong-type",
            },
        ),
        (
            "labels.txt",
            TEXT,
            {1: "trailing-junk", 2: "unknown-episode", 3: "overlapping-ranges", 4: "range-past-end"}
            | {6: "episode-listed-twice"},
        ),
        (
            "frames.csv",
            FRAMES,
            {4: "wrong-type", 5: "unknown-episode", 6: "reward-unknown"},
        ),
    ],
)
def test_all_errors_of_a_file_come_at_once_in_the_order_of_its_lines(
    name: str, text: str, expected: dict[int, str], recorded: Recorded, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(GraspError) as caught:
        merge(
            MergeConfig(
                sources=[SourceConfig(root=recorded("av1"))], annotations=path, new_root=tmp_path / "out"
            )
        )
    found = [(problem.place.line, problem.code) for problem in caught.value.problems]
    assert set(expected.items()) <= set(found)
    lines = [line for line, _ in found if line is not None]
    assert lines == sorted(lines)
