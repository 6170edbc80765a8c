"""Finds datasets inside a dataset, left by a copy into the wrong folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem

_PARTS = frozenset({"meta", "data", "videos"})
_DEPTH = 3
"""Depth of the search: ``data/chunk-000/other``."""


def nested_datasets(root: Path) -> Sequence[Path]:
    """Folders inside a dataset that are datasets, or misplaced parts of one.

    Args:
        root: The dataset's folder.

    Returns:
        Each with its own ``meta/info.json``, or a folder such as ``data/data``.
    """
    return sorted(_below(root, 1))


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for inner in folders:
        if inner.name.startswith(".") or (depth == 1 and inner.name == "images"):
            continue
        own = depth == 1 and inner.name in _PARTS
        if (depth == 2 and _misplaced(inner)) or (not own and _has_info(inner)):
            yield inner
        elif depth < _DEPTH:
            yield from _below(inner, depth + 1)


def _has_info(folder: Path) -> bool:
    try:
        return (folder / layout.INFO_PATH).is_file()
    except PermissionError:
        return False


def _misplaced(folder: Path) -> bool:
    """Whether a folder is ``meta/meta``, ``data/data``, ``meta/data``, ...; a camera can have any name."""
    return (folder.name in _PARTS and folder.parent.name in _PARTS - {"videos"}) or (
        folder.name == folder.parent.name == "videos"
    )


def check_nested(root: Path, nested: Sequence[Path]) -> Iterator[Problem]:
    """One finding for each dataset, or part of one, inside a dataset."""
    for folder in nested:
        name = folder.relative_to(root)
        if _has_info(folder):
            message = f"another dataset is inside this one, in {name}, and does not belong to it"
            hint = "move it out, and verify it separately"
        else:
            message = (
                f"a second {folder.name} folder is inside this dataset, in {name}, and does not belong to it"
            )
            hint = f"compare it with {folder.name}: keep one of the two, and move the other out"
        yield Problem("nested-dataset", message, folder, hint)
