"""Finalises a recording on disk that its recorder does not close."""

from __future__ import annotations

import atexit
import logging
from typing import Any

logger = logging.getLogger(__name__)


class FinishedRecording:
    """Finalises the recorded dataset, at the latest when the process ends normally.

    ``lerobot.rl.gym_manipulator`` finalises what it recorded only when it pushes it to the Hub. Without
    that the data file has no footer and the episodes no metadata.
    """

    def __init__(self) -> None:
        self._dataset: Any = None

    def frame_added(self, dataset: Any, frame: dict[str, Any]) -> None:
        """A frame alone needs no closing."""

    def frame_held(self, dataset: Any) -> None:
        """A pause needs no closing."""

    def frames_kept(self, dataset: Any, start: int, stop: int) -> None:
        """Frames that are dropped need no closing."""

    def episode_saved(self, dataset: Any, episode_index: int) -> None:
        if dataset is not self._dataset:
            self.finish()
            self._dataset = dataset
            atexit.register(self.finish)

    def episode_discarded(self, dataset: Any) -> None:
        """What was discarded needs no closing."""

    def finish(self) -> None:
        """Finalise the dataset, if one was recorded and is still open."""
        if self._dataset is None:
            return
        dataset, self._dataset = self._dataset, None
        atexit.unregister(self.finish)
        dataset.finalize()
        logger.info("%s is complete: %s episodes.", dataset.root, dataset.meta.total_episodes)
