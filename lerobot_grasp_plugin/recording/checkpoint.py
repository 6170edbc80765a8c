"""Keeps the last good state of a dataset during recording, so that a crash loses at most one episode.

LeRobot never changes a data, video or episodes file of a finished episode when it was finalised and
opened again in between; what changes are a few small files in ``meta/``. A snapshot lists the former
by size and contains the latter. It is written next to the dataset after each episode, and removed
when the session ends normally.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.findings.problem import DatasetError, Problem
from lerobot_grasp_plugin.writers.staging import sync
from lerobot_grasp_plugin.writers.whole import write_whole

FORMAT = 1
ASIDE_MARK = ".interrupted-"
"""Between a dataset's name and a number: the folder of unfinished files."""


@dataclass(frozen=True)
class Snapshot:
    """A dataset's files in a sound state.

    Attributes:
        episodes: Number of episodes.
        files: Size in bytes of every final file, by path below the root.
        small: Content of the files directly in ``meta/``, by name.
    """

    episodes: int
    files: dict[str, int]
    small: dict[str, bytes]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        small = {name: base64.b64encode(data).decode("ascii") for name, data in self.small.items()}
        return {"format": FORMAT, "episodes": self.episodes, "files": self.files, "small": small}


def checkpoint_path(root: Path) -> Path:
    """The path of the snapshot of a running or interrupted session."""
    return root.parent / f".{root.name}.grasp-session.json"


def take(root: Path, episodes: int) -> Snapshot:
    """The state of a finalised dataset."""
    files, small = {}, {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            if path.parent == root / "meta":
                small[path.name] = path.read_bytes()
            else:
                files[path.relative_to(root).as_posix()] = path.stat().st_size
    return Snapshot(episodes, files, small)


def commit(root: Path, snapshot: Snapshot, before: Snapshot | None = None) -> None:
    """Syncs the files that are new since ``before`` to disk, then the snapshot itself."""
    for name in snapshot.files:
        if before is None or name not in before.files:
            sync(root / name)
    for name in snapshot.small:
        sync(root / "meta" / name)
    write_whole(checkpoint_path(root), json.dumps(snapshot.to_json()).encode("utf-8"))


def read(root: Path) -> Snapshot | None:
    """The snapshot that an interrupted session left; None without one.

    Raises:
        DatasetError: The file is damaged.
    """
    path = checkpoint_path(root)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise ValueError(f"unknown format {raw['format']}")
        small = {name: base64.b64decode(data) for name, data in raw["small"].items()}
        return Snapshot(int(raw["episodes"]), dict(raw["files"]), small)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "verify the dataset with lerobot-grasp-verify; if it is sound, move this file away"
        raise DatasetError(Problem("bad-checkpoint", f"cannot be read: {error}", path, hint)) from None


def changed(root: Path, snapshot: Snapshot) -> list[str]:
    """Files of finished episodes that are missing or have another size: the dataset was changed."""
    found = []
    for name, size in snapshot.files.items():
        path = root / name
        if not path.is_file() or path.stat().st_size != size:
            found.append(name)
    return found


def restore(root: Path, snapshot: Snapshot, aside: Path | None) -> list[str]:
    """Restores a dataset to a snapshot whose files all exist.

    Args:
        root: The dataset's folder.
        snapshot: The state to restore.
        aside: Folder for later files, created when needed; None to remove them, for files that this run
            has written.

    Returns:
        Paths of later files below the root.
    """
    later = [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and path.relative_to(root).as_posix() not in snapshot.files
        and not (path.parent == root / "meta" and path.name in snapshot.small)
    ]
    names = [path.relative_to(root).as_posix() for path in later]
    for path, name in zip(later, names, strict=True):
        if aside is None:
            path.unlink()
        else:
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            os.rename(path, aside / name)
    for folder in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    for name, data in snapshot.small.items():
        path = root / "meta" / name
        if not path.is_file() or path.read_bytes() != data:
            write_whole(path, data)
    return names


def aside_folder(root: Path) -> Path:
    """A folder name next to the dataset for unfinished files of an interrupted session."""
    number = 1
    while (folder := root.parent / f"{root.name}{ASIDE_MARK}{number}").exists():
        number += 1
    return folder
