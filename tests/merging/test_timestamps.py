"""Timestamps of sources: set where they must be, named, and kept where that is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import (
    DataError,
    MergeConfig,
    SourceConfig,
    merge,
)
from tests.support.factories import Legacy, write_legacy
from tests.support.lerobot_judge import assert_items, legacy_items
from tests.support.refusals import refused

type Recorded = Callable[[str], Path]


def test_jittered_timestamps_are_set_and_named(tmp_path: Path) -> None:
    spec = Legacy(jitter_s=0.004)
    source = write_legacy(tmp_path / "source", spec)
    report = merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    assert_items(tmp_path / "out", [legacy_items(source, spec, episode) for episode in range(3)])
    assert report.sources[0].timestamps_fixed == 15
    assert 0.002 < report.sources[0].max_deviation_s < 0.0041
    sidecar = json.loads((tmp_path / "out/meta/grasp_provenance.json").read_text())
    assert sidecar["timestamps_fixed"] == [
        {"source": 0, "rows": 15, "max_deviation_s": report.sources[0].max_deviation_s}
    ]


def test_one_timestamp_that_is_set_sets_all_of_its_episode(tmp_path: Path) -> None:
    from tests.support.factories import data_table

    source = write_legacy(tmp_path / "source", Legacy(jitter_s=0.00008))
    path = source / "data/chunk-000/episode_000001.parquet"
    table = pq.read_table(path)
    stamps = table["timestamp"].to_pylist()
    stamps[2] += 0.003
    pq.write_table(table.set_column(table.column_names.index("timestamp"), "timestamp", [stamps]), path)
    report = merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    written = data_table(tmp_path / "out")["timestamp"].to_pylist()
    assert written[6:10] == pytest.approx([0, 0.1, 0.2, 0.3], abs=1e-7)
    assert written[1] > 0.1 + 3e-5  # the episode before needed nothing
    assert report.sources[0].timestamps_fixed == 4


CLOCKS: dict[str, Callable[[int], object]] = {
    "epoch": lambda frame: 1.7e9 + frame / 10,
    "milliseconds": lambda frame: 100 * frame,
    "offset": lambda frame: 12.345 + frame / 10,
    "duplicates": lambda frame: (frame // 2) / 10,
    "constant": lambda frame: 0.0,
    "backwards": lambda frame: -frame / 10,
    "null": lambda frame: None if frame == 1 else frame / 10,
    "not a number": lambda frame: float("nan"),
    "text": lambda frame: f"00:00:{frame:02d}",
}


@pytest.mark.parametrize("clock", CLOCKS)
def test_no_recording_is_refused_for_its_clock(clock: str, tmp_path: Path) -> None:
    spec = Legacy()
    source = write_legacy(tmp_path / "source", spec)
    for path in source.rglob("*.parquet"):
        table = pq.read_table(path)
        values = pa.array([CLOCKS[clock](frame) for frame in table["frame_index"].to_pylist()])
        table = table.set_column(table.column_names.index("timestamp"), "timestamp", values)
        pq.write_table(table.replace_schema_metadata(None), path)
    report = merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out"))
    assert report.verification.ok
    assert report.sources[0].timestamps_fixed
    expected = write_legacy(tmp_path / "right", spec)
    assert_items(tmp_path / "out", [legacy_items(expected, spec, episode) for episode in range(3)])


def test_jittered_timestamps_are_refused_with_keep(tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy(jitter_s=0.004))
    twice = [SourceConfig(root=source, episodes=[episode]) for episode in (1, 2)]
    problems = refused(tmp_path / "out", *twice, error=DataError, timestamps="keep")
    assert [(p.code, p.place.episode) for p in problems] == [
        ("timestamp-off-grid", 1),
        ("timestamp-off-grid", 2),
    ]
    assert "--timestamps fix" in problems[0].hint


def test_timestamps_within_tolerance_are_kept_to_the_bit(tmp_path: Path) -> None:
    from tests.support.factories import data_table, legacy_timestamps

    spec = Legacy(jitter_s=0.00008)
    source = write_legacy(tmp_path / "source", spec)
    report = merge(
        MergeConfig(sources=[SourceConfig(root=source)], new_root=tmp_path / "out", timestamps="keep")
    )
    wanted = [stamp for episode in range(3) for stamp in legacy_timestamps(spec, episode).tolist()]
    assert data_table(tmp_path / "out")["timestamp"].to_pylist() == wanted
    assert report.sources[0].timestamps_fixed == 0
