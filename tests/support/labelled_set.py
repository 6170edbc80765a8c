"""A small dataset whose recorded labels an annotation text gives."""

from __future__ import annotations

from pathlib import Path

from lerobot_grasp_plugin import RelabelConfig, relabel
from tests.support.factories import Legacy, write_legacy

TEXT = "00: 6-\n01: 5\n02: 4-5\n03: all fail\n04: 2-3, 8-\n"
SUCCESS = {0: (5, 6), 1: (4,), 2: (3, 4), 3: (), 4: (1, 2, 7)}


def labelled_set(folder: Path) -> Path:
    """Makes the dataset in a folder, five episodes of 7, 5, 9, 6 and 8 frames without cameras."""
    source = write_legacy(folder / "source", Legacy(lengths=(7, 5, 9, 6, 8), cameras=()))
    path = folder / "text.txt"
    path.write_text(TEXT)
    return relabel(RelabelConfig(root=source, annotations=path, new_root=folder / "labelled")).root
