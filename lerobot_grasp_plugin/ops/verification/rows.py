"""Rows that LeRobot cannot find a picture for, and values no training survives."""

from __future__ import annotations

import numpy as np

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import to_numpy
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.errors import GraspError, Problem


def check_rows(reader: DatasetReader) -> list[Problem]:
    """Timestamps against ``frame_index / fps``, and NaN or infinities in float columns.

    Args:
        reader: An opened dataset.

    Returns:
        One problem for each column, with the first episode and frame (0-based) and the number of rows.
    """
    floats = [key for key, feature in reader.info.features.items() if feature.dtype in ("float32", "float64")]
    columns = list(dict.fromkeys([layout.TIMESTAMP, *floats]))
    place: dict[str, str] = {}
    rows: dict[str, int] = {}
    jitter = 0.0
    try:
        for batch in reader.read(range(len(reader.lengths)), columns):
            frames = np.concatenate([np.arange(length) for length in batch.lengths])
            owners = np.repeat(batch.episodes, batch.lengths)
            for name in batch.table.column_names:
                try:
                    values = to_numpy(batch.table[name])
                except ValueError:
                    continue  # text and ragged columns have no values to compare
                wrong = ~np.isfinite(values).all(axis=1)
                if name == layout.TIMESTAMP:
                    off = np.abs(values.reshape(-1).astype(np.float64) - frames / reader.info.fps)
                    jitter = max(jitter, float(off.max(initial=0.0, where=~wrong)))
                    wrong |= off > layout.TIMESTAMP_TOLERANCE_S
                at = np.flatnonzero(wrong)
                if len(at):
                    place.setdefault(name, f"episode {owners[at[0]]}, frame {frames[at[0]]}")
                    rows[name] = rows.get(name, 0) + len(at)
    except GraspError as error:
        return list(error.problems)
    return [_problem(name, place[name], count, jitter) for name, count in rows.items()]


def _problem(name: str, where: str, count: int, jitter: float) -> Problem:
    if name == layout.TIMESTAMP:
        message = f"{count} timestamps are off frame_index / fps, by up to {jitter:.6f} s"
        hint = "LeRobot reads pictures by timestamp; lerobot-grasp-merge sets them to the grid"
        return Problem("timestamp-off-grid", message, where, hint)
    return Problem(
        "not-finite", f"{name!r} has NaN or infinite values in {count} rows", where, severity="warning"
    )
