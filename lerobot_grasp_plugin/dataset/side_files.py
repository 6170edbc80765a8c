"""Finds files of a dataset folder that LeRobot neither writes nor reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.extracted import MADE_BY, is_extracted
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.findings.problem import DatasetError

_WRITTEN: Final = frozenset({layout.INFO_PATH, layout.STATS_PATH, layout.CARD_PATH, layout.PROVENANCE_PATH})
"""Files that every output writes itself."""
_V30_LISTS: Final = frozenset({layout.TASKS_PATH})
_LEGACY_LISTS: Final = frozenset(
    {layout.LEGACY_TASKS_PATH, layout.LEGACY_EPISODES_PATH, layout.LEGACY_EPISODES_STATS_PATH}
)
_DROPPINGS: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_TOOL_FOLDERS: Final = frozenset({".git", ".cache", "__pycache__"})
"""Folders of tools that copied the dataset, not part of it."""
_EXTRACTED: Final = f"images that {MADE_BY} extracted"
"""Reason for leaving out folders of such images."""


@dataclass(frozen=True, slots=True)
class SideFiles:
    """The other files of a dataset folder.

    Attributes:
        carried: Files that an output can have at the same place, by their path in the folder, sorted.
        left_out: Reason -> paths that an output cannot have.
    """

    carried: list[str]
    left_out: dict[str, list[str]]


def side_files(reader: DatasetReader) -> SideFiles:
    """Finds them; reads only the start of images and of their index."""
    found = SideFiles([], {})
    own = reader.own_files()
    own |= _behind_links(reader.root, own)
    for path, reason in _walk(reader.root):
        if reason is None:
            reason = _verdict(reader, path, own)
        if reason == "":
            continue
        if reason == _EXTRACTED:
            path = PurePosixPath(path).parent.as_posix()
            if path in found.left_out.get(reason, ()):
                continue
        if reason is None:
            found.carried.append(path)
        else:
            found.left_out.setdefault(reason, []).append(path)
    return found


def _behind_links(root: Path, files: set[Path]) -> set[Path]:
    """Where files lie whose folder is a link to another folder of the dataset (``videos -> store``)."""
    real_root = os.path.realpath(root)
    moved: dict[Path, Path] = {}
    for folder in {file.parent for file in files}:
        inside = os.path.relpath(os.path.realpath(folder), real_root)
        if root / inside != folder:
            moved[folder] = root / inside
    return {moved[file.parent] / file.name for file in files if file.parent in moved}


def _walk(root: Path) -> Iterator[tuple[str, str | None]]:
    """Files below a folder, sorted, and folders that are not entered with the reason why."""
    for folder, below, names in os.walk(root):
        here = os.path.relpath(folder, root)
        entered = []
        for name in sorted(below):
            path = (Path(here) / name).as_posix()
            if Path(folder, name).is_symlink():
                if path not in ("data", "videos", "meta") and not path.startswith(("data/", "videos/")):
                    yield path, "links to folders are not followed"
            elif name in _TOOL_FOLDERS:
                continue
            elif name.startswith("."):
                yield path, "hidden folders are not copied"
            elif Path(folder, name, layout.INFO_PATH).is_file():
                yield path, "a separate dataset"
            else:
                entered.append(name)
        below[:] = entered
        for name in sorted(names):
            yield (Path(here) / name).as_posix(), None


def _verdict(reader: DatasetReader, path: str, own: set[Path]) -> str | None:
    """Why a file is left out; empty for no message, None if it is carried over."""
    pure, file = PurePosixPath(path), reader.root / path
    lists, other_lists = _LEGACY_LISTS, _V30_LISTS
    if reader.info.is_v3:
        lists, other_lists = other_lists, lists
    is_episodes = pure.match("meta/episodes/*/*.parquet")
    if path in _WRITTEN or path in lists or file in own or (is_episodes and reader.info.is_v3):
        return ""
    if path in other_lists or is_episodes:
        return "metadata of another format version"
    if pure.parts[0] == "images" and len(pure.parts) > 1:
        return "images/ is LeRobot's folder for images before encoding"
    if pure.name in _DROPPINGS or pure.name.startswith("._"):
        return "left by a file manager"
    if pure.parts[0] == "data" and pure.suffix == ".parquet":
        return "tables in data/ that no episode refers to"
    if pure.parts[0] == "videos" and pure.suffix == ".mp4" and set(pure.parts) & set(reader.info.video_keys):
        return "videos that no episode refers to"
    try:
        if not file.is_file():
            return "neither a file nor a folder"
        if file.is_symlink():
            layout.fill_template(reader.root, path.replace("{", "{{").replace("}", "}}"), setting="link")
        if is_extracted(file):
            return _EXTRACTED
        return None if os.access(file, os.R_OK) else "not readable"
    except (DatasetError, OSError):
        return "links that lead outside the dataset"
