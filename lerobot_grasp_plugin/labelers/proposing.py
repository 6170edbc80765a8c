"""Runs a labeler on the episodes of a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import DataError, GraspError, Place, Problem
from lerobot_grasp_plugin.labelers.episode import StoredEpisode
from lerobot_grasp_plugin.labelers.labeler import Episode, Labeler, LabelerConfig, Proposal
from lerobot_grasp_plugin.merging.sources import Source


def propose(config: LabelerConfig, source: Source, progress: Progress = silent) -> dict[int, Proposal]:
    """The proposals for the chosen episodes of a dataset, by ``episode_index`` in ascending order.

    Args:
        config: The labeler's settings.
        source: The dataset and the chosen episodes.
        progress: Called with the progress.

    Raises:
        GraspError: With all errors of the settings, or of every episode that fails.
    """
    episodes = sorted(set(source.episodes))
    source.reader.require(episodes, [])
    labeler = config.make(source)
    proposals: dict[int, Proposal] = {}
    problems = Gathered()
    for done, episode in enumerate(stored_episodes(source, episodes), start=1):
        with problems:
            proposals[episode.index] = propose_one(config.type, labeler, episode)
        progress("proposing", done, len(episodes))
    problems.raise_all()
    return proposals


def stored_episodes(source: Source, episodes: list[int]) -> Iterator[StoredEpisode]:
    """Episodes of a dataset, for labelers."""
    frames = EpisodeFrames(source.reader)
    for index in episodes:
        yield StoredEpisode(source.reader, index, frames)


def propose_one(name: str, labeler: Labeler, episode: Episode) -> Proposal:
    """The proposal for one episode, its ranges within the episode.

    Args:
        name: The labeler's type.
        labeler: The labeler, which may be of another package.
        episode: The episode.

    Raises:
        GraspError: The dataset is at fault, or the labeler fails (``labeler-failed``).
    """
    try:
        return _checked(labeler.propose(episode), episode.length)
    except GraspError:
        raise
    except Exception as error:  # another package's code, of any kind
        message = f"the labeler {name} failed: {type(error).__name__}: {error}"
        raise DataError(Problem("labeler-failed", message, Place(episode=episode.index))) from error


def _checked(proposal: Proposal, length: int) -> Proposal:
    """A proposal whose ranges end with the episode.

    Raises:
        ValueError: Its curve or its confidence is invalid, see ``Proposal``.
    """
    curve, confidence = proposal.curve, proposal.confidence
    if curve is not None and np.shape(curve) != (length,):
        raise ValueError(f"its curve has shape {np.shape(curve)}, but the episode has {length} frames")
    shares = np.array([*(() if curve is None else curve), *(() if confidence is None else [confidence])])
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError("its curve or its confidence has a value outside 0 to 1")
    success = None if proposal.success is None else proposal.success.clip(length)
    return replace(proposal, success=success)
