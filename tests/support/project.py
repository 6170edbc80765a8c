"""Where the project's files are, and the environment of a process that imports test helpers."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).parents[2]
CONFIGS = PROJECT / "configs"


def environment(**variables: str) -> dict[str, str]:
    """Variables of this process, with the project's folder first in ``PYTHONPATH``.

    Args:
        variables: More of them, or other values.
    """
    folders = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(folders), **variables}
