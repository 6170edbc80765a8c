"""Computes per-frame labels from annotations, and decides which recorded rows are success or done.

All rules for success and done are here. Rows and frames are 0-based and of equal number: row t of
an episode holds frame t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

import numpy as np
import numpy.typing as npt

from lerobot_grasp_plugin.core.choices import Alignment, Done
from lerobot_grasp_plugin.core.intervals import IntervalSet, ends_late

Basis = Literal["values", "two values", "one value", "next.success", "many values", "nothing"]
"""What a ``SuccessRule`` rests on."""


@dataclass(frozen=True, slots=True)
class LabelValues:
    """The rewards of success and failure frames, as a sidecar or a call states them."""

    success: float
    failure: float

    @classmethod
    def of(cls, labels: object) -> LabelValues | None:
        """The values among label options; None where they are not two different numbers."""
        options = labels if isinstance(labels, Mapping) else {}
        success, failure = options.get("success_value"), options.get("failure_value")
        if not _is_number(success) or not _is_number(failure) or np.float32(success) == np.float32(failure):
            return None
        return cls(float(success), float(failure))


def _is_number(value: object) -> TypeGuard[float]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        with np.errstate(over="ignore"):
            return bool(np.isfinite(np.float32(value)))
    except OverflowError:
        return False


@dataclass(frozen=True, slots=True)
class SuccessRule:
    """Which rows of a dataset count as success: the one meaning of success for every command.

    Attributes:
        basis: ``values``: a sidecar or a call states the values. Without them, what all rows of the
            dataset say (see ``SuccessEvidence.rule``).
        success_value: The reward of success rows; None where no reward means success.
        failure_value: The reward of all other rows; None where it is not known.
    """

    basis: Basis
    success_value: float | None = None
    failure_value: float | None = None

    @classmethod
    def of_values(cls, values: LabelValues) -> SuccessRule:
        """The rule for labels whose values are known."""
        return cls("values", values.success, values.failure)

    def rows(
        self, reward: npt.NDArray[Any] | None, flags: npt.NDArray[Any] | None
    ) -> npt.NDArray[np.bool_] | None:
        """Which rows are success.

        Args:
            reward: ``next.reward``, shape (rows,); None where there is none.
            flags: ``next.success``, shape (rows,); None where there is none.

        Returns:
            Bool, shape (rows,). None where nothing says which rows are success.
        """
        if self.basis == "next.success":
            return None if flags is None else flags.astype(np.bool_)
        if reward is None or self.basis in ("many values", "nothing"):
            return None
        if self.success_value is None:
            return np.zeros(len(reward), dtype=np.bool_)
        return is_success_value(reward, self.success_value)

    def rewrites(self, values: LabelValues) -> bool:
        """Whether ``rewritten`` changes rewards."""
        pairs = ((self.success_value, values.success), (self.failure_value, values.failure))
        return any(own is not None and np.float32(own) != np.float32(new) for own, new in pairs)

    def rewritten(self, reward: npt.NDArray[Any], values: LabelValues) -> npt.NDArray[np.float32]:
        """Rewards with other values for success and failure; those that are neither stay."""
        written = reward.astype(np.float32)
        for own, new in ((self.success_value, values.success), (self.failure_value, values.failure)):
            if own is not None:
                written[is_success_value(reward, own)] = new
        return written


class SuccessEvidence:
    """What the rows of a dataset say about success, gathered batch by batch.

    Attributes:
        has_flags: Whether a batch had ``next.success``.
    """

    def __init__(self) -> None:
        self.has_flags = False
        self._values: list[np.float32] = []

    @property
    def is_many(self) -> bool:
        """Whether the rewards have three values or more; further rows do not change that."""
        return len(self._values) > 2

    def add(self, reward: npt.NDArray[Any] | None, flags: npt.NDArray[Any] | None) -> None:
        """Adds rows: ``next.reward`` and ``next.success``, shape (rows,), None where there is none."""
        self.has_flags |= flags is not None
        if reward is None or self.is_many:
            return
        rest = reward.astype(np.float32, copy=False)
        for value in self._values:
            rest = rest[rest != value]
        rest = rest[np.isfinite(rest)] if len(rest) else rest
        while len(rest) and not self.is_many:
            self._values.append(rest[0])
            rest = rest[rest != rest[0]]

    def rule(self, values: LabelValues | None = None) -> SuccessRule:
        """Decides which rows count as success.

        Values that a sidecar states decide. Else, of two rewards the larger one is success: 0 of 0 and
        -1, 10 of 10 and -0.05 (``next.success`` that differs from it is a contradiction, which verify
        names). Where the rewards have another number of values, ``next.success`` decides. Without it, a
        single reward above 0 is success, any other is failure; three values or more (dense rewards) say
        nothing. Rewards that are not finite are failure.

        Args:
            values: What a sidecar states; None where there is none.
        """
        if values is not None:
            return SuccessRule.of_values(values)
        found = sorted(map(float, self._values))
        if len(found) == 2:
            return SuccessRule("two values", found[1], found[0])
        if self.has_flags:
            return SuccessRule("next.success")
        if not found:
            return SuccessRule("nothing")
        if self.is_many:
            return SuccessRule("many values")
        return (
            SuccessRule("one value", found[0]) if found[0] > 0 else SuccessRule("one value", None, found[0])
        )


def is_success_value(reward: npt.NDArray[Any], success_value: float) -> npt.NDArray[np.bool_]:
    """Where rewards are the success value, as float32 holds them; bool, shape of ``reward``."""
    return np.asarray(reward.astype(np.float32, copy=False) == np.float32(success_value))


def success_of(rewards: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
    """Which rows are success, where the rewards of all rows are at hand and nothing else is known.

    Args:
        rewards: Shape (rows,); booleans are labels themselves.

    Returns:
        Bool, shape (rows,); None where the rewards have three values or more.
    """
    evidence = SuccessEvidence()
    evidence.add(rewards, None)
    return evidence.rule().rows(rewards, None) if len(rewards) else np.zeros(0, dtype=np.bool_)


def default_done(done: Done | None, has_done: bool) -> Done:
    """How ``next.done`` is made: as the call states, else kept where there is one, else ``episode_end``."""
    return done or ("keep" if has_done else "episode_end")


@dataclass(frozen=True, slots=True, eq=False)
class EpisodeLabels:
    """The label columns of one episode.

    Attributes:
        reward: ``next.reward``: float32, shape (length,).
        done: ``next.done``: bool, shape (length,).
        success: ``next.success``: bool, shape (length,); where ``reward`` has the success value.
    """

    reward: npt.NDArray[np.float32]
    done: npt.NDArray[np.bool_]
    success: npt.NDArray[np.bool_]


def label_episode(
    success: IntervalSet,
    length: int,
    *,
    alignment: Alignment,
    done: Done,
    success_value: float = 1.0,
    failure_value: float = 0.0,
    existing_done: npt.NDArray[np.bool_] | None = None,
) -> EpisodeLabels:
    """Label every row of an episode.

    Args:
        success: The success frames; they must fit the episode (see ``section_check``).
        length: Frames of the episode.
        alignment: ``frame`` gives row t the label of frame t. ``next`` gives it the label of
            frame t + 1, and the last row, which has no next frame, that of its own frame.
        done: Which rows end the episode. ``keep`` takes ``existing_done`` as it is. The others
            mark the last row, and in addition ``episode_end`` nothing, ``first_success`` the first
            success row, ``last_frame_of_success`` the last one (rows after ``alignment``).
        success_value: Reward of success rows.
        failure_value: Reward of all other rows.
        existing_done: Bool, shape (length,). Needed for ``keep``, else of no effect.

    Raises:
        ValueError: ``success`` reaches past the end, ``existing_done`` is missing or of another
            shape or dtype, or an option is unknown.
    """
    late = [interval for interval in success if ends_late(interval, length)]
    if late:
        raise ValueError(f"{late[-1]} does not fit an episode of {length} frames")
    rows = success.mask(length)
    if alignment == "next":
        rows[:-1] = rows[1:].copy()
    elif alignment != "frame":
        raise ValueError(f"alignment must be frame or next, got {alignment!r}")
    reward = np.where(rows, np.float32(success_value), np.float32(failure_value)).astype(np.float32)
    return EpisodeLabels(reward, done_rows(rows, done, existing_done), rows)


def done_rows(
    success: npt.NDArray[np.bool_], done: Done, existing: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.bool_]:
    """Which rows of an episode end it.

    Args:
        success: Success rows of the episode, shape (length,).
        done: See ``label_episode``.
        existing: Bool, shape (length,). Needed for ``keep``, else of no effect.

    Raises:
        ValueError: ``existing`` is missing or of another shape or dtype, or ``done`` is unknown.
    """
    if done == "keep":
        if existing is None or existing.dtype != np.bool_ or existing.shape != success.shape:
            raise ValueError(f"done `keep` needs existing_done, bool of shape {success.shape}")
        return existing.copy()
    if done not in ("episode_end", "first_success", "last_frame_of_success"):
        raise ValueError(f"done {done!r} is unknown")
    marked = np.zeros_like(success)
    marked[-1:] = True
    where = np.flatnonzero(success)
    if len(where) and done == "first_success":
        marked[where[0]] = True
    elif len(where) and done == "last_frame_of_success":
        marked[where[-1]] = True
    return marked
