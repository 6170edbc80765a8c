"""Proposals of labelers for the episodes of the page."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.labelers.episode import StoredEpisode
from lerobot_grasp_plugin.labelers.labeler import LabelerConfig, Proposal
from lerobot_grasp_plugin.labelers.proposing import propose_one
from lerobot_grasp_plugin.merging.sources import Source


class Proposals:
    """Asks each labeler about each episode once, when the page requests it.

    Args:
        source: The dataset.
        configs: The labelers, in the order of their tracks.

    Attributes:
        names: Names of the labelers: the type, with a number if several have one type.
        has_tracks: Whether each has a track; the ranges of a single one without a curve stand at the marks.

    Raises:
        GraspError: With all errors in the settings of labelers.
    """

    def __init__(self, source: Source, configs: Sequence[LabelerConfig]) -> None:
        self._source = source
        self._frames = EpisodeFrames(source.reader)
        self._labelers = []
        self._locks = [threading.Lock() for _ in configs]
        self._known: dict[tuple[int, int], Proposal] = {}
        self.names: list[str] = []
        self.has_tracks = len(configs) > 1 or any(config.has_curve for config in configs)
        problems = Gathered()
        for config in configs:
            with problems:
                self._labelers.append(config.make(source))
            same = sum(name.partition(" ")[0] == config.type for name in self.names)
            self.names.append(f"{config.type} {same + 1}" if same else config.type)
        problems.raise_all()

    def of(self, labeler: int, episode: int) -> dict[str, Any]:
        """One proposal as JSON values; a labeler that fails gives no proposal, with the reason.

        Args:
            labeler: Its place in ``names``.
            episode: ``episode_index``.

        Returns:
            ``ranges``: 0-based, half-open, null for the open end; null for no proposal. ``reason``,
            ``confidence`` and ``curve`` as in ``Proposal``.
        """
        with self._locks[labeler]:
            proposal = self._known.get((labeler, episode))
            if proposal is None:
                proposal = self._proposed(labeler, episode)
                self._known[labeler, episode] = proposal
        length, success = int(self._source.reader.lengths[episode]), proposal.success
        curve = proposal.curve
        return {
            "ranges": None if success is None else [[one.start, one.stop] for one in success.open_at(length)],
            "reason": proposal.reason,
            "confidence": proposal.confidence,
            "curve": None if curve is None else [round(float(value), 3) for value in curve],
        }

    def _proposed(self, labeler: int, episode: int) -> Proposal:
        name = self.names[labeler]
        stored = StoredEpisode(self._source.reader, episode, self._frames)
        try:
            return propose_one(name, self._labelers[labeler], stored)
        except GraspError as error:
            return Proposal(None, "; ".join(problem.message for problem in error.problems))
