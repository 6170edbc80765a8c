"""Copies a file without rewriting it, if possible."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Literal

from lerobot_grasp_plugin.findings.problem import Problem, UsageError

_FICLONE = 0x40049409  # ioctl of Linux: share the file's extents, copy on write


def take_over(source: Path, target: Path, link: Literal["auto", "hard", "copy"]) -> str:
    """Makes ``target`` a file with the bytes of ``source``.

    ``auto`` shares extents where the file system can (changing one file never changes the other)
    and copies elsewhere. It never makes a hard link, because LeRobot writes videos in place:
    ``reencode_dataset`` moves its result over the old file, which truncates that file itself when
    the temporary folder is on another file system.

    Returns:
        The way it was copied: ``reflink``, ``hard link`` or ``copy``.

    Raises:
        UsageError: ``hard`` is not possible here.
        OSError: The file cannot be read or written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if link == "hard":
        try:
            os.link(source.resolve(), target)
        except OSError as error:
            message = f"cannot create a hard link to {source}: {error.strerror or error}"
            raise UsageError(Problem("no-hard-link", message, target, "use --link auto or copy")) from None
        return "hard link"
    if link == "auto" and _reflink(source, target):
        return "reflink"
    shutil.copyfile(source, target)
    return "copy"


def _reflink(source: Path, target: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # not a Unix
        return False
    with source.open("rb") as original, target.open("xb") as clone:
        try:
            fcntl.ioctl(clone.fileno(), _FICLONE, original.fileno())
        except OSError as error:
            if error.errno in (
                errno.EOPNOTSUPP,
                errno.EXDEV,
                errno.EINVAL,
                errno.ENOTTY,
                errno.ENOSYS,
                errno.EPERM,
            ):
                return False
            raise
    return True
