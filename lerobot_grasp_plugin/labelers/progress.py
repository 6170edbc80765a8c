"""Labeler ``progress``: proposes success by the progress that a reward model of LeRobot gave each frame.

LeRobot's ``lerobot.rewards.sarm``, ``topreward`` and ``robometer`` each have a module
``compute_rabc_weights`` that writes such a table into the dataset's folder: ``sarm_progress.parquet``,
``topreward_progress.parquet``, ``robometer_progress.parquet``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, UsageError, column_of
from lerobot_grasp_plugin.labelers.labeler import Episode, LabelerConfig, Proposal
from lerobot_grasp_plugin.labelers.thresholds import CurveLabelerConfig

if TYPE_CHECKING:
    from lerobot_grasp_plugin.merging.sources import Source

COLUMNS = ("progress_sparse", "progress_dense")
"""LeRobot's names: progress over the whole task, and over annotated subtasks (SARM only)."""


@LabelerConfig.register_subclass("progress")
@dataclass
class ProgressLabelerConfig(CurveLabelerConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Proposes success by a reward model's progress."""

    # a success range begins where the progress is above this value
    enter: float = 0.9
    # and lasts while it is above this one (default: half of enter)
    leave: float | None = 0.8
    # the table (default: the only *_progress.parquet in the dataset's folder)
    path: Path | None = None
    # its column (default: progress_sparse, else progress_dense)
    column: str | None = None

    def make(self, source: Source) -> ProgressLabeler:
        """The labeler.

        Raises:
            UsageError: There is no such table or column, or the thresholds contradict each other.
            DatasetError: The table's rows differ from the dataset's.
        """
        if problems := list(self.threshold_problems()):
            raise UsageError(problems)
        path = self._found(source.reader.root) if self.path is None else self.path.expanduser()
        return ProgressLabeler(self, path.name, read_progress(path, self.column, source))

    def _found(self, root: Path) -> Path:
        found = sorted(root.glob("*_progress.parquet"))
        if len(found) == 1:
            return found[0]
        names = ", ".join(path.name for path in found) or "none"
        message = f"expected one *_progress.parquet in the dataset's folder; it has {names}"
        hint = "give one with --labeler.path; lerobot.rewards.sarm.compute_rabc_weights writes one"
        raise UsageError(Problem("no-progress", message, root, hint))


class ProgressLabeler:
    """Reads progress by episode.

    Args:
        config: The thresholds.
        name: Of the table.
        curves: Progress of each frame by ``episode_index``, shape (length,); NaN for frames without progress.
    """

    def __init__(
        self, config: ProgressLabelerConfig, name: str, curves: Mapping[int, NDArray[np.float64]]
    ) -> None:
        self._config, self._name, self._curves = config, name, curves

    def propose(self, episode: Episode) -> Proposal:
        curve = self._curves.get(episode.index, np.empty(0))
        known = np.flatnonzero(np.isfinite(curve))
        if not len(known):
            return Proposal(None, f"{self._name} has no progress for this episode")
        filled = np.clip(np.interp(np.arange(len(curve)), known, curve[known]), 0, 1)
        reason = f"progress of {self._name} above {self._config.enter:g}"
        if len(known) < len(curve):
            reason += f"; {len(curve) - len(known)} frames without progress are interpolated"
        return Proposal(self._config.ranges(filled), reason, curve=filled)


def read_progress(path: Path, column: str | None, source: Source) -> dict[int, NDArray[np.float64]]:
    """Progress of a dataset by ``episode_index``: shape (length,), NaN for frames without progress.

    Args:
        path: The table; its rows are found by ``index``.
        column: None for the first of ``COLUMNS`` that is there.
        source: The dataset.

    Raises:
        UsageError: There is no such table or column.
        DatasetError: Its rows differ from the dataset's.
    """
    from lerobot_grasp_plugin.dataset.arrow import to_numpy
    from lerobot_grasp_plugin.dataset.tables import index_numbers
    from lerobot_grasp_plugin.merging.side_tables import episodes_of, first_indices, read_side_table

    table = read_side_table(path)
    if table is None or layout.INDEX not in table.column_names:
        message = f"expected a readable table with a column `{layout.INDEX}`"
        raise UsageError(Problem("no-progress", message, path))
    name = column or next((each for each in COLUMNS if each in table.column_names), COLUMNS[0])
    if name not in table.column_names:
        hint = f"columns: {', '.join(table.column_names)}"
        raise UsageError(Problem("no-progress", f"the table has no column {name!r}", path, hint))
    index, starts = index_numbers(table[layout.INDEX], column_of(path, "index")), first_indices(source)
    episodes = episodes_of(index, starts, source)
    own = episodes
    if layout.EPISODE_INDEX in table.column_names:
        own = index_numbers(table[layout.EPISODE_INDEX], column_of(path, "episode_index"))
    if episodes is None or own is None or not np.array_equal(own[episodes >= 0], episodes[episodes >= 0]):
        message, hint = "its rows are not the dataset's frames", "compute the progress for this dataset"
        raise DatasetError(Problem("other-progress", message, path, hint))
    progress = to_numpy(table[name]).reshape(-1).astype(np.float64)
    curves: dict[int, NDArray[np.float64]] = {}
    for episode, start in starts.items():
        rows = episodes == episode
        curves[episode] = np.full(int(source.reader.lengths[episode]), np.nan)
        curves[episode][index[rows] - start] = progress[rows]
    return curves
