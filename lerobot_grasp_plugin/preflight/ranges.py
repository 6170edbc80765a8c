"""Words for lists of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def is_normalised(values: NDArray[np.float64]) -> bool:
    """Whether actions lie in [-1, 1], where the policy's lie."""
    return bool(np.abs(values).max(initial=0.0) <= 1.0 + 1e-3)
