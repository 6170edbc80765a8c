"""Silences the output of encoders."""

from __future__ import annotations

import os


def silence_encoders() -> None:
    """Keeps SVT-AV1 from printing its settings for each video; SVT-AV1 reads this when it is loaded."""
    os.environ.setdefault("SVT_LOG", "1")
