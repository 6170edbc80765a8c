"""Writing one file whole or not at all."""

from __future__ import annotations

import secrets
from pathlib import Path

from lerobot_grasp_plugin.writers.staging import sync


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all, and brings it to disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(data)
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
