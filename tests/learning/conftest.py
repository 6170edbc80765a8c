"""What the tests of learning share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def squares(once: Callable[..., Path]) -> Path:
    """The dataset of ``classifier_scenes``; only to be read."""
    from tests.support import classifier_scenes

    return once("squares", classifier_scenes.record)


@pytest.fixture
def annotated(tmp_path: Path) -> Callable[[str], Path]:
    """An annotation file with this text."""

    def made(text: str) -> Path:
        path = tmp_path / "labels.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return made


@pytest.fixture
def both(tmp_path: Path) -> Callable[..., tuple[Any, Any]]:
    """``both_classes.do_with_both`` in the test's folder."""
    from tests.support.both_classes import do_with_both

    return partial(do_with_both, tmp_path)
