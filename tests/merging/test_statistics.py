"""Statistics of outputs, recomputed from their rows and read by LeRobot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import RelabelConfig, SourceConfig, merge, relabel
from lerobot_grasp_plugin.core.stats import QUANTILES
from lerobot_grasp_plugin.merging.recipe import MergeConfig
from tests.support.factories import Legacy, data_table, episodes_table, write_legacy
from tests.support.lerobot_judge import open_set
from tests.support.verifying import EPISODES, change_json, findings

type Recorded = Callable[[str], Path]
LABELS = "0: 3-\n1: 1, 4-5\n2: all fail\n3: all success\n4: 8\n"


def rows_of(root: Path, name: str) -> np.ndarray:
    values = np.array(data_table(root)[name].to_pylist(), dtype=np.float64)
    return values.reshape(len(values), -1)


def assert_exact(root: Path) -> None:
    """Every statistic of every table column is that of all rows."""
    stats = json.loads((root / "meta/stats.json").read_text())
    columns = [name for name in data_table(root).column_names if name in stats]
    assert {"action", "observation.state", "next.reward", "index", "timestamp"} <= set(columns)
    for name in columns:
        values = rows_of(root, name)
        for quantile, share in QUANTILES.items():
            assert np.array_equal(stats[name][quantile], np.quantile(values, share, axis=0)), (name, quantile)
        for moment in ("min", "max", "mean", "std"):
            wanted = getattr(values, moment)(axis=0)
            assert np.allclose(stats[name][moment], wanted, rtol=1e-9, atol=1e-9), (name, moment)
        assert stats[name]["count"] == [len(values)]


def spoil(root: Path, name: str, statistic: str, change: Callable[[list[float]], list[float]]) -> None:
    """Changes a statistic of the first episode."""
    table = pq.ParquetFile(root / EPISODES).read()
    entries = table.to_pylist()
    column = f"stats/{name}/{statistic}"
    entries[0][column] = change(entries[0][column])
    pq.write_table(pa.Table.from_pylist(entries, table.schema), root / EPISODES)


def relabelled(source: Path, tmp_path: Path) -> tuple[Path, list[str]]:
    (tmp_path / "labels.txt").write_text(LABELS)
    config = RelabelConfig(root=source, annotations=tmp_path / "labels.txt", new_root=tmp_path / "out")
    report = relabel(config)
    codes = ("wrong-statistics", "stale-label-statistics")
    return tmp_path / "out", [str(problem) for problem in report.warnings if problem.code in codes]


def test_relabel_computes_every_statistic(recorded: Recorded, tmp_path: Path) -> None:
    root, warnings = relabelled(recorded("av1"), tmp_path)
    assert_exact(root)
    assert warnings == []


def test_merge_computes_every_statistic(recorded: Recorded, tmp_path: Path) -> None:
    sources = [SourceConfig(root=recorded("av1"), episodes=[0, 2]), SourceConfig(root=recorded("av1"))]
    (tmp_path / "labels.txt").write_text(LABELS)
    config = MergeConfig(sources=sources, annotations=tmp_path / "labels.txt", new_root=tmp_path / "out")
    merge(config)
    assert_exact(tmp_path / "out")


@pytest.mark.parametrize(
    ("statistic", "change", "said"),
    [
        ("mean", lambda values: [1000.0, *values[1:]], "mean is 1000, but "),
        ("std", lambda values: [value * 8 for value in values], "std is "),
    ],
)
def test_wrong_statistics_of_an_episode_are_not_taken_over(
    recorded: Recorded,
    tmp_path: Path,
    statistic: str,
    change: Callable[[list[float]], list[float]],
    said: str,
) -> None:
    source = tmp_path / "source"
    shutil.copytree(recorded("av1"), source)
    spoil(source, "action", statistic, change)
    root, [warning] = relabelled(source, tmp_path)
    assert_exact(root)
    assert "'action'" in warning
    assert said in warning
    assert "(statistics of episode 0)" in warning
    own = np.array(episodes_table(root)[f"stats/action/{statistic}"].to_pylist()[0])
    length = episodes_table(root)["length"].to_pylist()[0]
    assert np.allclose(own, getattr(rows_of(root, "action")[:length], statistic)(axis=0))


def test_wrong_statistics_over_a_source_are_named(recorded: Recorded, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(recorded("av1"), source)

    def planted(stats: dict) -> None:
        stats["observation.state"]["mean"][0] = 1000.0

    change_json(source, "meta/stats.json", planted)
    root, [warning] = relabelled(source, tmp_path)
    assert_exact(root)
    assert "'observation.state': mean is 1000, but " in warning


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_legacy_sources(tmp_path: Path, version: str) -> None:
    spec = Legacy(version=version)
    source = write_legacy(tmp_path / "source", spec)
    merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    stats = json.loads((tmp_path / "out/meta/stats.json").read_text())
    wanted = np.quantile(rows_of(tmp_path / "out", "action"), 0.01, axis=0)
    assert np.array_equal(stats["action"]["q01"], wanted)


def test_lerobot_normalises_with_them(recorded: Recorded, tmp_path: Path) -> None:
    import torch
    from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature
    from lerobot.datasets.compute_stats import aggregate_stats
    from lerobot.processor import NormalizerProcessorStep, TransitionKey

    root, _ = relabelled(recorded("av1"), tmp_path)
    stats = open_set(root).meta.stats
    assert set(aggregate_stats([stats, stats])) == set(stats)
    width = len(stats["action"]["q01"])
    step = NormalizerProcessorStep(
        features={"action": PolicyFeature(FeatureType.ACTION, (width,))},
        norm_map={FeatureType.ACTION: NormalizationMode.QUANTILES},
        stats=stats,
    )
    values = torch.tensor(np.stack([stats["action"]["q01"], stats["action"]["q99"]]), dtype=torch.float32)
    normalised = step({TransitionKey.ACTION: values})[TransitionKey.ACTION]
    wanted = torch.tensor([[-1.0] * width, [1.0] * width])
    assert torch.allclose(normalised, wanted, atol=1e-3)


def test_rows_of_several_axes_have_statistics_of_the_last_one(recorded: Recorded, tmp_path: Path) -> None:
    """As LeRobot has them: they broadcast with the values, and its merge takes those of both."""
    from lerobot.datasets.compute_stats import aggregate_stats

    source, root = recorded("odd"), tmp_path / "out"
    report = merge(MergeConfig(sources=[SourceConfig(root=source, episodes=[2, 0, 1])], new_root=root))
    assert not [problem for problem in report.warnings if "statistics" in problem.code]
    rows = np.array(data_table(root)["odd.matrix"].to_pylist(), dtype=np.float64)
    assert rows.shape == (11, 2, 3)
    episodes = episodes_table(root)
    stored = [open_set(root).meta.stats["odd.matrix"]]
    for number in range(3):
        names = [*QUANTILES, "min", "max", "mean", "std", "count"]
        stored.append({name: episodes[f"stats/odd.matrix/{name}"].to_pylist()[number] for name in names})
    for stats, values in zip(stored, [rows, rows[:4], rows[4:8], rows[8:]], strict=True):
        flat = values.reshape(-1, 3)
        for moment in ("min", "max", "mean", "std"):
            assert np.allclose(stats[moment], getattr(flat, moment)(axis=0), rtol=1e-9), moment
        for name, share in QUANTILES.items():
            assert np.array_equal(stats[name], np.quantile(flat, share, axis=0)), name
        assert list(stats["count"]) == [len(values)]
    own = open_set(source).meta.stats
    together = aggregate_stats([own, open_set(root).meta.stats])
    assert np.allclose(together["odd.matrix"]["mean"], own["odd.matrix"]["mean"])


def test_the_sidecar_says_how_statistics_were_made(recorded: Recorded, tmp_path: Path) -> None:
    root, _ = relabelled(recorded("av1"), tmp_path)
    said = json.loads((root / "meta/grasp_provenance.json").read_text())["statistics"]
    assert said["columns"] == "computed from all rows"
    assert said["quantiles of images"].startswith("bounds")
    [camera] = [name for name in open_set(root).meta.stats if name.startswith("observation.images")][:1]
    episodes = np.array(episodes_table(root)[f"stats/{camera}/q99"].to_pylist()).reshape(5, -1)
    stats = json.loads((root / "meta/stats.json").read_text())
    assert np.allclose(np.ravel(stats[camera]["q99"]), episodes.max(axis=0))


def test_outputs_are_quiet(recorded: Recorded, tmp_path: Path) -> None:
    root, _ = relabelled(recorded("av1"), tmp_path)
    assert not [problem for problem in findings(root) if "statistics" in problem.code]
