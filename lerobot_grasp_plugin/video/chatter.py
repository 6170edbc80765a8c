"""What encoders print by themselves."""

from __future__ import annotations

import os


def silence_encoders() -> None:
    """Keeps SVT-AV1 from printing its settings for each video; it reads this when it is loaded."""
    os.environ.setdefault("SVT_LOG", "1")
