"""Episodes in which the actor does not explore."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lerobot_grasp_plugin.lerobot_seams.access import current, replace
from lerobot_grasp_plugin.lerobot_seams.environment import (
    EnvironmentListener,
    follow_environment,
    leave_environment,
)
from lerobot_grasp_plugin.lerobot_seams.mean_action import POLICY, SELECT, mean_action

BY_MEAN = "by_mean"
"""Name of the note of an episode: whether the policy acts by its mean."""


class MeanEpisodes(EnvironmentListener):
    """Lets the policy act by its mean in a share of the episodes, evenly spread.

    A policy that explores never stands still where its mean action would: what it does there is seen, and
    corrected by the person, in these episodes only.
    """

    def __init__(self, share: float, first_episode: int) -> None:
        """Args:
        share: Of the episodes, in [0, 1].
        first_episode: Number of the next episode; a run that goes on counts from where it ended.
        """
        self._share = share
        self._next = first_episode
        self._by_mean = False

    def episode_starts(self, env: Any) -> None:
        self._by_mean = int((self._next + 1) * self._share) > int(self._next * self._share)
        self._next += 1

    def notes(self) -> Mapping[str, Any]:
        return {BY_MEAN: self._by_mean}

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Within the block, LeRobot's policy acts as said.

        Raises:
            SeamError: LeRobot does not have what is replaced.
        """
        sampled: Callable[..., Any] = current(POLICY, SELECT)

        def select_action(policy: Any, batch: dict[str, Any]) -> Any:
            return mean_action(policy, batch) if self._by_mean else sampled(policy, batch)

        follow_environment(self)
        replace(POLICY, SELECT, select_action)
        try:
            yield
        finally:
            replace(POLICY, SELECT, sampled)
            leave_environment(self)
