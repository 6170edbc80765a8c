"""Episodes written row by row: each kind of difference, and what is exact about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin.diff.report import FeatureChange
from tests.support import factories
from tests.support.differing import Rows, brief, change_features, compared, episodes_of, write_rows
from tests.support.factories import change_info

EPISODES = [Rows.made(seed, length) for seed, length in enumerate((9, 7, 12, 8))]


@pytest.fixture
def against(tmp_path: Path) -> Callable[..., list]:
    """What is said of a dataset with the given episodes, compared with one that has ``EPISODES``."""

    def made(*episodes: Rows) -> list:
        a, b = write_rows(tmp_path / "a", EPISODES), write_rows(tmp_path / "b", episodes)
        return [brief(each) for each in compared(a, b).episodes]

    return made


def same(a: int, b: int) -> tuple:
    return ("same" if a == b else "moved", a, b, None, {}, None, {})


def changed(rows: Rows, column: str, *frames: int) -> Rows:
    values = getattr(rows, column).copy()
    for frame in frames:
        values[frame] = ~values[frame] if values.dtype == bool else values[frame] + 1
    return replace(rows, **{column: values})


ZERO, ONE, TWO, THREE = EPISODES


def test_equal(against) -> None:
    assert against(*EPISODES) == [same(each, each) for each in range(4)]


def test_moved_and_alone(against) -> None:
    new = Rows.made(9, 7)
    assert against(TWO, new, ZERO) == [
        same(2, 0),
        same(0, 2),
        ("only in B", None, 1, None, {}, None, {}),
        ("only in A", 1, None, None, {}, None, {}),
        ("only in A", 3, None, None, {}, None, {}),
    ]


def test_relabelled(against) -> None:
    new = changed(changed(ONE, "reward", 0, 1, 4), "done", 4)
    labels = {"next.reward": [[0, 2], [4, 5]], "next.done": [[4, 5]]}
    assert against(ZERO, new, TWO, THREE)[1] == ("relabelled", 1, 1, None, labels, None, {})
    assert against(new, ZERO, TWO, THREE)[0] == ("relabelled", 1, 0, None, labels, None, {})


def test_retasked(against) -> None:
    new = replace(ONE, task="place")
    assert against(ZERO, new, TWO, THREE)[1] == ("retasked", 1, 1, None, {}, (["pick"], ["place"]), {})


def test_cut(against) -> None:
    assert against(ZERO, ONE, TWO.cut(3, 9), THREE)[2] == ("cut", 2, 2, (3, 9), {}, None, {})
    found = against(ZERO.cut(0, 4), ZERO.cut(4, 9), ONE, TWO, changed(THREE.cut(2, 5), "reward", 1))
    assert found == [
        ("cut", 0, 0, (0, 4), {}, None, {}),
        ("cut", 0, 1, (4, 9), {}, None, {}),
        same(1, 2),
        same(2, 3),
        ("cut", 3, 4, (2, 5), {"next.reward": [[1, 2]]}, None, {}),
    ]


def test_extended(tmp_path: Path) -> None:
    a = write_rows(tmp_path / "a", [ZERO, TWO.cut(3, 9)])
    b = write_rows(tmp_path / "b", [ZERO, TWO])
    assert brief(compared(a, b).episodes[1]) == ("extended", 1, 1, (3, 9), {}, None, {})


def test_changed(against) -> None:
    new = changed(changed(TWO, "action", 3, 7, 8), "state", 11)
    features = {"observation.state": (1, 11), "action": (3, 3)}
    assert against(ZERO, ONE, new, THREE)[2] == ("changed", 2, 2, None, {}, None, features)


def test_changed_elsewhere(against) -> None:
    """A changed episode is found where others before it are gone, and each by its own rows."""
    one, two = changed(ONE, "state", 0), changed(TWO, "state", 1, 2)
    assert against(two, one) == [
        ("changed", 2, 0, None, {}, None, {"observation.state": (2, 1)}),
        ("changed", 1, 1, None, {}, None, {"observation.state": (1, 0)}),
        ("only in A", 0, None, None, {}, None, {}),
        ("only in A", 3, None, None, {}, None, {}),
    ]


def test_every_row_of_one_column_is_new(against) -> None:
    new = replace(TWO, action=TWO.action * 2)
    features = {"action": (12, 0)}
    assert against(ZERO, new)[1] == ("changed", 2, 1, None, {}, None, features)


def test_all_rows_of_all_columns_are_new(tmp_path: Path) -> None:
    """Degrees became radians: nothing is equal, but every episode is as long as before."""
    a = write_rows(tmp_path / "a", EPISODES)
    new = [replace(each, state=np.radians(each.state), action=np.radians(each.action)) for each in EPISODES]
    b = write_rows(tmp_path / "b", new)
    report = compared(a, b)
    assert [each.kind for each in report.episodes] == ["changed"] * 4
    assert report.episodes[1].features == [
        FeatureChange("observation.state", 7, 0),
        FeatureChange("action", 7, 0),
    ]


def test_another_episode_of_the_same_length(tmp_path: Path) -> None:
    a, b = write_rows(tmp_path / "a", [ZERO]), write_rows(tmp_path / "b", [Rows.made(9, len(ZERO))])
    assert episodes_of(compared(a, b)) == [("only in B", None, 0), ("only in A", 0, None)]


def test_an_episode_is_there_twice(against) -> None:
    assert against(ZERO, ONE, ZERO, TWO, THREE)[2] == same(0, 2)


def test_of_equal_episodes_the_next_one_is_taken(tmp_path: Path) -> None:
    """A dataset that has each episode three times, without two of them."""
    thrice = [ZERO, ONE, TWO, THREE] * 3
    a = write_rows(tmp_path / "thrice", thrice)
    kept = [episode for episode in range(12) if episode not in (1, 6)]
    b = write_rows(tmp_path / "fewer", [thrice[episode] for episode in kept])
    alone = [("only in A", 1, None), ("only in A", 6, None)]
    moved = [("same" if own == b else "moved", own, b) for b, own in enumerate(kept)]
    assert episodes_of(compared(a, b)) == [*moved, *alone]


def test_episodes_with_equal_rows_keep_their_labels(tmp_path: Path) -> None:
    other = changed(ZERO, "reward", 2)
    a, b = write_rows(tmp_path / "a", [ZERO, other]), write_rows(tmp_path / "b", [other, ZERO])
    assert episodes_of(compared(a, b)) == [("moved", 1, 0), ("moved", 0, 1)]


def test_bits_decide_and_nan_is_nan(tmp_path: Path) -> None:
    values, others = ONE.state.copy(), ONE.state.copy()
    values[2, 0], values[3, 1], values[4, 1] = np.nan, 0.0, 1.0
    others[2, 0] = np.frombuffer(b"\x01\x00\xc0\xff", np.float32)[0]  # another NaN
    others[3, 1], others[4, 1] = -0.0, np.nextafter(np.float32(1), np.float32(2))
    a = write_rows(tmp_path / "a", [replace(ONE, state=values)])
    b = write_rows(tmp_path / "b", [replace(ONE, state=others)])
    assert compared(a, b).episodes[0].features == [FeatureChange("observation.state", 2, 3)]


def test_columns_of_another_type_with_equal_values(tmp_path: Path) -> None:
    a, b = write_rows(tmp_path / "a", EPISODES), write_rows(tmp_path / "b", EPISODES)
    for path in sorted((b / "data").rglob("*.parquet")):
        table = pq.ParquetFile(path).read()
        for name, kind in (("action", pa.list_(pa.float64())), ("next.reward", pa.float64())):
            place = table.column_names.index(name)
            table = table.set_column(place, name, table[name].cast(kind))
        pq.write_table(table, path)
    assert compared(a, b).equal
    change_features(b, action={"dtype": "float64", "shape": [2], "names": factories.JOINTS})
    report = compared(a, b)
    assert [each.kind for each in report.episodes] == ["same"] * 4
    assert [(each.field, each.name) for each in report.dataset] == [("features", "action")]


def test_timestamps_are_named_and_decide_no_kind(tmp_path: Path) -> None:
    a, b = write_rows(tmp_path / "a", EPISODES), write_rows(tmp_path / "b", EPISODES)
    path = b / factories.LEGACY_DATA.format(episode_chunk=0, episode_index=1)
    table = pq.ParquetFile(path).read()
    stamps = table["timestamp"].to_numpy().copy()
    stamps[3] += 0.00001
    stamps[5] += 0.02
    pq.write_table(
        table.set_column(table.column_names.index("timestamp"), "timestamp", pa.array(stamps)), path
    )
    report = compared(a, b)
    assert [each.kind for each in report.episodes] == ["same"] * 4
    assert report.episodes[1].timestamp == FeatureChange("timestamp", 1, 5)
    assert not report.equal


def test_the_level_of_the_dataset(tmp_path: Path) -> None:
    a = write_rows(tmp_path / "a", [ZERO, ONE])
    b = write_rows(tmp_path / "b", [ZERO, replace(ONE, task="place")])
    change_info(b, robot_type="koch", fps=30, lab_key=7, codebase_version="v2.0")
    change_features(b, **{"next.done": None, "extra": {"dtype": "string", "shape": [1], "names": None}})
    (b / "NOTES.md").write_text("x")
    report = compared(a, b)
    found = {(each.field, each.name): (each.a, each.b) for each in report.dataset}
    assert found == {
        ("fps", ""): (10, 30),
        ("robot_type", ""): ("so_follower", "koch"),
        ("features", "next.done"): ({"dtype": "bool", "shape": [1], "names": []}, None),
        ("features", "extra"): (None, {"dtype": "string", "shape": [1], "names": []}),
        ("info", "lab_key"): (None, 7),
        ("tasks", "place"): (False, True),
        ("files", "NOTES.md"): (False, True),
    }
    assert (report.a.codebase_version, report.b.codebase_version) == ("v2.1", "v2.0")


def test_numbers_with_names_are_compared_by_name(tmp_path: Path) -> None:
    """Two datasets count their subtasks in another order."""
    roots = [write_rows(tmp_path / name, [ZERO]) for name in ("a", "b")]
    for root, names, numbers in (
        (roots[0], ["reach", "grasp"], [0] * 4 + [1] * 5),
        (roots[1], ["grasp", "reach"], [1] * 4 + [0] * 5),
    ):
        change_features(root, subtask_index={"dtype": "int64", "shape": [1], "names": None})
        table = pa.table({"subtask_index": [0, 1], "subtask": names})
        pq.write_table(table, root / "meta/subtasks.parquet")
        path = next((root / "data").rglob("*.parquet"))
        pq.write_table(pq.ParquetFile(path).read().append_column("subtask_index", [numbers]), path)
    assert compared(*roots).equal
    (roots[1] / "meta/subtasks.parquet").unlink()
    report = compared(*roots)
    assert report.episodes[0].features == [FeatureChange("subtask_index", 9, 0)]


def test_images_in_the_table(tmp_path: Path) -> None:
    spec = factories.Legacy(lengths=(4, 3), cameras=(), images=("observation.images.eye",))
    a, b = factories.write_legacy(tmp_path / "a", spec), factories.write_legacy(tmp_path / "b", spec)
    path = b / factories.LEGACY_DATA.format(episode_chunk=0, episode_index=0)
    table = pq.ParquetFile(path).read()
    images = table["observation.images.eye"].to_pylist()
    images = [{"bytes": each["bytes"], "path": f"other/{number}.png"} for number, each in enumerate(images)]

    def write() -> None:
        column = pa.array(images, table.schema.field("observation.images.eye").type)
        place = table.column_names.index("observation.images.eye")
        pq.write_table(table.set_column(place, "observation.images.eye", column), path)

    write()
    assert compared(a, b).equal
    images[2]["bytes"] = images[1]["bytes"]
    write()
    assert compared(a, b).episodes[0].features == [FeatureChange("observation.images.eye", 1, 2)]


def test_json_says_it_all(tmp_path: Path) -> None:
    a, b = write_rows(tmp_path / "a", EPISODES), write_rows(tmp_path / "b", [TWO.cut(3, 9), ZERO])
    values = json.loads(json.dumps(compared(a, b).to_json()))
    assert values["equal"] is False
    assert values["counts"]["cut"] == values["counts"]["moved"] == 1
    assert values["counts"]["only in A"] == 2
    assert values["episodes"][0] == {
        "kind": "cut",
        "a": 2,
        "b": 0,
        "length_a": 12,
        "length_b": 6,
        "range": [3, 9],
        "labels": {},
        "tasks": None,
        "features": [],
        "timestamp": None,
    }
