"""Measures how well probabilities separate success frames from failure frames, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of frames by label and classification, at one threshold.

    Attributes:
        threshold: A frame counts as success if its probability is higher, as in LeRobot's
            ``Classifier.predict_reward``.
        true_success: Success frames classified as success.
        false_success: Failure frames classified as success.
        true_failure: Failure frames classified as failure.
        false_failure: Success frames classified as failure.
    """

    threshold: float
    true_success: int
    false_success: int
    true_failure: int
    false_failure: int

    @property
    def frames(self) -> int:
        """All frames."""
        return self.true_success + self.false_success + self.true_failure + self.false_failure

    @property
    def accuracy(self) -> float | None:
        """Share of correctly classified frames; None without frames."""
        return _ratio(self.true_success + self.true_failure, self.frames)

    @property
    def precision(self) -> float | None:
        """Share of success frames among those classified as success; None without any."""
        return _ratio(self.true_success, self.true_success + self.false_success)

    @property
    def recall(self) -> float | None:
        """Share of success frames that were found; None without success frames."""
        return _ratio(self.true_success, self.true_success + self.false_failure)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None when there is no success anywhere."""
        wrong = self.false_success + self.false_failure
        return _ratio(2 * self.true_success, 2 * self.true_success + wrong)

    def to_json(self) -> dict[str, float | int | None]:
        """All figures by name."""
        counts = ("threshold", "true_success", "false_success", "true_failure", "false_failure")
        rates = ("accuracy", "precision", "recall", "f1")
        return {name: getattr(self, name) for name in (*counts, *rates)}


def confusion(probability: Floats, label: NDArray[np.bool_], threshold: float) -> Confusion:
    """Counts frames.

    Args:
        probability: Of success, shape (frames,).
        label: Whether each frame is a success, shape (frames,).
        threshold: In [0, 1].
    """
    taken = probability > threshold
    return Confusion(
        threshold=threshold,
        true_success=int((taken & label).sum()),
        false_success=int((taken & ~label).sum()),
        true_failure=int((~taken & ~label).sum()),
        false_failure=int((~taken & label).sum()),
    )


def area_under_curve(probability: Floats, label: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: how often a success frame ranks above a failure frame.

    Exact, from the ranks (Mann and Whitney 1947); a tie counts one half.

    Args:
        probability: Of success, shape (frames,).
        label: Whether each frame is a success, shape (frames,).

    Returns:
        In [0, 1]; None unless there are frames of both kinds.
    """
    success = int(label.sum())
    failure = len(label) - success
    if not success or not failure:
        return None
    _, position, count = np.unique(probability, return_inverse=True, return_counts=True)
    twice_rank = 2 * np.cumsum(count) - count + 1  # integers: the mean rank of a tie may end in .5
    twice_won = int(twice_rank[position][label].sum()) - success * (success + 1)
    return twice_won / (2 * success * failure)


def suggest_threshold(probability: Floats, label: NDArray[np.bool_]) -> float | None:
    """The threshold with the highest F1; in the middle of the widest gap between frames that has it.

    Args:
        probability: Of success, shape (frames,).
        label: Whether each frame is a success, shape (frames,).

    Returns:
        In (0, 1); None unless there are frames of both kinds.
    """
    success = int(label.sum())
    if not success or success == len(label):
        return None
    order = np.argsort(probability, kind="stable")
    values = probability[order].astype(np.float64)
    lower, upper = np.concatenate([[0.0], values]), np.concatenate([values, [1.0]])
    found = success - np.concatenate([[0], np.cumsum(label[order])])
    taken = len(label) - np.arange(len(label) + 1)
    f1 = np.where(upper > lower, 2 * found / (taken + success), -1.0)
    best = np.flatnonzero(f1 == f1.max())
    widest = best[np.argmax((upper - lower)[best])]
    return float((lower[widest] + upper[widest]) / 2)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
