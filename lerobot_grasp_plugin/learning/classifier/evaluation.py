"""Computes a reward classifier's probabilities on every frame of some episodes, and their quality."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lerobot.rewards.classifier import Classifier
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.learning.classifier.data import ClassifierData, LabelledEpisode
from lerobot_grasp_plugin.learning.classifier.metrics import (
    Confusion,
    area_under_curve,
    confusion,
    suggest_threshold,
)
from lerobot_grasp_plugin.learning.classifier.model import predict

WORST_FRAMES = 24


@dataclass(frozen=True)
class EpisodeVerdict:
    """The classifier's result for an episode.

    Attributes:
        episode_index: LeRobot's ``episode_index``, 0-based.
        source: The dataset it came from.
        probability: Of success, float32 of shape (length,).
        label: Whether each frame is a success, shape (length,); None without labels.
    """

    episode_index: int
    source: str
    probability: NDArray[np.float32]
    label: NDArray[np.bool_] | None


@dataclass(frozen=True)
class WorstFrame:
    """A frame with a large error.

    Attributes:
        episode_index: LeRobot's ``episode_index``, 0-based.
        frame_index: 0-based.
        probability: Of success.
        label: Whether it is a success.
        image: The first camera's image after the preprocessing: uint8, shape (H, W, 3).
    """

    episode_index: int
    frame_index: int
    probability: float
    label: bool
    image: NDArray[np.uint8]


@dataclass(frozen=True)
class Evaluation:
    """The results for some episodes.

    Attributes:
        episodes: By ascending ``episode_index``.
        worst: The most wrong frames, the worst first; empty without labels.
    """

    episodes: Sequence[EpisodeVerdict]
    worst: Sequence[WorstFrame]

    @property
    def is_labelled(self) -> bool:
        """Whether there are labels to compare with."""
        return all(episode.label is not None for episode in self.episodes)

    @property
    def frames(self) -> int:
        """All frames."""
        return sum(len(episode.probability) for episode in self.episodes)

    @property
    def area_under_curve(self) -> float | None:
        """Of all frames together; None without frames of both kinds."""
        return area_under_curve(*_joined(self.episodes))

    @property
    def suggested_threshold(self) -> float | None:
        """See ``metrics.suggest_threshold``."""
        return suggest_threshold(*_joined(self.episodes))

    def confusion(self, threshold: float) -> Confusion:
        """Of all frames together."""
        return confusion(*_joined(self.episodes), threshold)

    def by_source(self) -> Iterator[tuple[str, Evaluation]]:
        """The episodes of each source, in the order of their first episode."""
        for source in dict.fromkeys(episode.source for episode in self.episodes):
            yield source, Evaluation([item for item in self.episodes if item.source == source], ())

    def by_episode(self) -> Iterator[tuple[EpisodeVerdict, Evaluation]]:
        """Each episode alone."""
        for episode in self.episodes:
            yield episode, Evaluation([episode], ())

    def figures(self, threshold: float) -> dict[str, Any]:
        """Confusion, rates and area under the curve of all frames together."""
        return {
            "frames": self.frames,
            "auc": self.area_under_curve,
            **self.confusion(threshold).to_json(),
        }

    def to_json(self, threshold: float) -> dict[str, Any]:
        """Everything, with each frame's probability."""
        raw: dict[str, Any] = {"episodes": []}
        if self.is_labelled:
            suggested = self.suggested_threshold
            raw = {
                "all": self.figures(threshold),
                "suggested_threshold": suggested,
                "at_suggested_threshold": None if suggested is None else self.figures(suggested),
                "sources": {source: part.figures(threshold) for source, part in self.by_source()},
                "episodes": [],
            }
        for episode, alone in self.by_episode():
            entry: dict[str, Any] = {"episode_index": episode.episode_index, "source": episode.source}
            if episode.label is not None:
                entry |= alone.figures(threshold)
                entry["label"] = episode.label.astype(int).tolist()
            entry["probability"] = [float(str(value)) for value in episode.probability]
            raw["episodes"].append(entry)
        return raw


def evaluate(
    model: Classifier,
    data: ClassifierData,
    episodes: Sequence[LabelledEpisode],
    progress: Progress = silent,
) -> Evaluation:
    """Runs LeRobot's own ``predict`` over every frame of some episodes.

    Args:
        model: In evaluation mode; its cameras are in the dataset.
        data: The dataset.
        episodes: Of the dataset.
        progress: Called with the progress.
    """
    cameras = list(model.config.input_features)
    verdicts = []
    worst: list[tuple[float, int, WorstFrame]] = []
    for done, episode in enumerate(episodes):
        progress("evaluating", done, len(episodes))
        probabilities: list[NDArray[np.float32]] = []
        first = 0
        for images in data.images(episode, cameras):
            found = predict(model, [images[camera] for camera in cameras]).numpy()
            probabilities.append(found)
            if episode.label is not None:
                candidates = _worst(episode, first, found, images[cameras[0]])
                worst = heapq.nlargest(WORST_FRAMES, (*worst, *candidates), key=lambda item: item[:2])
            first += len(found)
        verdict = EpisodeVerdict(
            episode.episode_index, episode.source, np.concatenate(probabilities), episode.label
        )
        verdicts.append(verdict)
    progress("evaluating", len(episodes), len(episodes))
    return Evaluation(verdicts, [frame for _, _, frame in worst])


def _worst(
    episode: LabelledEpisode, first: int, probability: NDArray[np.float32], images: torch.Tensor
) -> Iterator[tuple[float, int, WorstFrame]]:
    """The block's frames that may be among the worst, each with its error and a tie-breaker."""
    assert episode.label is not None
    label = episode.label[first : first + len(probability)]
    wrong = np.abs(probability - label)
    for at in np.argsort(-wrong, kind="stable")[:WORST_FRAMES].tolist():
        image = (images[at].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        frame = WorstFrame(episode.episode_index, first + at, float(probability[at]), bool(label[at]), image)
        yield float(wrong[at]), -(episode.rows[0] + first + at), frame


def _joined(episodes: Iterable[EpisodeVerdict]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    parts = [(item.probability, item.label) for item in episodes if item.label is not None]
    if not parts:
        return np.zeros(0, np.float32), np.zeros(0, np.bool_)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
