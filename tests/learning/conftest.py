"""What the tests of learning share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ["TORCHDYNAMO_DISABLE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


@pytest.fixture
def annotated(tmp_path: Path) -> Callable[[str], Path]:
    """An annotation file with this text."""

    def made(text: str) -> Path:
        path = tmp_path / "labels.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return made
