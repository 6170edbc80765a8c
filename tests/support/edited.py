"""What the tests of edits have in common: an edit from Python, and recordings that wait at their ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from lerobot_grasp_plugin.dataset.provenance import read_provenance
from lerobot_grasp_plugin.editing.config import EditConfig, OperationConfig
from lerobot_grasp_plugin.editing.edit import EditReport, edit
from tests.support import factories
from tests.support.factories import Legacy, write_legacy
from tests.support.lerobot_judge import Item, legacy_items

SLOW_KEYFRAMES = "keyint=30:bframes=2:b-adapt=0:scenecut=0:threads=1"


def edited(root: Path, target: Path, operation: OperationConfig, **options: Any) -> EditReport:
    return edit(EditConfig(root=root, new_root=target, operation=operation, **options))


def codes(report: EditReport) -> list[str]:
    found = [*report.warnings, *(each for output in report.reports for each in output.warnings)]
    return [problem.code for problem in found]


def origins(root: Path) -> list[tuple[int | None, int | None, int | None]]:
    """Source episode, first frame and length of each episode, by the sidecar."""
    return [(e.source_episode, e.from_frame, e.length) for e in read_provenance(root).episodes.values()]


def write_states(root: Path, spec: Legacy, states: Mapping[int, np.ndarray]) -> None:
    """Gives episodes of a v2.1 dataset other states, and half of them as actions."""
    for episode, values in states.items():
        path = root / factories.LEGACY_DATA.format(episode_chunk=0, episode_index=episode)
        table = pq.ParquetFile(path).read()
        for name, own in (("observation.state", values), ("action", values / 2)):
            column = pa.FixedSizeListArray.from_arrays(own.astype(np.float32).reshape(-1), own.shape[1])
            table = table.set_column(table.column_names.index(name), name, column)
        pq.write_table(table, path)


def waiting(length: int, before: int, after: int) -> np.ndarray:
    """States that stay in the first ``before`` frames and in the last ``after``, and move in between."""
    steps = np.clip(np.arange(length) - before + 1, 0, length - before - after + 1)
    return np.outer(steps, [10.0, -8.0])


def slow_recording(root: Path, spec: Legacy) -> Path:
    """A v2.1 dataset with H.264 B-frames and a keyframe every 30 images."""
    write_legacy(root, spec)
    for episode, length in enumerate(spec.lengths):
        images = [factories.image(spec.seed, episode, frame) for frame in range(length)]
        path = root / factories.LEGACY_VIDEO.format(
            episode_chunk=0, video_key=spec.cameras[0], episode_index=episode
        )
        factories.encode(path, images, spec.fps, parameters=SLOW_KEYFRAMES)
    return root


def items_with(root: Path, spec: Legacy, episode: int, states: np.ndarray) -> list[Item]:
    """What LeRobot reads of an episode whose states were written by ``write_states``."""
    values = torch.from_numpy(states.astype(np.float32))
    halves = torch.from_numpy((states / 2).astype(np.float32))
    items = legacy_items(root, spec, episode)
    return [
        {**item, "observation.state": values[frame], "action": halves[frame]}
        for frame, item in enumerate(items)
    ]
