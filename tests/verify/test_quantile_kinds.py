"""Which kind of quantiles ``stats.json`` has, and whether its statistics are stale or wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot_grasp_plugin import Problem, SourceConfig, merge
from lerobot_grasp_plugin.core.stats import QUANTILES
from lerobot_grasp_plugin.merging.recipe import MergeConfig
from tests.support.factories import Legacy, data_table, episodes_table, write_legacy
from tests.support.verifying import DATA, EPISODES, by_code, change_column, change_json, findings

type Recorded = Callable[[str], Path]


@pytest.fixture
def drifted(recorded: Recorded, tmp_path: Path) -> Path:
    """A dataset whose episodes have actions in different places, so that the kinds differ."""
    source = tmp_path / "source"
    shutil.copytree(recorded("av1"), source)
    lengths: list[Any] = episodes_table(source)["length"].to_pylist()
    moved = np.repeat(100.0 * np.arange(len(lengths)), lengths)

    def move(values: list[list[float]]) -> list[list[float]]:
        return (np.array(values) + moved[:, None]).tolist()

    change_column(source, DATA, "action", move)
    merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "drifted"))
    return tmp_path / "drifted"


def of_episodes(root: Path) -> dict[str, np.ndarray]:
    table = episodes_table(root)
    return {each: np.array(table[f"stats/action/{each}"].to_pylist()) for each in (*QUANTILES, "count")}


def store(root: Path, quantiles: dict[str, np.ndarray]) -> None:
    def change(stats: dict) -> None:
        stats["action"] |= {name: value.tolist() for name, value in quantiles.items()}

    change_json(root, "meta/stats.json", change)


def about(root: Path) -> list[Problem]:
    return [
        problem
        for problem in findings(root, notes=True)
        if problem.code in ("episode-quantiles", "wrong-statistics", "stale-statistics")
    ]


def test_exact_ones_are_quiet(drifted: Path) -> None:
    assert about(drifted) == []


def test_the_mean_of_the_episodes(drifted: Path) -> None:
    from lerobot.datasets.compute_stats import aggregate_feature_stats

    table = episodes_table(drifted).to_pydict()
    names = ("min", "max", "mean", "std", "count", *QUANTILES)
    episodes = [
        {name: np.array(table[f"stats/action/{name}"][episode]) for name in names}
        for episode in range(len(table["length"]))
    ]
    aggregated = aggregate_feature_stats(episodes)
    store(drifted, {name: aggregated[name] for name in QUANTILES})
    [note] = about(drifted)
    assert (note.code, note.severity) == ("episode-quantiles", "note")
    assert "quantiles of 'action' are the mean of the episodes'" in note.message
    assert "% of the rows are below it" in note.message


def test_the_bounds_of_the_episodes(drifted: Path) -> None:
    """LeRobot from 0.6.2 on: the least up to the median, and the greatest above it."""
    own = of_episodes(drifted)
    least = {name: own[name].min(axis=0) for name in ("q01", "q10", "q50")}
    store(drifted, least | {name: own[name].max(axis=0) for name in ("q90", "q99")})
    values = np.array(data_table(drifted)["action"].to_pylist())
    low, high = (json.loads((drifted / "meta/stats.json").read_text())["action"][q] for q in ("q10", "q90"))
    assert (np.quantile(values, 0.1, axis=0) > low).all()
    assert (np.quantile(values, 0.9, axis=0) < high).all()
    [note] = about(drifted)
    assert (note.code, note.severity) == ("episode-quantiles", "note")
    assert "the least and the greatest of the episodes' (LeRobot from 0.6.2" in note.message


def test_quantiles_of_no_kind(drifted: Path) -> None:
    def change(stats: dict) -> None:
        stats["action"]["q10"][0] += 37.0

    change_json(drifted, "meta/stats.json", change)
    [warning] = about(drifted)
    assert (warning.code, warning.severity) == ("wrong-statistics", "warning")
    assert "'action': q10 is" in warning.message


def test_a_kind_that_cannot_be_known(drifted: Path) -> None:
    """The quantiles of the episodes are wrong, so nothing can be made of them."""
    moved = [[1e4, 1e4]] * len(episodes_table(drifted))
    change_column(drifted, EPISODES, "stats/action/q10", lambda rows: moved)
    store(drifted, {"q10": np.median(of_episodes(drifted)["q50"], axis=0)})
    codes = [(problem.code, problem.severity) for problem in about(drifted)]
    assert codes == [("wrong-statistics", "warning"), ("episode-quantiles", "note")]


def test_statistics_of_other_rows_are_stale(drifted: Path) -> None:
    def change(stats: dict) -> None:
        stats["action"]["count"] = [12]
        stats["action"]["mean"][0] += 5

    change_json(drifted, "meta/stats.json", change)
    [warning] = about(drifted)
    assert (warning.code, warning.severity) == ("stale-statistics", "warning")
    assert "their count differs" in warning.message


def test_statistics_of_rows_before_a_change_are_stale(drifted: Path) -> None:
    change_column(drifted, DATA, "action", lambda values: [[2 * x for x in row] for row in values])
    codes = {problem.code: problem.message for problem in about(drifted)}
    assert "the rows were probably changed" in codes["stale-statistics"]


def test_wrong_statistics_are_not_stale(drifted: Path) -> None:
    def change(stats: dict) -> None:
        stats["action"]["mean"][0] += 500

    change_json(drifted, "meta/stats.json", change)
    assert "mean is" in by_code(drifted, "wrong-statistics").message


def test_recordings_of_lerobot_get_a_note_at_most(recorded: Recorded) -> None:
    assert {problem.code for problem in about(recorded("av1"))} <= {"episode-quantiles"}


@pytest.mark.parametrize("level", ["meta", "data"])
def test_the_missing_file_is_named(tmp_path: Path, level: str) -> None:
    """stats.json alone is there, where format v2.1 needs the statistics of each episode."""
    root = write_legacy(tmp_path / "set", Legacy(version="v2.1"))
    episodes = (root / "meta/episodes_stats.jsonl").read_text().splitlines()
    first = json.loads(episodes[0])["stats"]
    (root / "meta/stats.json").write_text(json.dumps(first))
    (root / "meta/episodes_stats.jsonl").unlink()
    problem = by_code(root, "missing-stats", level)
    assert problem.place.path == str(root / "meta/episodes_stats.jsonl")
    assert problem.message == "statistics of single episodes are missing; meta/stats.json has statistics"


@pytest.mark.parametrize("level", ["meta", "data"])
def test_missing_statistics_are_named_where_no_rows_are(drifted: Path, level: str) -> None:
    (drifted / "meta/stats.json").unlink()
    (drifted / DATA).unlink()
    assert "missing-stats" in {problem.code for problem in findings(drifted, level)}


def test_stale_statistics_name_their_quantiles(drifted: Path) -> None:
    change_column(drifted, DATA, "action", lambda values: (np.array(values) + 1000).tolist())
    (overall,) = [problem for problem in about(drifted) if problem.code == "stale-statistics"]
    # of these few rows none need be below q01
    assert overall.message.endswith("; q10, q50, q90, q99 are not the quantiles of the rows either")
