"""What the tests of comparisons have in common: a comparison in a line, and datasets written row by row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lerobot_grasp_plugin.diff.diff import diff
from lerobot_grasp_plugin.diff.report import DiffReport, EpisodeDiff
from tests.support import factories
from tests.support.factories import Legacy, write_legacy


def compared(a: Path, b: Path, **options: Any) -> DiffReport:
    return diff(str(a), str(b), **options)


def episodes_of(report: DiffReport) -> list[tuple[str, int | None, int | None]]:
    return [(each.kind, each.a, each.b) for each in report.episodes]


def brief(each: EpisodeDiff) -> tuple[Any, ...]:
    """Everything that a test says of an episode, in plain values."""
    labels = {name: frames.pairs() for name, frames in each.labels.items()}
    features = {change.feature: (change.frames, change.first) for change in each.features}
    return each.kind, each.a, each.b, each.range, labels, each.tasks, features


@dataclass(frozen=True)
class Rows:
    """An episode that is written row by row.

    Attributes:
        state: float32, shape (frames, 2).
        action: float32, shape (frames, 2).
        reward: float32, shape (frames,).
        done: bool, shape (frames,).
        task: Its task.
    """

    state: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    done: np.ndarray
    task: str = "pick"

    @classmethod
    def made(cls, seed: int, length: int, task: str = "pick") -> Rows:
        """An episode unlike every other one."""
        values = np.random.default_rng(seed).normal(0, 30, (2, length, 2)).astype(np.float32)
        done = np.arange(length) == length - 1
        return cls(values[0], values[1], done.astype(np.float32), done, task)

    def __len__(self) -> int:
        return len(self.state)

    def cut(self, start: int, stop: int) -> Rows:
        part = {name: getattr(self, name)[start:stop] for name in ("state", "action", "reward", "done")}
        return replace(self, **part)


def write_rows(root: Path, episodes: Sequence[Rows]) -> Path:
    """Writes episodes as a v2.1 dataset without cameras."""
    tasks = list(dict.fromkeys(each.task for each in episodes))
    spec = Legacy(lengths=[len(each) for each in episodes], cameras=(), tasks=tasks, labels=True)
    write_legacy(root, spec)
    listed = []
    for number, each in enumerate(episodes):
        path = root / factories.LEGACY_DATA.format(episode_chunk=0, episode_index=number)
        table = pq.ParquetFile(path).read()
        new: dict[str, Any] = {
            "observation.state": pa.FixedSizeListArray.from_arrays(each.state.ravel(), 2),
            "action": pa.FixedSizeListArray.from_arrays(each.action.ravel(), 2),
            "next.reward": pa.array(each.reward),
            "next.done": pa.array(each.done),
            "task_index": pa.array(np.full(len(each), tasks.index(each.task), np.int64)),
        }
        for name, column in new.items():
            table = table.set_column(table.column_names.index(name), name, column)
        pq.write_table(table, path)
        listed.append({"episode_index": number, "tasks": [each.task], "length": len(each)})
    factories.write_lines(root / "meta/episodes.jsonl", listed)
    return root


def change_features(root: Path, **entries: Any) -> None:
    """Overwrites entries of features in info.json; None removes one."""
    info = json.loads((root / "meta/info.json").read_text())
    features = {**info["features"], **entries}
    info["features"] = {name: entry for name, entry in features.items() if entry is not None}
    (root / "meta/info.json").write_text(json.dumps(info))
