"""Files that LeRobot does not write, after edits: kept, renumbered, or named once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin.editing.config import (
    DeleteConfig,
    OperationConfig,
    PlacedEpisodes,
    ReorderConfig,
    ReplaceConfig,
    SetTaskConfig,
    SplitConfig,
)
from tests.support.edited import codes, edited
from tests.support.factories import Legacy, write_legacy

type Recorded = Callable[[str], Path]

LEARNING = "meta/grasp_learning.json"
SPLITS = {"seed": 3, "parts": {"train": [0, 1, 3], "val": [2]}}
PREPROCESSING = {"resize_size": [128, 128]}


@pytest.fixture
def split_set(tmp_path: Path) -> Path:
    """Four episodes with a stored division into training and validation."""
    root = write_legacy(tmp_path / "source", Legacy(lengths=(4, 3, 5, 4)))
    stored = {"format": 1, "image_preprocessing": PREPROCESSING, "splits": SPLITS}
    (root / LEARNING).write_text(json.dumps(stored))
    return root


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        (DeleteConfig(episode_indices=[0]), {"train": [0, 2], "val": [1]}),
        (DeleteConfig(episode_indices=[2]), {"train": [0, 1, 2], "val": []}),
        (ReorderConfig(episode_indices=[2, 0, 3, 1]), {"train": [1, 2, 3], "val": [0]}),
        (SplitConfig(parts=2, episode_indices=[2]), {"train": [0, 1, 4], "val": [2, 3]}),
        (SetTaskConfig(new_task="lift"), SPLITS["parts"]),
    ],
    ids=["delete", "delete-val", "reorder", "split", "set_task"],
)
def test_stored_splits_follow_their_episodes(
    split_set: Path, tmp_path: Path, operation: OperationConfig, wanted: dict[str, list[int]]
) -> None:
    report = edited(split_set, tmp_path / "out", operation)
    stored = json.loads((tmp_path / "out" / LEARNING).read_text())
    assert stored["splits"] == {"seed": 3, "parts": wanted}
    assert stored["image_preprocessing"] == PREPROCESSING
    assert "file-not-mapped" not in codes(report)


@pytest.mark.parametrize("splits", [{"seed": 0, "parts": {"train": [9]}}, [1], None, {"parts": "x"}])
def test_splits_that_are_not_of_its_episodes_stay_as_they_are(
    split_set: Path, tmp_path: Path, splits: object
) -> None:
    content = json.dumps({"format": 1, "image_preprocessing": None, "splits": splits})
    (split_set / LEARNING).write_text(content)
    report = edited(split_set, tmp_path / "out", DeleteConfig(episode_indices=[0]))
    assert json.loads((tmp_path / "out" / LEARNING).read_text())["splits"] == splits
    assert ("file-not-mapped" in codes(report)) == (splits is not None)


def test_a_table_of_names_has_no_numbers_to_change(copied: Recorded, tmp_path: Path) -> None:
    """The subtasks of the dataset are those of every part of it."""
    root = copied("av1")
    table = pa.table({"subtask_index": [0, 1], "subtask": ["reach", "grasp"]})
    pq.write_table(table, root / "meta/subtasks.parquet")
    info = json.loads((root / "meta/info.json").read_text())
    info["features"]["subtask_index"] = {"dtype": "int64", "shape": [1], "names": None}
    (root / "meta/info.json").write_text(json.dumps(info))
    path = next((root / "data").rglob("*.parquet"))
    rows = pq.read_table(path)
    pq.write_table(rows.append_column("subtask_index", pa.array([0] * rows.num_rows)), path)
    report = edited(root, tmp_path / "out", DeleteConfig(episode_indices=[0]))
    assert "file-not-mapped" not in codes(report)
    assert pq.read_table(tmp_path / "out/meta/subtasks.parquet").equals(table)


def test_a_file_of_a_dataset_that_is_two_sources_is_named_once(tmp_path: Path) -> None:
    root, other = (
        write_legacy(tmp_path / name, Legacy(seed=seed)) for name, seed in (("own", 1), ("new", 2))
    )
    (root / "meta/notes.json").write_text("{}")
    new = PlacedEpisodes(root=other, episodes=[0])
    report = edited(root, tmp_path / "out", ReplaceConfig(episode_index=1, source=new))
    (warning,) = [one for one in report.reports[0].warnings if one.code == "file-of-one-source"]
    assert warning.message == "own: meta/notes.json is different between sources"
    assert (tmp_path / "out/meta/sources/own/meta/notes.json").read_text() == "{}"
