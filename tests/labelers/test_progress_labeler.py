"""Labeler ``progress``: tables as LeRobot's reward models write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import GraspError
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.labelers.progress import ProgressLabelerConfig
from lerobot_grasp_plugin.labelers.proposing import propose
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import Source, open_sources
from tests.support.factories import Legacy, write_legacy

LENGTHS = (10, 8, 6)
RISING = [0.0, 0.2, 0.5, 0.7, 0.88, 0.93, 0.85, 0.97, 1.0, 1.0]


@pytest.fixture
def source(tmp_path: Path) -> Source:
    root = write_legacy(tmp_path / "set", Legacy(lengths=LENGTHS, cameras=()))
    (opened,) = open_sources([SourceConfig(root=root)], [])
    return opened


def write_progress(
    source: Source, name: str = "sarm_progress.parquet", shift: int = 0, **columns: list
) -> Path:
    """A table with the columns of ``lerobot.rewards.sarm.compute_rabc_weights``."""
    path = source.reader.root / name
    total = len(next(iter(columns.values())))
    index = np.arange(total, dtype=np.int64)
    starts = np.cumsum([0, *LENGTHS[:-1]])
    episodes = np.searchsorted(starts, index, side="right") - 1
    table = {"index": index + shift, "episode_index": episodes, "frame_index": index - starts[episodes]}
    values = {name: np.array(each, np.float32) for name, each in columns.items()}
    pq.write_table(pa.table(table | values), path)
    return path


def test_progress_becomes_ranges_with_a_curve(source: Source) -> None:
    flat = [0.1, np.nan, 0.3, *[np.nan] * 2, 0.95, 0.96, 0.97]
    write_progress(source, progress_sparse=[*RISING, *flat, *[np.nan] * 6])
    proposals = propose(ProgressLabelerConfig(), source)
    assert proposals[0].success == IntervalSet([FrameInterval(5, 10)])  # 0.85 is over leave
    assert proposals[0].curve == pytest.approx(RISING)
    assert proposals[1].success == IntervalSet([FrameInterval(5, 8)])
    assert proposals[1].curve == pytest.approx([0.1, 0.2, 0.3, 0.5167, 0.7333, 0.95, 0.96, 0.97], abs=1e-3)
    assert "3 frames without progress" in proposals[1].reason
    assert (proposals[2].success, proposals[2].reason) == (
        None,
        "sarm_progress.parquet has no progress for this episode",
    )


def test_threshold_hysteresis_and_length_are_settings(source: Source) -> None:
    path = write_progress(source, "x.parquet", progress_dense=[*RISING, *[0.0] * 14])
    strict = ProgressLabelerConfig(path=path, enter=0.9, leave=0.9, min_length=1)
    assert propose(strict, source)[0].success == IntervalSet([FrameInterval(5, 6), FrameInterval(7, 10)])
    assert propose(ProgressLabelerConfig(path=path, min_length=6), source)[0].success == IntervalSet()


def test_what_cannot_be_used(source: Source) -> None:
    def code(config: ProgressLabelerConfig) -> str:
        with pytest.raises(GraspError) as caught:
            propose(config, source)
        return caught.value.problems[0].code

    assert code(ProgressLabelerConfig()) == "no-progress"
    path = write_progress(source, progress_sparse=[0.0] * 24)
    assert code(ProgressLabelerConfig(column="progress_dense")) == "no-progress"
    assert code(ProgressLabelerConfig(path=path.with_name("none.parquet"))) == "no-progress"
    assert code(ProgressLabelerConfig(enter=0.5)) == "bad-value"
    write_progress(source, "topreward_progress.parquet", progress_sparse=[0.0] * 24)
    assert code(ProgressLabelerConfig()) == "no-progress"
    assert code(ProgressLabelerConfig(path=write_progress(source, shift=3, progress_sparse=[0.0] * 24))) == (
        "other-progress"
    )
