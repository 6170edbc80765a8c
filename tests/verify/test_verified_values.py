"""Statistics, labels, and values that hurt training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge
from tests.support.factories import Legacy, write_legacy, write_lines
from tests.support.verifying import (
    DATA,
    EPISODES,
    LEGACY_DATA,
    by_code,
    change_column,
    change_json,
    change_table,
    findings,
    found,
)

type Recorded = Callable[[str], Path]

TABLE = "data/chunk-000/episode_{:06d}.parquet"


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Three labelled episodes of 12, 14 and 11 rows, without images."""
    return write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(12, 14, 11), labels=True))


# -- statistics ---------------------------------------------------------------------------------------


def stat(feature: str, statistic: str, value: Any) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        change_json(root, "meta/stats.json", lambda content: content[feature].update({statistic: value}))

    return spoil


STATS_FAULTS = {
    "another mean": (stat("action", "mean", [0.0, 0.0]), "wrong-statistics", "warning"),
    "another maximum": (stat("action", "max", [1e4, 1e4]), "wrong-statistics", "warning"),
    "another spread": (stat("observation.state", "std", [1.0, 1.0]), "wrong-statistics", "warning"),
    "another count": (stat("action", "count", [34]), "stale-statistics", "warning"),
    "quantiles out of order": (stat("action", "q10", [1e4, 1e4]), "wrong-statistics", "warning"),
    "labels changed since": (stat("next.reward", "mean", [0.9]), "stale-label-statistics", "warning"),
    "another width": (stat("action", "mean", [0.0] * 6), "wrong-stats-shape", "error"),
    "text": (stat("action", "mean", ["a", "b"]), "bad-stats", "error"),
    "numbers as text": (stat("action", "mean", ["1.0", "2.0"]), "bad-stats", "error"),
    "null": (stat("index", "mean", None), "bad-stats", "error"),
    "text that no policy reads": (stat("action", "unit", "degrees"), "bad-stats", "error"),
    "more than merge reads": (stat("action", "histogram", {"bins": [1, 2]}), "bad-stats", "warning"),
    "a median that no policy reads": (stat("action", "q50", [float("nan")] * 2), "wrong-statistics", "note"),
    "a median out of order": (stat("action", "q50", [1e4, 1e4]), "wrong-statistics", "note"),
    "a median of another width": (stat("action", "q50", [0.0] * 6), "wrong-stats-shape", "warning"),
    "times that no policy reads": (stat("timestamp", "mean", [5.0]), "wrong-statistics", "note"),
    "a column in place of a row": (stat("action", "mean", [[0.0], [0.0]]), "wrong-stats-shape", "error"),
    "channels last": (
        stat("observation.images.wrist", "mean", [[[0.1, 0.2, 0.3]]]),
        "wrong-stats-shape",
        "error",
    ),
    "channels alone": (
        stat("observation.images.wrist", "mean", [0.1, 0.2, 0.3]),
        "wrong-stats-shape",
        "warning",
    ),
    "images from 0 to 255": (
        stat("observation.images.wrist", "max", [[[255.0]]] * 3),
        "wrong-statistics",
        "warning",
    ),
    "images of no channels": (
        stat("observation.images.wrist", "mean", [0.5, 0.5, 0.5, 0.5]),
        "wrong-stats-shape",
        "error",
    ),
}


@pytest.mark.parametrize("fault", STATS_FAULTS)
def test_statistics_that_are_wrong(fault: str, copied: Recorded) -> None:
    root = copied("av1")
    spoil, code, severity = STATS_FAULTS[fault]
    spoil(root)
    problem = by_code(root, code)
    assert (problem.place.path, problem.severity) == (str(root / "meta/stats.json"), severity)


@pytest.mark.parametrize(
    ("value", "code", "severity"),
    [
        (lambda rows: rows.reshape(-1, 3).mean(axis=0), None, None),
        (lambda rows: rows.reshape(-1, 3).mean(axis=0) + 1, "wrong-statistics", "warning"),
        (lambda rows: rows.mean(axis=0).reshape(6), "wrong-stats-shape", "error"),
        (lambda rows: rows.mean(axis=0), "wrong-stats-shape", "error"),
        (lambda rows: rows.mean(), "wrong-stats-shape", "error"),
    ],
)
def test_statistics_of_rows_of_several_axes(
    value: Callable[[Any], Any], code: str | None, severity: str | None, copied: Recorded
) -> None:
    """LeRobot has one for each place of the last axis, and normalises with none of another shape."""
    root, name = copied("odd"), "observation.matrix"
    table = pq.ParquetFile(root / DATA).read()
    rows = np.array(table["odd.matrix"].to_pylist())
    renamed = [each.replace("odd.matrix", name) for each in table.column_names]
    change_table(root, DATA, lambda table: table.rename_columns(renamed).replace_schema_metadata(None))
    columns = pq.ParquetFile(root / EPISODES).read().column_names
    kept = [each for each in columns if "odd.matrix" not in each]
    change_table(root, EPISODES, lambda table: table.select(kept))

    def moved(content: dict[str, Any]) -> None:
        content[name] = content.pop("odd.matrix")

    change_json(root, "meta/info.json", lambda content: moved(content["features"]))
    change_json(root, "meta/stats.json", moved)
    stat(name, "mean", value(rows).tolist())(root)
    problems = [problem for problem in findings(root) if problem.code != "missing-stats"]
    problems = [problem for problem in problems if name in problem.message]
    assert [(problem.code, problem.severity) for problem in problems] == ([(code, severity)] if code else [])


def test_statistics_of_each_value_of_a_row(copied: Recorded) -> None:
    """As LeRobot before 0.4 wrote them; they broadcast with the values."""
    root = copied("odd")
    rows = np.array(pq.ParquetFile(root / DATA).read()["odd.matrix"].to_pylist())
    for moment in ("min", "max", "mean", "std"):
        stat("odd.matrix", moment, getattr(rows, moment)(axis=0).tolist())(root)

    def without_quantiles(content: dict[str, Any]) -> None:
        for statistic in ("q01", "q10", "q50", "q90", "q99"):
            del content["odd.matrix"][statistic]

    change_json(root, "meta/stats.json", without_quantiles)
    assert [problem for problem in findings(root, notes=True) if "odd.matrix" in problem.message] == []
    stat("odd.matrix", "mean", (rows.mean(axis=0) + 1).tolist())(root)
    assert by_code(root, "wrong-statistics").severity == "note"


@pytest.mark.parametrize("statistic", ["min", "max", "mean", "std", "q10", "q50", "q99"])
def test_statistics_of_one_episode(statistic: str, copied: Recorded) -> None:
    root = copied("av1")
    name = f"stats/action/{statistic}"
    change_column(root, EPISODES, name, lambda rows: [*rows[:2], [1e4, -1e4], *rows[3:]])
    problem = by_code(root, "wrong-statistics")
    assert (problem.place.path, problem.place.episode) == (str(root / "meta/episodes"), 2)


def test_statistics_of_labels_that_were_changed(copied: Recorded) -> None:
    root = copied("av1")
    change_column(root, DATA, "next.reward", lambda values: [1.0] * 12 + values[12:])
    stale = [problem for problem in findings(root) if problem.code == "stale-label-statistics"]
    assert [(problem.place.path, problem.place.episode) for problem in stale] == [
        (str(root / "meta/stats.json"), None),
        (str(root / "meta/episodes"), 0),
    ]
    assert "episodes 0-1" in stale[1].message


def test_statistics_that_are_missing(copied: Recorded, plain: Path) -> None:
    root = copied("av1")
    (root / "meta/stats.json").unlink()
    change_table(
        root,
        EPISODES,
        lambda table: table.drop_columns([n for n in table.column_names if "stats/action" in n]),
    )
    missing = [problem for problem in findings(root) if problem.code == "missing-stats"]
    assert [problem.place.path for problem in missing] == [
        str(root / "meta/stats.json"),
        str(root / "meta/episodes"),
    ]
    assert missing[1].message == "no statistics of 'action'"
    (plain / "meta/episodes_stats.jsonl").unlink()
    assert found(plain) == [("missing-stats", "warning")]


def test_an_episode_without_statistics_is_one_finding(tmp_path: Path) -> None:
    """A conversion to v2.1 that was broken off leaves such lists."""
    root = write_legacy(tmp_path / "set", Legacy(lengths=(12, 14, 11)))
    path = root / "meta/episodes_stats.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[2]]))
    assert [(problem.code, problem.place.episode) for problem in findings(root)] == [("missing-stats", 1)]


def test_statistics_nobody_reads_are_worth_a_note(copied: Recorded, plain: Path) -> None:
    root = copied("av1")
    change_json(root, "meta/stats.json", lambda content: content.pop("index") and None)
    change_json(root, "meta/stats.json", lambda content: content.pop("next.reward") and None)
    problem = by_code(root, "missing-stats")
    assert (problem.message, problem.severity) == ("no statistics of 'next.reward', 'index'", "note")
    change_json(root, "meta/stats.json", lambda content: content.pop("observation.images.wrist") and None)
    assert "use_imagenet_stats" in next(p.hint for p in findings(root) if p.code == "missing-stats")
    path = plain / "meta/episodes_stats.jsonl"
    path.write_text(path.read_text().replace('"count"', '"unit": "degrees", "count"', 1))
    assert by_code(plain, "bad-stats").severity == "note"
    path.write_text(path.read_text().replace('"min": [', '"min": ["', 1).replace("]", '"]', 1))
    assert "bad-stats" in {code for code, severity in found(plain) if severity == "error"}


def test_statistics_of_images_from_0_to_255_say_nothing_of_the_images(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(lengths=(12, 11)))
    path = root / "meta/episodes_stats.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    for entry in entries:
        stats = entry["stats"]["observation.images.wrist"]
        for name in ("min", "max", "mean", "std"):
            stats[name] = (255 * np.array(stats[name])).tolist()
    write_lines(path, entries)
    assert found(root, "decode") == [("wrong-statistics", "warning")]


def test_statistics_of_old_numbers_are_one_note(copied: Recorded) -> None:
    """LeRobot's delete leaves those of every index as they were."""
    root = copied("av1")
    for name in ("index", "episode_index"):
        stat(name, "max", [99.0])(root)
    problem = by_code(root, "wrong-statistics")
    assert problem.severity == "note"
    assert "'episode_index'" in problem.message
    assert "'index'" in problem.message


def test_statistics_of_rows_nobody_lists(copied: Recorded) -> None:
    """Without listed episodes there is nothing to compare quantiles with."""
    root = copied("av1")
    change_table(root, EPISODES, lambda table: table.slice(0, 0))
    codes = {code for code, _ in found(root)}
    assert not codes & {"check-failed", "wrong-statistics", "stale-label-statistics"}


@settings(max_examples=30, deadline=None)
@given(
    data=st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=60),
    offset=st.sampled_from([0.0, 1e3, 1e5]),
)
def test_what_lerobot_computes_is_right(data: Sequence[float], offset: float) -> None:
    """Statistics from LeRobot's own functions are never called wrong."""
    from lerobot.datasets.compute_stats import get_feature_stats

    from lerobot_grasp_plugin.core.stats import QUANTILES, differing
    from lerobot_grasp_plugin.verify.episode_quantiles import misplaced
    from lerobot_grasp_plugin.verify.rows import Rows
    from lerobot_grasp_plugin.verify.summaries import Summary

    values = (np.array(data, dtype=np.float32) + np.float32(offset)).reshape(-1, 1)
    stats = get_feature_stats(values, axis=0, keepdims=False)
    lengths = np.array([len(values)])
    rows = Rows([Path("file")], np.array([0]), np.array([0]), lengths, {"action": values})
    summary = Summary()
    summary.add(np.array([0]), values, rows)
    summary.finish()
    stored = {name: np.asarray(value, dtype=np.float64).reshape(1, -1) for name, value in stats.items()}
    true = {"min": summary.low, "max": summary.high, "mean": summary.mean, "std": summary.std}
    assert not differing(stored, true, lengths)
    for name, quantile in QUANTILES.items():
        width = stored["max"] - stored["min"]
        assert not misplaced(rows, quantile, values, stored[name], width).any(), (name, data)


# -- labels -------------------------------------------------------------------------------------------


def rewards(*changes: Callable[[list[float]], list[float]]) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        for number, change in enumerate(changes):
            change_column(root, TABLE.format(number), "next.reward", change)

    return spoil


def zeros(values: list[float]) -> list[float]:
    return [0.0] * len(values)


def test_rewards_that_say_nothing(plain: Path) -> None:
    rewards(zeros, zeros, zeros)(plain)
    assert by_code(plain, "reward-all-zero").severity == "warning"


def test_rewards_of_several_values(plain: Path) -> None:
    rewards(lambda values: [0.25, 0.5, *values[2:]])(plain)
    assert "0, 0.25, 0.5, 1" in by_code(plain, "dense-rewards").message


def test_balance_and_episodes_without_success(plain: Path) -> None:
    rewards(lambda v: v, zeros)(plain)
    problem = by_code(plain, "no-success")
    assert (problem.severity, problem.place.episode) == ("note", 1)
    assert "success in 2 of 37 frames (5.4 %), in 2 of 3 episodes" in by_code(plain, "class-balance").message


def test_rewards_without_done(plain: Path) -> None:
    """Rewards were written anew and next.done was not."""
    rewards(lambda values: [0.0] * 5 + [1.0] * 7)(plain)
    assert "6 rows of episode 0" in by_code(plain, "success-without-done").message
    change_column(plain, TABLE.format(0), "next.done", lambda values: [False] * len(values))
    problem = by_code(plain, "reward-without-done")
    assert (problem.severity, problem.place.episode) == ("warning", 0)
    for number in range(3):
        change_column(plain, TABLE.format(number), "next.done", lambda values: [False] * len(values))
    assert by_code(plain, "done-all-false").severity == "warning"


def test_done_in_the_middle_and_not_at_the_end(plain: Path) -> None:
    change_column(plain, LEGACY_DATA, "next.done", lambda values: [n == 4 for n in range(len(values))])
    early, late = by_code(plain, "done-before-end"), by_code(plain, "done-missing-at-end")
    assert [(each.place.episode, each.place.frame) for each in (early, late)] == [(1, 4), (1, 13)]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Episodes of two sources, labelled, with the sidecar that says so; ``first_success`` ends them."""
    first = write_legacy(tmp_path / "first", Legacy(cameras=(), lengths=(12, 14)))
    second = write_legacy(tmp_path / "second", Legacy(cameras=(), lengths=(11,), seed=3))
    file = tmp_path / "labels.txt"
    file.write_text(
        f"# index_base: 0\n# dataset path: {first}\n00: 4-\n01: 3-5\n# dataset path: {second}\n00: all fail\n"
    )
    sources = [SourceConfig(root=first), SourceConfig(root=second)]
    config = MergeConfig(sources=sources, annotations=file, new_root=tmp_path / "out", done="first_success")
    return merge(config).root


def test_labels_and_sidecar_agree(labelled: Path) -> None:
    assert found(labelled) == []
    balance = [each.message for each in findings(labelled, notes=True) if each.code == "class-balance"]
    assert [message.split(" frames")[0] for message in balance] == [
        "success in 11 of 37",
        "first: success in 11 of 26",
        "second: success in 0 of 11",
    ]


def test_labels_other_than_the_sidecar_says(labelled: Path) -> None:
    change_column(labelled, DATA, "next.reward", lambda values: [*values[:20], 1.0, *values[21:]])
    problem = by_code(labelled, "reward-differs-from-sidecar")
    assert (problem.place.episode, problem.place.frame, problem.severity) == (1, 8, "warning")
    assert "the sidecar's" not in problem.message
    change_column(labelled, DATA, "next.done", lambda values: [*values[:4], False, *values[5:]])
    problem = by_code(labelled, "done-differs-from-sidecar")
    assert (problem.place.episode, problem.place.frame) == (0, 4)
    assert "first_success" in problem.message


@pytest.mark.parametrize(("shift", "words"), [(1, "1 frame later"), (-1, "1 frame earlier")])
def test_labels_that_are_shifted_against_the_sidecar(shift: int, words: str, labelled: Path) -> None:
    def shifted(values: list[float]) -> list[float]:
        episodes = values[:12], values[12:26], values[26:]
        if shift > 0:
            return [value for each in episodes for value in (0.0, *each[:-1])]
        return [value for each in episodes for value in (*each[1:], each[-1])]

    change_column(labelled, DATA, "next.reward", shifted)
    problem = by_code(labelled, "reward-differs-from-sidecar")
    assert words in problem.message
    assert "index_base" in problem.hint


def test_a_sidecar_of_other_data(labelled: Path) -> None:
    change_column(labelled, DATA, "action", lambda values: [[9.0, 9.0], *values[1:]])
    assert by_code(labelled, "sidecar-of-other-data").place.episode == 0


def test_a_sidecar_of_another_dataset(labelled: Path, copied: Recorded) -> None:
    root = copied("av1")
    shutil.copy(labelled / "meta/grasp_provenance.json", root / "meta")
    assert "3 episodes, the dataset has 5" in by_code(root, "sidecar-of-other-data").message
    (root / "meta/grasp_provenance.json").write_text(json.dumps({"sources": 7}))
    assert found(root) == [("bad-sidecar", "warning")] * 2  # sources and episodes


SIDECAR_FAULTS = {
    "a length no episode has": lambda content: content["episodes"][0].update(length=float("inf")),
    "success past the end": lambda content: content["episodes"][0].update(success=[[5, 99]]),
    "success before the beginning": lambda content: content["episodes"][0].update(success=[[-5, 3]]),
    "an episode twice": lambda content: content["episodes"].append(content["episodes"][0]),
    "done that is no text": lambda content: content["sources"][0].update(done=["x"]),
    "a hash that is no text": lambda content: content["episodes"][0].update(content_sha256=5),
}


@pytest.mark.parametrize("fault", SIDECAR_FAULTS)
def test_a_sidecar_that_contradicts_itself(fault: str, labelled: Path) -> None:
    change_json(labelled, "meta/grasp_provenance.json", SIDECAR_FAULTS[fault])
    assert found(labelled) == [("bad-sidecar", "warning")]


def test_rewards_that_are_no_numbers_have_no_balance(plain: Path) -> None:
    rewards(*[lambda values: [float("nan")] * len(values)] * 3)(plain)
    codes = {problem.code for problem in findings(plain, notes=True)}
    assert "not-finite" in codes
    assert not codes & {"class-balance", "no-success", "reward-constant"}
    rewards(lambda values: [float("inf"), *values[1:]])(plain)
    assert "reward-without-done" not in {code for code, _ in found(plain)}


# -- values -------------------------------------------------------------------------------------------


def actions(
    root: Path, episode: int, change: Callable[[np.ndarray], np.ndarray], name: str = "action"
) -> None:
    def changed(values: list[list[float]]) -> list[list[float]]:
        return change(np.array(values, dtype=np.float32)).tolist()

    change_column(root, TABLE.format(episode), name, changed)


def test_actions_that_do_not_move(plain: Path) -> None:
    for episode in range(3):
        actions(plain, episode, lambda values: values * [1, 0])
    assert "dimension 1 (gripper.pos) is 0 in all 37 rows" in by_code(plain, "constant-action").message
    actions(plain, 1, lambda values: values * 0)
    assert by_code(plain, "zero-action").place.episode == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers(value: float, plain: Path) -> None:
    def spoiled(values: np.ndarray) -> np.ndarray:
        values[5, 1] = value
        return values

    actions(plain, 1, spoiled)
    problem = by_code(plain, "not-finite")
    assert (problem.place.episode, problem.place.frame, problem.severity) == (1, 5, "warning")
    assert "leave the episode out" in problem.hint


@pytest.mark.parametrize("name", ["action", "observation.state"])
@pytest.mark.parametrize("factor", [np.pi / 180, 1 / 100])
def test_degrees_beside_radians(name: str, factor: float, tmp_path: Path) -> None:
    spec = Legacy(cameras=(), lengths=(12, 14, 11), stats=False)
    root = write_legacy(tmp_path / "set", spec)
    assert "mixed-units" not in {code for code, _ in found(root)}
    actions(root, 1, lambda values: values * np.float32(factor), name)
    problem = by_code(root, "mixed-units")
    assert (problem.place.episode, problem.severity) == (1, "warning")


def test_grippers_of_two_ranges(plain: Path) -> None:
    for episode, choices in enumerate(([0, 1, 2], [-1, 0, 1], [0, 1, 2])):
        gripper = np.resize(np.array(choices, np.float32), 14)

        def with_gripper(values: np.ndarray, gripper: np.ndarray = gripper) -> np.ndarray:
            return np.stack([values[:, 0], gripper[: len(values)]], axis=1)

        actions(plain, episode, with_gripper)
    assert "[0, 2] in episodes 0, 2, and in [-1, 1] in episode 1" in by_code(plain, "mixed-units").message


def test_an_episode_that_is_there_twice(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(12, 12, 11)))
    for name in ("action", "observation.state"):
        change_table(root, TABLE.format(1), lambda table, name=name: _taken(table, root, name))
    problem = by_code(root, "duplicate-episode")
    assert (problem.place.episode, "episode 0" in problem.message) == (1, True)


def _taken(table: pa.Table, root: Path, name: str) -> pa.Table:
    import pyarrow.parquet as pq

    column = pq.ParquetFile(root / TABLE.format(0)).read()[name]
    return table.set_column(table.column_names.index(name), name, column)


def test_an_episode_of_a_key_pressed_twice(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(12, 3, 11)))
    from lerobot_grasp_plugin import verify_dataset

    (problem,) = verify_dataset(root, level="data").problems
    assert (problem.code, problem.severity, problem.place.episode) == ("short-episode", "warning", 1)
    assert "0.30 s" in problem.message
