"""Logs each episode of LeRobot's environment, one JSON line per episode."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.learning.rl.run_lines import append_line, cut_torn_line, read_lines
from lerobot_grasp_plugin.lerobot_seams.environment import VETO, EnvironmentListener, notes_of_episode

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
        vetoes: Steps whose reward the person's key took away.
        probability: The reward classifier's, in the last step it judged; None without a classifier.
        highest_probability: Its highest of the episode.
        reset: How the gripper was sent to its start: ``commanded``, ``achieved`` and ``offset``, metres from
            the robot's base, and ``error_m``; None without ``random_ee_reset``.
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
    vetoes: int = 0
    probability: float | None = None
    highest_probability: float | None = None
    reset: Mapping[str, Any] | None = None
    held: bool | None = None
    grasped: bool | None = None
    false_reward: bool | None = None


class EpisodeLog(EnvironmentListener):
    """Follows an environment and appends a line to a file as each episode ends.

    Attributes:
        episodes: How many the log has.
        earlier_steps: Steps of the episodes that it had when it was opened.
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
        earlier = list(read_episode_log(path))
        self.episodes = len(earlier)
        self.earlier_steps = self._steps = earlier[-1].total_steps if earlier else 0
        self._began = time.monotonic() - (earlier[-1].seconds if earlier else 0.0)
        self._record: EpisodeRecord | None = None
        self.last: EpisodeRecord | None = earlier[-1] if earlier else None

    def environment_built(self, env: Any, config: Any, env_processor: Any, action_processor: Any) -> None:
        for step in env_processor.steps:
            classifier = getattr(step, "reward_classifier", None)
            if classifier is not None:
                classifier.classifier_head.register_forward_hook(self._judged)

    def _judged(self, head: Any, inputs: Any, logits: Any) -> None:
        """Note the probability of success of one observation."""
        if self._record is None or logits.numel() != 1:  # of more than two classes LeRobot takes the best
            return
        probability = round(float(logits.sigmoid()), 4)
        self._record.probability = probability
        self._record.highest_probability = max(self._record.highest_probability or 0.0, probability)

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
        record.vetoes += info.get(VETO, 0.0) > 0
        truth = self._truth() if self._truth is not None else None
        if truth is not None:
            record.held, record.grasped = truth.held, truth.grasped
            record.false_reward = bool(record.false_reward) or (reward > 0 and not truth.held)
        if transition.get(DONE) or transition.get(TRUNCATED):
            self._write(record)

    def _write(self, record: EpisodeRecord) -> None:
        record.reset = notes_of_episode().get("random_ee_reset")
        record.seconds = round(time.monotonic() - self._began, 2)
        append_line(self._path, asdict(record))
        self.episodes += 1
        self._record, self.last = None, record
        if self._ended is not None:
            self._ended(record)


def _intervenes(info: dict[Any, Any]) -> bool:
    """Whether a person acted: LeRobot's key is an enum whose value is ``is_intervention``."""
    return any(bool(value) for key, value in info.items() if getattr(key, "value", key) == "is_intervention")


def read_episode_log(path: Path) -> Iterator[EpisodeRecord]:
    """The episodes of a log, in their order; a last line that was cut off by a kill is left out."""
    return (EpisodeRecord(**entry) for entry in read_lines(path))
