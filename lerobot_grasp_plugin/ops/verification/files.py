"""Files that cannot be what their names say, found without trusting the metadata."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.tables import open_parquet
from lerobot_grasp_plugin.errors import GraspError, Problem
from lerobot_grasp_plugin.video.probe import header

_LFS_MARK = b"version https://git-lfs"
_METADATA = frozenset({".json", ".jsonl"})


def check_files(root: Path) -> list[Problem]:
    """Opens every table and video header of a folder, and looks for metadata of two formats.

    Args:
        root: The dataset's folder; it may be damaged in any way.

    Returns:
        Every file that is empty, a Git LFS pointer, without footer or not a video, and what is missing.
    """
    found = [*_metadata(root)]
    for folder in ("meta", "data", "videos"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                found += _file(path)
    return found


def _file(path: Path) -> list[Problem]:
    try:
        if path.suffix == ".parquet":
            open_parquet(path)
        elif path.suffix == ".mp4":
            header(path)
        elif path.suffix in _METADATA:
            return _text(path)
    except GraspError as error:
        return list(error.problems)
    return []


def _text(path: Path) -> list[Problem]:
    try:
        with path.open("rb") as file:
            start = file.read(len(_LFS_MARK))
    except OSError as error:
        return [Problem("unreadable-file", error.strerror or str(error), str(path))]
    if not start:
        return [Problem("empty-file", "the file has no bytes", str(path))]
    if start == _LFS_MARK:
        hint = "fetch the real file with `git lfs pull`"
        return [Problem("lfs-pointer", "a Git LFS pointer, not metadata", str(path), hint)]
    return []


def _metadata(root: Path) -> Iterator[Problem]:
    legacy = [name for name in _LEGACY if (root / name).is_file()]
    tables = (root / layout.TASKS_PATH).is_file() or (root / layout.EPISODES_DIR).is_dir()
    if legacy and tables:
        message = f"metadata of two formats: v2.x ({', '.join(legacy)}) beside v3.0 tables"
        hint = "keep the set that codebase_version in info.json names"
        yield Problem("mixed-versions", message, str(root / "meta"), hint, severity="warning")
    if not legacy and not any((root / layout.EPISODES_DIR).rglob("*.parquet")):
        hint = "a recording that was interrupted lacks it; finalize() writes it"
        where = str(root / layout.EPISODES_DIR)
        yield Problem("missing-episodes-table", "no episode is listed", where, hint)


_LEGACY = (layout.LEGACY_EPISODES_PATH, layout.LEGACY_EPISODES_STATS_PATH, layout.LEGACY_TASKS_PATH)
