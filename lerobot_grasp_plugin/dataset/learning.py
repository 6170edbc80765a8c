"""Reads ``meta/grasp_learning.json``: a dataset's image preprocessing and splits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.dataset.json_entry import LATER
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem

FORMAT: Final = 1


@dataclass(frozen=True)
class StoredLearning:
    """The contents of the file, as far as they can be read; ``LearningSidecar`` is the strict view.

    Attributes:
        image_preprocessing: The entry of that name, with ``crop_params_dict``, ``resize_size`` and ``range``.
        splits: The entry of that name, with ``seed`` and ``parts``.
        problems: Why the file cannot be read.
    """

    image_preprocessing: Any = None
    splits: Any = None
    problems: Sequence[Problem] = ()

    def encoded(self) -> bytes:
        """The content of the file."""
        raw = {"format": FORMAT, "image_preprocessing": self.image_preprocessing, "splits": self.splits}
        return (json.dumps(raw, indent=2) + "\n").encode()


def stored_learning(root: Path) -> StoredLearning | None:
    """The learning sidecar of a dataset; None without one."""
    path = root / layout.LEARNING_PATH
    if not path.exists():
        return None
    try:
        raw = read_json(path)
    except DatasetError as error:
        return StoredLearning(problems=error.problems)
    if not isinstance(raw, Mapping) or raw.get("format") != FORMAT:
        message = f"not a learning sidecar of format {FORMAT}"
        return StoredLearning(problems=[Problem("bad-sidecar", message, path, LATER)])
    return StoredLearning(raw.get("image_preprocessing"), raw.get("splits"))


def has_sidecar(root: Path) -> bool:
    """Whether a dataset was made by this package, or has a learning sidecar."""
    return any((root / path).is_file() for path in (layout.PROVENANCE_PATH, layout.LEARNING_PATH))
