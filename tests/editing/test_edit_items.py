"""Every operation, item by item with LeRobot: rows and images are those of the source's frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot_grasp_plugin import UsageError
from lerobot_grasp_plugin.editing.config import (
    DeleteConfig,
    InsertConfig,
    PlacedEpisodes,
    ReorderConfig,
    ReplaceConfig,
    SetTaskConfig,
    SplitConfig,
)
from tests.support.edited import codes, edited, items_with, origins, slow_recording, write_states
from tests.support.factories import RECORDINGS, Legacy, tree
from tests.support.lerobot_judge import assert_items, items_of, leftovers, open_set

type Recorded = Callable[[str], Path]

AV1, SPLIT = len(RECORDINGS["av1"].lengths), len(RECORDINGS["split"].lengths)


def test_delete(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("split")
    before = tree(source)
    report = edited(source, tmp_path / "out", DeleteConfig(episode_indices=[6, 0]))
    assert_items(tmp_path / "out", [items_of(source, each) for each in range(SPLIT) if each not in (0, 6)])
    assert report.merges[0][0].summary == "episodes 0, 6 (16 frames) left out"
    assert report.reports[0].verification.ok
    assert tree(source) == before


def test_reorder(recorded: Recorded, tmp_path: Path) -> None:
    source, order = recorded("av1"), [3, 0, 4, 2, 1]
    edited(source, tmp_path / "out", ReorderConfig(episode_indices=order))
    assert_items(tmp_path / "out", [items_of(source, episode) for episode in order])
    assert [origin[0] for origin in origins(tmp_path / "out")] == order


def test_replace_and_insert(recorded: Recorded, tmp_path: Path) -> None:
    source, other = recorded("av1"), recorded("av1-other")
    own = [items_of(source, episode) for episode in range(AV1)]
    new = PlacedEpisodes(root=other, episodes=[1], frames={1: "2-"}, task="place the cube")
    operation = ReplaceConfig(episode_index=2, source=new)
    with pytest.raises(Exception, match="robot_type"):
        edited(source, tmp_path / "out", operation)
    report = edited(source, tmp_path / "out", operation, robot_type="so_follower")
    tasks = [items[0]["task"] for items in own]
    tasks[2] = "place the cube"
    wanted = [*own[:2], items_of(other, 1)[1:], *own[3:]]
    assert_items(tmp_path / "out", wanted, tasks=tasks)
    assert report.reports[0].verification.ok
    new = PlacedEpisodes(root=other, episodes="0-1")
    insertion = InsertConfig(episode_index=AV1, source=new)
    edited(source, tmp_path / "longer", insertion, robot_type="so_follower")
    assert_items(tmp_path / "longer", [*own, items_of(other, 0), items_of(other, 1)])


def test_set_task(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("av1")
    own = [items_of(source, episode) for episode in range(AV1)]
    edited(source, tmp_path / "out", SetTaskConfig(new_task="lift it", episode_indices="1, 3"))
    pick = "pick the cube"
    assert_items(tmp_path / "out", own, tasks=[pick, "lift it", pick, "lift it", pick])
    assert open_set(tmp_path / "out").meta.total_tasks == 2
    edited(tmp_path / "out", tmp_path / "all", SetTaskConfig(new_task="lift it"))
    assert_items(tmp_path / "all", own, tasks=["lift it"] * AV1)
    assert open_set(tmp_path / "all").meta.total_tasks == 1
    report = edited(tmp_path / "all", tmp_path / "same", SetTaskConfig(new_task="lift it"))
    assert codes(report) == ["nothing-to-edit"]


def test_equal_parts(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("av1")
    edited(source, tmp_path / "out", SplitConfig(parts=2, episode_indices=[1, 2]))
    one, two = items_of(source, 1), items_of(source, 2)
    others = [items_of(source, episode) for episode in (0, 3, 4)]
    assert_items(tmp_path / "out", [others[0], one[:2], one[2:], two[:4], two[4:], *others[1:]])


@pytest.fixture(scope="module")
def mega(once: Callable[..., Path]) -> Path:
    """Episode 1 has three attempts: the arm jumps back in frames 30 and 55; in 55 time has a gap."""
    return once("mega", lambda root: write_mega(root))


MEGA = Legacy(lengths=(12, 80))
ATTEMPTS = np.concatenate([np.outer(np.arange(length), [3.0, -2.0]) for length in (30, 25, 25)])


def write_mega(root: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    slow_recording(root, MEGA)
    write_states(root, MEGA, {0: np.outer(np.arange(12), [3.0, -2.0]), 1: ATTEMPTS})
    path = root / "data/chunk-000/episode_000001.parquet"
    table = pq.ParquetFile(path).read()
    stamps = table["timestamp"].to_numpy().copy()
    stamps[55:] += 0.5
    column = table.column_names.index("timestamp")
    pq.write_table(table.set_column(column, "timestamp", pa.array(stamps)), path)


@pytest.mark.parametrize(
    ("operation", "starts"),
    [
        (SplitConfig(at="state_jump"), [0, 30, 55]),
        (SplitConfig(at="timestamp_gap"), [0, 55]),
        (SplitConfig(frames={1: "1-30, 31-55, 56-80"}), [0, 30, 55]),
        (SplitConfig(at="timestamp_gap", gap_s=0.7), [0]),
        (SplitConfig(at="state_jump", episode_indices=[0]), [0]),
    ],
    ids=["jumps", "gaps", "ranges", "long-gap", "other-episode"],
)
def test_one_long_episode(mega: Path, tmp_path: Path, operation: SplitConfig, starts: list[int]) -> None:
    report = edited(mega, tmp_path / "out", operation)
    zero = items_with(mega, MEGA, 0, np.outer(np.arange(12), [3.0, -2.0]))
    one = items_with(mega, MEGA, 1, ATTEMPTS)
    stops = [*starts[1:], 80]
    parts = [one[start:stop] for start, stop in zip(starts, stops, strict=True)]
    assert_items(tmp_path / "out", [zero, *parts])
    assert ("nothing-to-edit" in codes(report)) == (starts == [0])


def test_a_dataset_in_parts(recorded: Recorded, tmp_path: Path) -> None:
    """As LeRobot's split does it: a folder for each part, named after it."""
    source = recorded("split")
    report = edited(source, tmp_path / "parts", SplitConfig(splits={"train": 0.8, "val": 0.2}))
    own = [items_of(source, episode) for episode in range(SPLIT)]
    assert_items(tmp_path / "parts/train", own[:6])
    assert_items(tmp_path / "parts/val", own[6:])
    assert [(each.repo_id, each.root) for each in report.reports] == [
        ("split_train", tmp_path / "parts/train"),
        ("split_val", tmp_path / "parts/val"),
    ]
    named = edited(source, tmp_path / "b", SplitConfig(splits={"x": [5, 1], "y": "0"}), new_repo_id="me/d")
    assert_items(tmp_path / "b/x", [own[5], own[1]])
    assert [each.repo_id for each in named.reports] == ["me/d_x", "me/d_y"]
    assert codes(named).count("episodes-in-no-part") == 1


def test_shares_give_the_parts_that_lerobot_gives() -> None:
    from lerobot.datasets.dataset_tools import _fractions_to_episode_indices

    from lerobot_grasp_plugin.core.spans import by_shares

    for total in (5, 8, 10, 23, 79):
        for shares in ((0.8, 0.2), (0.5, 0.5), (0.6, 0.2, 0.2), (0.75, 0.25)):
            names = [f"part-{number}" for number in range(len(shares))]
            theirs = _fractions_to_episode_indices(total, dict(zip(names, shares, strict=True)))
            assert [*theirs.values()] == by_shares(range(total), shares), (total, shares)


def test_parts_are_all_written_or_none(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lerobot_grasp_plugin.merging import build

    written: list[Path] = []
    write_metadata = build._write_metadata

    def fail_second(plan: Any, root: Path, *rest: Any) -> None:
        written.append(root)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        write_metadata(plan, root, *rest)

    monkeypatch.setattr(build, "_write_metadata", fail_second)
    with pytest.raises(OSError, match="No space left"):
        edited(recorded("av1"), tmp_path / "parts", SplitConfig(splits={"train": 0.8, "val": 0.2}))
    assert len(written) == 2
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "parts/val").mkdir(parents=True)
    with pytest.raises(UsageError, match="target-exists"):
        edited(recorded("av1"), tmp_path / "parts", SplitConfig(splits={"train": 0.8, "val": 0.2}))
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["val"]
    assert list(leftovers(tmp_path)) == []
