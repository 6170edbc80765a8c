"""Ranges of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def is_normalised(values: NDArray[np.float64]) -> bool:
    """Whether actions are in [-1, 1], the policy's range."""
    return bool(np.abs(values).max(initial=0.0) <= 1.0 + 1e-3)
