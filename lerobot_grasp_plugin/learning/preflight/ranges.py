"""Words for lists of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def listed(numbers: Sequence[int], noun: str, most: int = 8) -> str:
    """``episode 3`` or ``5 episodes (0, 1, 2, 3, 4)``, cut where it gets long."""
    if len(numbers) == 1:
        return f"{noun} {numbers[0]}"
    shown = ", ".join(map(str, numbers[:most])) + (", ..." if len(numbers) > most else "")
    return f"{len(numbers)} {noun}s ({shown})"


def is_normalised(values: NDArray[np.float64]) -> bool:
    """Whether actions lie in [-1, 1], where the policy's lie."""
    return bool(np.abs(values).max(initial=0.0) <= 1.0 + 1e-3)
