"""Outputs that appear whole or not at all.

A dataset is built in a staging folder beside its target, brought to disk, and renamed.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lerobot_grasp_plugin.errors import Problem, UsageError

STAGING_MARK = ".grasp-staging-"
BACKUP_MARK = ".before-relabel-"


def staging_leftovers(target: Path) -> list[Path]:
    """Staging folders that interrupted runs left beside a target."""
    if not target.parent.is_dir():
        return []
    return sorted(target.parent.glob(f".{target.name}{STAGING_MARK}*"))


def unused_staging(target: Path) -> Path:
    """Name of a staging folder beside a target that no other run uses."""
    return target.parent / f".{target.name}{STAGING_MARK}{secrets.token_hex(4)}"


def refuse_existing(target: Path) -> None:
    """Refuses a target that is there already.

    Raises:
        UsageError: The target exists, or its place cannot hold it.
    """
    if target.exists() or target.is_symlink():
        raise UsageError(
            Problem(
                "target-exists",
                "the new dataset's folder exists already, and nothing is ever overwritten",
                str(target),
                "choose another --new_root or --new_repo_id, or move the folder away",
            )
        )


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A folder to build in, which becomes ``target`` when the block ends without an error.

    Everything in the folder is fsynced before the rename; on any error, an interrupt included, the
    folder is removed and the target stays absent.

    Raises:
        UsageError: The target exists (checked before and at the end), or cannot be created.
    """
    refuse_existing(target)
    staging = unused_staging(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            Problem("cannot-write", f"the new dataset cannot be put here: {reason}", str(target))
        ) from None
    try:
        yield staging
        sync_tree(staging)
        publish(staging, target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def publish(staging: Path, target: Path) -> None:
    """Renames a finished folder to its target.

    Raises:
        UsageError: Another run was faster.
    """
    refuse_existing(target)
    try:
        os.rename(staging, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            Problem("target-exists", f"the new dataset cannot be put in place: {reason}", str(target))
        ) from None
    sync(target.parent)


def swap(staging: Path, target: Path) -> Path:
    """Puts a finished folder in the place of an existing one, which is kept beside it.

    At every instant either the old or the new dataset is complete under ``target``, or the old one
    is complete under the returned name and the new one under the staging name.

    Returns:
        Where the old dataset is now.
    """
    number = 1
    while (backup := target.parent / f"{target.name}{BACKUP_MARK}{number}").exists():
        number += 1
    os.rename(target, backup)
    try:
        os.rename(staging, target)
    except OSError:
        os.rename(backup, target)
        raise
    sync(target.parent)
    return backup


def sync_tree(root: Path) -> None:
    """Brings every file and folder below ``root`` to disk."""
    for folder, _, files in os.walk(root):
        for name in files:
            sync(Path(folder, name))
        sync(Path(folder))


def sync(path: Path) -> None:
    """Brings a file's bytes, or a folder's entries, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
