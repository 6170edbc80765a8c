"""Collects a learner's figures while it runs: success, reward, Q, entropy, interventions, speed."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.learning.rl.run_lines import append_line, cut_torn_line, read_lines

TRAINING = "training.jsonl"
"""Name of the file of a run's figures, in its ``output_dir``: a JSON object every ``log_freq`` updates."""

EPISODES_SHOWN = 20
"""Episodes over which shares and means are taken."""

HELD, FALSE_REWARD = "Held", "False reward"
"""Keys that ``lerobot-grasp-actor`` adds to LeRobot's message of an episode where the truth is known."""

INTERACTION_STEP = "Interaction step"
"""Key of LeRobot's message of an episode: steps of the actor so far."""

logger = logging.getLogger(__name__)

type Row = Mapping[str, float | None]


class TrainingWatch:
    """Follows the updates of LeRobot's learner and the messages of its actor.

    A row has ``seconds`` since the run began, ``update``, ``interaction_step``, ``episodes``; of the last
    20 episodes ``rewarded``, ``held`` and ``false_rewards`` (shares of episodes; None where the truth is not
    known), ``reward`` (mean sum of an episode) and ``interventions`` (mean share of its steps); ``q`` (mean
    of the critics), ``entropy`` (of the policy's continuous action, nats) and ``temperature`` of the last
    batch; ``updates_per_second`` and ``steps_per_second``.

    Attributes:
        path: The file of the rows.
        interaction_step: Steps of the actor at the end of its last episode.
    """

    def __init__(
        self,
        folder: Path,
        log_freq: int,
        sinks: Sequence[Callable[[Row], None]] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        folder: The run's ``output_dir``; rows that are there stay, and time and episodes go on.
        log_freq: Updates between two rows.
        sinks: Called with each row.
        clock: Seconds.
        """
        self.path = folder / TRAINING
        cut_torn_line(self.path)
        earlier = list(read_lines(self.path))
        last = earlier[-1] if earlier else {}
        self._log_freq = log_freq
        self._sinks = sinks
        self._clock = clock
        self._began = clock() - float(last.get("seconds", 0.0))
        self._episodes = int(last.get("episodes", 0))
        self.interaction_step = int(last.get("interaction_step", 0))
        self._recent: deque[tuple[float, Mapping[str, Any]]] = deque(maxlen=EPISODES_SHOWN)
        self._at_row: tuple[float, int] | None = None
        self._q: Any = None
        self._log_probability: Any = None

    def follow(self, algorithm: Any) -> None:
        """Look at what critics and actor of LeRobot's ``SACAlgorithm`` compute in its updates."""
        algorithm.critic_ensemble.register_forward_hook(self._criticised)
        algorithm.policy.actor.register_forward_hook(self._acted)

    def _criticised(self, module: Any, inputs: Any, values: Any) -> None:
        self._q = values.detach()

    def _acted(self, module: Any, inputs: Any, output: Any) -> None:
        self._log_probability = output[1].detach()

    def episode(self, message: Mapping[str, Any]) -> None:
        """The actor's message of an episode that ended, as LeRobot's learner reads it."""
        self._episodes += 1
        self.interaction_step = int(message.get(INTERACTION_STEP, self.interaction_step))
        self._recent.append((self._clock(), message))

    def updated(self, algorithm: Any, stats: Any) -> None:
        """One update is done; every ``log_freq`` of them make a row.

        Args:
            algorithm: LeRobot's, for its step and temperature.
            stats: LeRobot's ``TrainingStats``; Q and entropy are added where a row is due, so that LeRobot
                sends them to Weights & Biases with its own.
        """
        update = int(algorithm.optimization_step)
        now = self._clock()
        if self._at_row is None:
            self._at_row = now, update - 1
        if update % self._log_freq:
            return
        inner = {
            "q": _mean(self._q),
            "entropy": None if self._log_probability is None else -float(self._log_probability.mean()),
            "temperature": float(algorithm.temperature),
        }
        stats.extra.update({name: value for name, value in inner.items() if value is not None})
        since, before = self._at_row
        self._at_row = now, update
        row = {
            "seconds": round(now - self._began, 2),
            "update": update,
            "interaction_step": self.interaction_step,
            "episodes": self._episodes,
            **self._of_episodes(),
            **inner,
            "updates_per_second": _rate(update - before, now - since),
            "steps_per_second": self._steps_per_second(),
        }
        row = {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}
        append_line(self.path, row)
        logger.info("%s", line_of(row, len(self._recent)))
        for sink in self._sinks:
            sink(row)

    def _of_episodes(self) -> dict[str, float | None]:
        messages = [message for _, message in self._recent]
        rewards = [float(message["Episodic reward"]) for message in messages if "Episodic reward" in message]
        return {
            "rewarded": _share([reward > 0 for reward in rewards]),
            "held": _share([bool(message[HELD]) for message in messages if HELD in message]),
            "false_rewards": _share(
                [bool(message[FALSE_REWARD]) for message in messages if FALSE_REWARD in message]
            ),
            "reward": sum(rewards) / len(rewards) if rewards else None,
            "interventions": _share([float(message.get("Intervention rate", 0.0)) for message in messages]),
        }

    def _steps_per_second(self) -> float | None:
        """Of the environment, over the last episodes."""
        if len(self._recent) < 2:
            return None
        (began, first), (ended, last) = self._recent[0], self._recent[-1]
        steps = int(last.get(INTERACTION_STEP, 0)) - int(first.get(INTERACTION_STEP, 0))
        return _rate(steps, ended - began)


def line_of(row: Row, episodes: int) -> str:
    """A row as one line for the terminal.

    Args:
        row: Of ``training.jsonl``.
        episodes: How many episodes its shares are of.
    """
    shares = [
        f"{name} {100 * value:.0f} %"
        for name, key in (
            ("rewarded", "rewarded"),
            ("held", "held"),
            ("false rewards", "false_rewards"),
            ("interventions", "interventions"),
        )
        if (value := row.get(key)) is not None
    ]
    figures = [
        f"{name} {value:.{digits}f}"
        for name, key, digits in (
            ("reward", "reward", 2),
            ("Q", "q", 2),
            ("entropy", "entropy", 2),
            ("temperature", "temperature", 4),
        )
        if (value := row.get(key)) is not None
    ]
    speeds = [
        f"{value:.1f} {name}/s"
        for name, key in (("updates", "updates_per_second"), ("steps", "steps_per_second"))
        if (value := row.get(key)) is not None
    ]
    last = f"last {episodes}: {', '.join(shares)}; " if shares else ""
    return (
        f"Update {row['update']}, episode {row['episodes']}; {last}{', '.join(figures)}; {', '.join(speeds)}"
    )


def _share(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _mean(values: Any) -> float | None:
    return None if values is None else float(values.mean())


def _rate(number: int, seconds: float) -> float | None:
    return number / seconds if seconds > 0 and number >= 0 else None
