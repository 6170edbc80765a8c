"""Tables that others write in unusual ways: without rows, dictionary-encoded, of several types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import DatasetError, MergeConfig, MergeReport, SourceConfig, merge, verify_dataset
from lerobot_grasp_plugin.dataset import arrow_types
from tests.support.factories import Legacy, change_info, data_table, read_info, write_legacy
from tests.support.lerobot_judge import assert_items, items_of, legacy_items

DATA = "data/chunk-000/file-000.parquet"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"

type Copied = Callable[[str], Path]


def merged(root: Path, target: Path, *, rescue: bool = False) -> MergeReport:
    return merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=target, rescue=rescue))


def codes(root: Path) -> set[str]:
    return {problem.code for problem in verify_dataset(root).problems}


@pytest.mark.parametrize("path", [DATA, EPISODES])
def test_a_table_without_rows_changes_nothing(
    path: str, tmp_path: Path, copied: Copied, recorded: Copied
) -> None:
    root = copied("av1")
    before = codes(root)
    assert "empty-table" not in before
    pq.write_table(pq.read_table(root / path).slice(0, 0), (root / path).with_name("file-001.parquet"))
    errors = {problem.code for problem in verify_dataset(root).problems if problem.severity == "error"}
    assert errors == {"empty-table"}  # LeRobot cannot open it
    assert codes(root) - before <= {"extra-file", "empty-table"}
    merged(root, tmp_path / "out")
    assert codes(tmp_path / "out") <= before
    assert_items(tmp_path / "out", [items_of(recorded("av1"), episode) for episode in range(5)])


def with_text(root: Path, values: pa.Array) -> Path:
    phase = {"dtype": "string", "shape": [1], "names": None}
    change_info(root, features=read_info(root)["features"] | {"phase": phase})
    table = pq.read_table(root / DATA).append_column("phase", values)
    pq.write_table(table.replace_schema_metadata(None), root / DATA)
    return root


@pytest.mark.parametrize(
    "kind", [pa.dictionary(pa.int32(), pa.string()), pa.large_string(), pa.string_view()], ids=str
)
def test_text_of_any_type_is_text(kind: pa.DataType, tmp_path: Path, copied: Copied) -> None:
    texts = [f"phase {row % 3}" for row in range(35)]
    root = with_text(copied("av1"), pa.array(texts).cast(kind))
    tasks = pq.read_table(root / TASKS)
    place = tasks.column_names.index("task")
    typed = tasks.set_column(place, "task", pa.array(tasks["task"].to_pylist()).cast(kind))
    pq.write_table(typed, root / TASKS)
    assert "dtype-mismatch" not in codes(root)
    merged(root, tmp_path / "out")
    assert data_table(tmp_path / "out")["phase"].to_pylist() == texts
    assert_items(tmp_path / "out", [items_of(root, episode) for episode in range(5)])


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_episodes_have_the_tasks_of_their_rows(version: str, tmp_path: Path) -> None:
    """A task that was renamed by hand is another one in the list of episodes."""
    root = write_legacy(tmp_path / "older", Legacy(cameras=(), tasks=("pick", "place")))
    if version == "v3.0":
        merged(root, tmp_path / "newer")
        root = tmp_path / "newer"
        table = pq.read_table(root / TASKS)
        renamed = table.set_column(table.column_names.index("task"), "task", pa.array(["pick up", "place"]))
        pq.write_table(renamed.replace_schema_metadata(table.schema.metadata), root / TASKS)
    else:
        path = root / "meta/tasks.jsonl"
        path.write_text(path.read_text().replace('"pick"', '"pick up"'))
    assert "episode-tasks" in codes(root)
    report = merged(root, tmp_path / "out")
    tasks = pq.read_table(tmp_path / "out" / EPISODES)["tasks"].to_pylist()
    assert tasks == [["pick up"], ["place"], ["pick up"]]
    assert "episode-tasks" not in codes(tmp_path / "out")
    note = "the metadata lists other tasks than the rows for episodes 0, 2; the rows' tasks are used"
    assert report.sources[0].notes == [note]


def test_texts_are_not_turned_into_numbers(tmp_path: Path, copied: Copied) -> None:
    root = copied("av1")
    numbers = pa.array([["1", "2"]] * 35, pa.list_(pa.string()))
    table = pq.read_table(root / DATA)
    table = table.set_column(table.column_names.index("action"), "action", numbers)
    pq.write_table(table.replace_schema_metadata(None), root / DATA)
    assert "dtype-mismatch" in codes(root)
    with pytest.raises(DatasetError, match="text is not converted to numbers"):
        merged(root, tmp_path / "out")


def test_a_dictionary_that_would_fill_the_memory_is_refused(
    tmp_path: Path, copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow_types, "MAX_GROUP_BYTES", 10_000)
    root = with_text(copied("av1"), pa.array(["x" * 1000] * 35).dictionary_encode())
    with pytest.raises(DatasetError, match="10000 bytes in memory"):
        merged(root, tmp_path / "out")


def test_an_unknown_column_of_several_types_is_carried(
    tmp_path: Path, copied: Copied, recorded: Copied
) -> None:
    root = copied("av1")
    episodes = pq.read_table(root / EPISODES)
    for number, (part, score) in enumerate(((episodes.slice(0, 2), [1, 2]), (episodes.slice(2), ["a"] * 3))):
        path = root / f"meta/episodes/chunk-000/file-00{number}.parquet"
        pq.write_table(part.append_column("score", pa.array(score)), path)
    merged(root, tmp_path / "out")
    scores = pq.read_table(tmp_path / "out" / EPISODES)["score"].to_pylist()
    assert scores == ["1", "2", "a", "a", "a"]
    assert_items(tmp_path / "out", [items_of(recorded("av1"), episode) for episode in range(5)])


def test_a_column_of_lerobots_that_does_not_go_together_is_named(tmp_path: Path, copied: Copied) -> None:
    root = copied("av1")
    episodes = pq.read_table(root / EPISODES)
    place = episodes.column_names.index("length")
    pq.write_table(episodes.slice(0, 2), root / EPISODES)
    wrong = episodes.slice(2).set_column(place, "length", pa.array(["5", "6", "7"]))
    pq.write_table(wrong, (root / EPISODES).with_name("file-001.parquet"))
    with pytest.raises(DatasetError, match="episodes-columns"):
        merged(root, tmp_path / "out")


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_a_rescue_believes_no_count_beyond_reason(version: str, tmp_path: Path, copied: Copied) -> None:
    root = copied("av1") if version == "v3.0" else write_legacy(tmp_path / "older", Legacy())
    change_info(root, total_episodes=10**12)
    with pytest.raises(DatasetError, match="wrong-total"):
        merged(root, tmp_path / "out", rescue=True)


def test_quantiles_of_rows_with_nan_are_nan(tmp_path: Path, copied: Copied) -> None:
    root = copied("av1")
    table = pq.read_table(root / DATA)
    place = table.column_names.index("action")
    values = np.array(table["action"].to_pylist(), dtype=np.float32)
    values[3] = np.nan
    column = pa.array(list(values), type=table.schema.field("action").type)
    pq.write_table(table.set_column(place, table.schema.field("action"), column), root / DATA)
    merged(root, tmp_path / "out")
    found = codes(tmp_path / "out")
    assert "not-finite" in found
    assert "wrong-statistics" not in found


def table(root: Path, episode: int) -> Path:
    return root / f"data/chunk-000/episode_{episode:06d}.parquet"


def test_rows_in_a_table_named_after_another_episode_are_taken_by_their_number(tmp_path: Path) -> None:
    spec = Legacy(lengths=(5, 4, 6, 4))
    root = write_legacy(tmp_path / "set", spec)
    table(root, 1).rename(root / "swap")
    table(root, 3).rename(table(root, 1))
    (root / "swap").rename(table(root, 3))
    report = merged(root, tmp_path / "out")
    (warning,) = [problem for problem in report.warnings if problem.code == "wrong-file"]
    assert "episodes 1, 3" in warning.message
    assert_items(tmp_path / "out", [legacy_items(root, spec, episode) for episode in range(4)])


def test_tables_whose_rows_are_of_episodes_that_are_not_listed_are_refused(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(lengths=(5, 4, 4)))
    for episode in (1, 2):  # renamed after an episode was deleted, the rows left as they were
        rows = pq.read_table(table(root, episode))
        place = rows.column_names.index("episode_index")
        numbers = pa.array([episode + 1] * rows.num_rows)
        pq.write_table(rows.set_column(place, "episode_index", numbers), table(root, episode))
    with pytest.raises(DatasetError, match="wrong-file") as caught:
        merged(root, tmp_path / "out")
    assert [problem.place.path for problem in caught.value.problems] == [
        str(table(root, each)) for each in (1, 2)
    ]
