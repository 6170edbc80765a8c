"""Labeler ``rest``: success is where the arm has come to rest at the end of an episode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.labelers.labeler import Episode, Labeler, LabelerConfig, Proposal
from lerobot_grasp_plugin.merging.sources import Source


@LabelerConfig.register_subclass("rest")
@dataclass
class RestLabelerConfig(LabelerConfig):
    """When the arm is at rest."""

    # the fastest joint is slower than this, in units of observation.state per second
    speed: float = 2.0
    # for at least this many seconds
    seconds: float = 0.5

    def make(self, source: Source) -> Labeler:
        """The labeler."""
        return RestLabeler(self)


class RestLabeler:
    """Looks at how fast the joints move."""

    def __init__(self, config: RestLabelerConfig) -> None:
        self._config = config

    def propose(self, episode: Episode) -> Proposal:
        """Success from the frame on after which no joint is faster."""
        state = episode.values("observation.state")
        if state is None:
            return Proposal(None, "there is no observation.state")
        speed = np.abs(np.diff(state, axis=0, prepend=state[:1])).max(axis=1) * episode.fps
        moving = np.flatnonzero(speed > self._config.speed)
        start = int(moving[-1]) + 1 if len(moving) else 0
        if episode.length - start < self._config.seconds * episode.fps:
            return Proposal(IntervalSet(), "the arm moves until the end")
        share = float(np.exp(-speed[start:].max() / self._config.speed))
        return Proposal(IntervalSet([FrameInterval(start, None)]), "the arm is at rest", share)
