"""Writes one file completely or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lerobot_grasp_plugin.writers.staging import sync


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file completely or not at all, and syncs it to disk; a link becomes a file."""
    with writing_whole(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def writing_whole(path: Path) -> Iterator[Path]:
    """Gives the path of a temporary file, which replaces ``path`` when the block ends.

    It is synced to disk first. If the block raises, it is removed, and ``path`` does not change.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file completely or not at all, and syncs it to disk; links and permissions do not change."""
    target = path.resolve()
    staging = staged_file(target, data)
    try:
        if target.exists():
            staging.chmod(target.stat().st_mode & 0o7777)
        staging.replace(target)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    sync(target.parent)


def staged_file(target: Path, data: bytes) -> Path:
    """A new file next to ``target`` that contains ``data``, on disk; removed if that fails."""
    staging = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with staging.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    return staging
