"""Reads and writes ``meta/grasp_learning.json`` strictly: image preprocessing and splits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.learning import StoredLearning, stored_learning
from lerobot_grasp_plugin.findings.problem import DatasetError, Place, Problem, UsageError
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.splits import EpisodeSplits
from lerobot_grasp_plugin.writers.whole import write_whole


@dataclass(frozen=True)
class LearningSidecar:
    """The learning sidecar of a dataset.

    Attributes:
        preprocessing: Of its images; None for none.
        splits: Of its episodes; None when there are none.
    """

    preprocessing: ImagePreprocessing | None = None
    splits: EpisodeSplits | None = None


def read_learning(root: str | Path) -> LearningSidecar | None:
    """A dataset's learning sidecar; None when it has none.

    Raises:
        DatasetError: The file is damaged.
    """
    folder = Path(root).expanduser()
    path, stored = folder / layout.LEARNING_PATH, stored_learning(folder)
    if stored is None:
        return None
    if stored.problems:
        raise DatasetError(stored.problems)
    preprocessing, splits = stored.image_preprocessing, stored.splits
    try:
        return LearningSidecar(
            None if preprocessing is None else ImagePreprocessing.from_json(preprocessing),
            None if splits is None else EpisodeSplits.from_json(splits),
        )
    except DatasetError as error:
        raise DatasetError(
            dataclasses.replace(problem, place=Place(str(path))) for problem in error.problems
        ) from None


def write_learning(root: str | Path, sidecar: LearningSidecar, *, replace: bool = False) -> None:
    """Writes a dataset's learning sidecar, completely or not at all.

    Args:
        root: The dataset's folder.
        sidecar: The contents.
        replace: Allow changes of a stored preprocessing or stored splits. Without it, only missing
            entries are added.

    Raises:
        UsageError: The folder has no dataset, or another preprocessing or other splits are stored already.
        DatasetError: The stored file is damaged.
    """
    root = Path(root).expanduser()
    if not (root / layout.INFO_PATH).is_file():
        raise UsageError(Problem("no-dataset", "the folder has no meta/info.json", root))
    path = root / layout.LEARNING_PATH
    if not replace and (stored := read_learning(root)) is not None:
        if stored == sidecar:
            return
        _refuse_change(path, stored, sidecar)
    content = StoredLearning(
        None if sidecar.preprocessing is None else sidecar.preprocessing.to_json(),
        None if sidecar.splits is None else sidecar.splits.to_json(),
    )
    write_whole(path, content.encoded())


def _refuse_change(path: Path, stored: LearningSidecar, sidecar: LearningSidecar) -> None:
    problems = []
    for code, what in (("other-preprocessing", "preprocessing"), ("other-splits", "splits")):
        old, new = getattr(stored, what), getattr(sidecar, what)
        if old is not None and old != new:
            message = f"{what} {old} is already stored, but this is {new}"
            hint = "models trained with the stored one would no longer fit; replace=True changes it anyway"
            problems.append(Problem(code, message, path, hint))
    if problems:
        raise UsageError(problems)
