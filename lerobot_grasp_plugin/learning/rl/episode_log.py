"""What each episode of LeRobot's environment came to, one JSON line an episode."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.learning.rl.run_lines import append_line, cut_torn_line, read_lines
from lerobot_grasp_plugin.lerobot_seams.environment import EnvironmentListener

REWARD, INFO, DONE, TRUNCATED = "reward", "info", "done", "truncated"
"""Keys of a transition, as LeRobot's ``TransitionKey`` spells them."""


@dataclass(slots=True)
class EpisodeRecord:
    """One episode of actor or environment.

    Attributes:
        episode: Counted from 0 within the log.
        steps: Steps of the episode.
        total_steps: Steps of the log so far, this episode included.
        reward: Sum of the rewards.
        rewarded: Some step had a reward above 0.
        intervention_steps: Steps in which the person, or the script, acted.
        seconds: Since the log was opened.
        held: The simulated cube was held in the last step; None on a real arm.
        grasped: It was held and lifted by more than 1 cm; None on a real arm.
        false_reward: A step was rewarded in which the cube was not held; None on a real arm.
    """

    episode: int
    steps: int = 0
    total_steps: int = 0
    reward: float = 0.0
    rewarded: bool = False
    intervention_steps: int = 0
    seconds: float = 0.0
    held: bool | None = None
    grasped: bool | None = None
    false_reward: bool | None = None


class EpisodeLog(EnvironmentListener):
    """Follows an environment and appends a line to a file as each episode ends.

    Attributes:
        episodes: How many the log has.
        last: The last episode that ended, None before the first one.
    """

    def __init__(
        self,
        path: Path,
        truth: Callable[[], Any] | None = None,
        ended: Callable[[EpisodeRecord], None] | None = None,
    ) -> None:
        """Args:
        path: The file; lines that are there stay, and the count goes on behind them. A last line that a
            kill cut off is removed.
        truth: What holds in the simulation now (``sim.truth.Truth``), or None on a real arm.
        ended: Called with each episode as it ends.
        """
        self._path = path
        self._truth = truth
        self._ended = ended
        cut_torn_line(path)
        earlier = list(read_episodes(path))
        self.episodes = len(earlier)
        self._steps = earlier[-1].total_steps if earlier else 0
        self._began = time.monotonic() - (earlier[-1].seconds if earlier else 0.0)
        self._record: EpisodeRecord | None = None
        self.last: EpisodeRecord | None = earlier[-1] if earlier else None

    def episode_starts(self, env: Any) -> None:
        self._record = EpisodeRecord(self.episodes)

    def stepped(self, env: Any, transition: dict[Any, Any]) -> None:
        record = self._record
        if record is None:
            return
        reward = float(transition.get(REWARD) or 0.0)
        info = transition.get(INFO) or {}
        self._steps += 1
        record.steps += 1
        record.total_steps = self._steps
        record.reward += reward
        record.rewarded |= reward > 0
        record.intervention_steps += _intervenes(info)
        truth = self._truth() if self._truth is not None else None
        if truth is not None:
            record.held, record.grasped = truth.held, truth.grasped
            record.false_reward = bool(record.false_reward) or (reward > 0 and not truth.held)
        if transition.get(DONE) or transition.get(TRUNCATED):
            self._write(record)

    def _write(self, record: EpisodeRecord) -> None:
        record.seconds = round(time.monotonic() - self._began, 2)
        append_line(self._path, asdict(record))
        self.episodes += 1
        self._record, self.last = None, record
        if self._ended is not None:
            self._ended(record)


def _intervenes(info: dict[Any, Any]) -> bool:
    """Whether a person acted: LeRobot's key is an enum whose value is ``is_intervention``."""
    return any(bool(value) for key, value in info.items() if getattr(key, "value", key) == "is_intervention")


def read_episodes(path: Path) -> Iterator[EpisodeRecord]:
    """The episodes of a log, in their order; a last line that was cut off by a kill is left out."""
    return (EpisodeRecord(**entry) for entry in read_lines(path))
