"""Names of this package's files in the ``output_dir`` of a learner's run."""

from __future__ import annotations

from typing import Final

BUFFERS: Final = "replay_buffers.npz"
"""The replay buffers of the last checkpoint."""
