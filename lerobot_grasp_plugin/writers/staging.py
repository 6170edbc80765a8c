"""Stages outputs, so that they appear complete or not at all.

A dataset is built in a staging folder next to its target, synced to disk, and renamed.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.writers.exchange import exchange

STAGING_MARK = ".grasp-staging-"
BACKUP_MARK = ".backup-"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors of the system for a full disk or quota."""


def staging_leftovers(target: Path) -> list[Path]:
    """Staging folders that interrupted runs left next to a target; not those of running ones."""
    return [folder for folder in _staging_folders(target) if not _is_in_use(folder)]


def _staging_folders(target: Path) -> list[Path]:
    if not target.parent.is_dir():
        return []
    mark = f".{target.name}{STAGING_MARK}"
    return sorted(path for path in target.parent.iterdir() if path.name.startswith(mark))


def unused_staging(target: Path) -> Path:
    """Name of an unused staging folder next to a target."""
    return target.parent / f".{target.name}{STAGING_MARK}{secrets.token_hex(4)}"


def refuse_existing(target: Path) -> None:
    """Refuses an existing target.

    Raises:
        UsageError: The target exists, or cannot be created.
    """
    if target.exists() or target.is_symlink():
        raise UsageError(
            Problem(
                "target-exists",
                "the new dataset's folder already exists; existing folders are never overwritten",
                target,
                "choose another --new_root or --new_repo_id, or move the folder away",
            )
        )


@contextmanager
def staged(target: Path, *, wait: bool = False) -> Iterator[Path]:
    """A folder to build in, which becomes ``target`` when the block ends without an error.

    Everything in the folder is fsynced before the rename; on any error, an interrupt included, the
    folder is removed and the target stays absent.

    Args:
        target: The final folder; must not exist.
        wait: Whether to wait for another run that writes the same target, rather than refuse.

    Raises:
        UsageError: The target exists (checked before and at the end), cannot be created, or is being
            written by another run.
    """
    refuse_existing(target)
    with claimed(target, wait=wait) as staging:
        refuse_existing(target)
        yield staging
        sync_tree(staging)
        move_to_place(staging, target)


@contextmanager
def claimed(target: Path, *, wait: bool = False) -> Iterator[Path]:
    """A staging folder next to ``target`` that only this run uses; removed on any error.

    The folder is locked until the block ends, and the system unlocks it when the process dies: so
    other runs can distinguish a folder in use from an abandoned one. Missing folders above it are
    created, and removed again on any error.

    Raises:
        UsageError: The folder cannot be created, or another run is writing the same target.
    """
    missing = [folder for folder in target.parents if not folder.exists()]
    try:
        with _claimed(target, wait=wait) as staging:
            yield staging
    except BaseException:
        for folder in missing:
            with suppress(OSError):  # it was not created, or another run uses it
                folder.rmdir()
        raise


@contextmanager
def _claimed(target: Path, *, wait: bool) -> Iterator[Path]:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        while isinstance(claim := _claim(target), Path):
            if not wait:
                hint = f"wait until that run has ended; it builds in {claim}"
                message = "another run is writing this dataset now"
                raise UsageError(Problem("target-in-use", message, target, hint))
            with _locked(claim):
                pass
    except OSError as error:
        reason = error.strerror or str(error)
        for folder in target.parents:
            if folder.exists() and not folder.is_dir():
                reason = f"{folder} is a file"
        raise UsageError(
            Problem("cannot-write", f"the new dataset cannot be written here: {reason}", target)
        ) from None
    staging, lock = claim
    try:
        yield staging
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in FULL and error.filename is None:
            raise OSError(error.errno, os.strerror(error.errno), str(target)) from None
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _claim(target: Path) -> Path | tuple[Path, int | None]:
    """A new staging folder and its lock; or, where another run has one, that one's folder."""
    with _alone_in(target.parent):  # no other run can start between the check and the claim
        for folder in _staging_folders(target):
            if _is_in_use(folder):
                return folder
        staging = unused_staging(target)
        staging.mkdir()
        try:
            return staging, _lock(staging, wait=False)
        except BaseException:
            staging.rmdir()
            raise


def _lock(folder: Path, *, wait: bool) -> int | None:
    """Locks a folder until the returned descriptor is closed; None where folders cannot be locked.

    Raises:
        BlockingIOError: Another process has locked it, and ``wait`` is False.
    """
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, FileNotFoundError):  # not a Unix; gone by now
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:  # some network file systems lock no folders
        os.close(descriptor)
        return None
    return descriptor


def _alone_in(folder: Path) -> AbstractContextManager[None]:
    """No other run claims a target in ``folder`` meanwhile.

    A staging folder is locked by its own run for as long as it is built in, and no other run writes there.
    """
    return nullcontext() if STAGING_MARK in folder.name else _locked(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = _lock(folder, wait=True)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _is_in_use(folder: Path) -> bool:
    """Whether a run that is still going on builds in a folder."""
    try:
        descriptor = _lock(folder, wait=False)
    except BlockingIOError:
        return True
    except OSError:  # gone by now, or not ours to open
        return False
    if descriptor is not None:
        os.close(descriptor)
    return False


def move_to_place(staging: Path, target: Path) -> None:
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
            Problem("target-exists", f"the new dataset cannot be moved to its target: {reason}", target)
        ) from None
    sync(target.parent)


def backups(target: Path) -> list[Path]:
    """Old datasets that in-place runs kept next to a target, the latest last."""
    if not target.parent.is_dir():
        return []
    mark = f"{target.name}{BACKUP_MARK}"
    numbers = {
        int(number): path
        for path in target.parent.iterdir()
        if path.name.startswith(mark) and (number := path.name[len(mark) :]).isdecimal()
    }
    return [numbers[number] for number in sorted(numbers)]


def swap(staging: Path, target: Path) -> Path:
    """Replaces an existing folder by a finished one; the old one is kept next to it.

    The new folder first takes the backup's name, then both exchange names in one step of the system:
    at every instant one of them is complete under ``target``, the other under the returned name.
    Where the system cannot exchange names, the old one is renamed first; it is complete under the
    returned name in the instant in which there is no ``target``.

    Returns:
        The new path of the old dataset.
    """
    number = 1
    while os.path.lexists(backup := target.parent / f"{target.name}{BACKUP_MARK}{number}"):
        number += 1
    os.rename(staging, backup)
    try:
        if not exchange(backup, target):
            os.rename(backup, staging)
            os.rename(target, backup)
            os.rename(staging, target)
    except BaseException:
        _undo(staging, target, backup)
        raise
    sync(target.parent)
    return backup


def last_backup(target: Path) -> Path:
    """Where ``swap`` put the dataset that it replaced last; its first such name where it replaced none."""
    number = 1
    while os.path.lexists(target.parent / f"{target.name}{BACKUP_MARK}{number + 1}"):
        number += 1
    return target.parent / f"{target.name}{BACKUP_MARK}{number}"


def _undo(staging: Path, target: Path, backup: Path) -> None:
    """Restores the names of folders after a failed exchange."""
    if not target.exists():
        os.rename(backup, target)
    elif backup.exists() and not staging.exists():
        os.rename(backup, staging)


def sync_tree(root: Path) -> None:
    """Syncs every file and folder below ``root`` to disk."""
    for folder, _, files in os.walk(root):
        for name in files:
            sync(Path(folder, name))
        sync(Path(folder))


def sync(path: Path) -> None:
    """Syncs a file's bytes, or a folder's entries, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
