"""Merges that are to be refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lerobot_grasp_plugin import GraspError, MergeConfig, Problem, SourceConfig, merge


def refused(
    target: Path, *sources: SourceConfig, error: type[GraspError] = GraspError, **options: Any
) -> Sequence[Problem]:
    """Merges, expects an error, and looks whether anything is left behind."""
    beside = set(target.parent.iterdir())
    with pytest.raises(error) as caught:
        merge(MergeConfig(sources=list(sources), new_root=target, **options))
    assert set(target.parent.iterdir()) == beside
    return caught.value.problems
