"""Recognises image files that lerobot-grasp-frames extracted, which are no part of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MADE_BY: Final = "lerobot-grasp-frames"
"""The remark in each image, and in the index of a folder of images."""

INDEX_NAME: Final = "index.json"
_SUFFIXES: Final = frozenset({".jpg", ".png"})
_HEAD_BYTES: Final = 4096


def is_extracted(file: Path) -> bool:
    """Whether a file is an image, or the index of a folder of images, that lerobot-grasp-frames wrote.

    Both formats hold the remark before the pixels, so only the start of the file is read.
    """
    if file.suffix not in _SUFFIXES and file.name != INDEX_NAME:
        return False
    try:
        with file.open("rb") as stream:
            return MADE_BY.encode() in stream.read(_HEAD_BYTES)
    except OSError:
        return False
