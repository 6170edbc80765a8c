"""Runs LeRobot's own actor with a finished configuration."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from lerobot.rl import actor
from lerobot.rl.train_rl import TrainRLServerPipelineConfig

from lerobot_grasp_plugin.findings.problem import GraspError, Problem
from lerobot_grasp_plugin.learning.rl.episode_log import EpisodeLog, EpisodeRecord, read_episode_log
from lerobot_grasp_plugin.learning.rl.training_watch import EPISODES_SHOWN, FALSE_REWARD, HELD
from lerobot_grasp_plugin.lerobot_seams.access import current, replace, require
from lerobot_grasp_plugin.lerobot_seams.environment import follow_environment, leave_environment

EPISODES = "episodes.jsonl"
"""Name of the log of the actor's episodes, in the run's ``output_dir``."""

ACTOR_DIR = "actor"
"""Folder of the actor's own files in the run's ``output_dir``, which belongs to the learner."""

_LEROBOTS, _MESSAGE = "lerobot.rl.actor", "python_object_to_bytes"

_LOGGERS = (None, "grpc._channel")
"""Where LeRobot and gRPC log; None is the root logger."""

_REPEATED = ("[ACTOR] Load new parameters from Learner", "[ACTOR] Global step")
"""What LeRobot logs each time a policy arrives, and of each episode next to this package's line."""

_CLOSED = "is closed"
"""What multiprocessing says of a queue or a pipe that LeRobot has closed under a thread."""


class ActorError(GraspError):
    """LeRobot's actor raised an exception, or could not reach the learner."""


def run_actor(config: TrainRLServerPipelineConfig, truth: Callable[[], Any]) -> None:
    """Run ``lerobot.rl.actor`` until its steps are done or a signal ends it.

    Args:
        config: As the learner's. Its ``output_dir`` gets the log of the episodes, which goes on where an
            earlier run of the actor ended.
        truth: What holds in the simulation now (``sim.truth.Truth``); None on a real arm.

    Raises:
        ActorError: The actor ended with an exception, which LeRobot logs and does not raise; or no
            learner answers, at the start or later.
    """
    require("actor")
    run = Path(config.output_dir or "outputs/actor")
    path = run / EPISODES

    def ended(record: EpisodeRecord) -> None:
        logging.info("%s", run_summary(path, record, log.earlier_steps + int(config.policy.online_steps)))

    log = EpisodeLog(path, truth, ended)
    if config.resume and hasattr(config.env.teleop, "first_episode"):
        config.env.teleop.first_episode = log.episodes  # its share of interventions goes on, too
    config.output_dir = _unused(run)
    config.resume = False  # of the learner's state an actor needs nothing: it gets the policy sent
    failures = _FailureWatch(threading.excepthook)
    with ExitStack() as stack:
        for logger in map(logging.getLogger, _LOGGERS):
            logger.addFilter(failures)
            stack.callback(logger.removeFilter, failures)
        stack.callback(setattr, threading, "excepthook", threading.excepthook)
        threading.excepthook = failures.of_thread
        follow_environment(log)
        stack.callback(leave_environment, log)
        message = current(_LEROBOTS, _MESSAGE)
        stack.callback(replace, _LEROBOTS, _MESSAGE, message)
        replace(_LEROBOTS, _MESSAGE, partial(_with_truth, message, log))
        actor.actor_cli.__wrapped__(config)
    if failures.message is not None:
        raise ActorError(Problem("actor-failed", failures.message, hint="see LeRobot's log above"))


def _unused(run: Path) -> Path:
    """A folder that does not exist yet: LeRobot refuses existing ones."""
    number, folder = 1, run / ACTOR_DIR
    while folder.exists():
        number, folder = number + 1, run / f"{ACTOR_DIR}_{number + 1}"
    return folder


def _with_truth(to_bytes: Callable[[Any], bytes], log: EpisodeLog, message: Any) -> bytes:
    """LeRobot's ``python_object_to_bytes``; the message of an episode gets what the simulation knows."""
    last = log.last
    if isinstance(message, dict) and last is not None and last.held is not None:
        message = {**message, HELD: int(last.held), FALSE_REWARD: int(bool(last.false_reward))}
    return to_bytes(message)


def run_summary(path: Path, record: EpisodeRecord, steps_in_all: int) -> str:
    """One line on the last episodes of a log.

    Args:
        path: The log.
        record: Its last episode.
        steps_in_all: Steps after which the run ends.
    """
    last = list(read_episode_log(path))[-EPISODES_SHOWN:]
    counts = [("rewarded", [one.rewarded for one in last])]
    if record.held is not None:
        counts.append(("held", [bool(one.held) for one in last]))
        counts.append(("false rewards", [bool(one.false_reward) for one in last]))
    parts = [f"{name} {sum(values)}/{len(values)}" for name, values in counts]
    steps = sum(one.steps for one in last)
    share = sum(one.intervention_steps for one in last) / max(1, steps)
    reward = sum(one.reward for one in last) / len(last)
    seconds = last[-1].seconds - last[0].seconds
    speed = ""
    if seconds > 0 and (rate := (steps - last[0].steps) / seconds) > 0:
        minutes = max(0, steps_in_all - record.total_steps) / rate / 60
        speed = f", {rate:.1f} per second, {minutes:.0f} min left"
    return (
        f"Episode {record.episode}: {record.steps} steps, reward {record.reward:g}; last {len(last)}: "
        f"{', '.join(parts)}, reward {reward:.2f}, interventions {100 * share:.0f} % of steps; "
        f"step {record.total_steps} of {steps_in_all}{speed}"
    )


class _FailureWatch(logging.Filter):
    """Keeps what ``lerobot.rl.actor`` logs as an error and swallows, and ends it when its learner is gone.

    LeRobot's actor continues without a learner, forever and with its last policy.

    Args:
        of_threads: What prints the exception that ended a thread.
    """

    def __init__(
        self, of_threads: Callable[[threading.ExceptHookArgs], Any] = threading.__excepthook__
    ) -> None:
        super().__init__()
        self._of_threads = of_threads
        self.message: str | None = None
        self._ending = False

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text.startswith(_REPEATED):
            return False
        if record.module == "process":
            self._ending = True
            return False  # written by a signal's handler, which fails in the middle of another line
        if record.module == "actor" and "Policy loop finished" in text:
            self._ending = True
        if self._ending and ("gRPC error" in text or "Exception iterating requests" in text):
            return False  # LeRobot closes the queues while its streams still read from them
        if record.module == "actor" and record.levelno >= logging.ERROR:
            info: Any = record.exc_info
            if isinstance(info, tuple) and info[1] is not None:
                self._ending = True
                self.message = f"the actor ended: {type(info[1]).__name__}: {info[1]}"
            elif "Failed to establish connection" in text and not self._ending:
                self.message = "the actor cannot reach a learner"
            elif text.startswith("[ACTOR] gRPC error"):
                self._ending = True
                self.message = "the learner no longer answers"
                os.kill(os.getpid(), signal.SIGTERM)
        return True

    def of_thread(self, failure: threading.ExceptHookArgs) -> None:
        """Prints the exception that ended a thread, unless LeRobot has closed what the thread reads from."""
        of_closed = isinstance(failure.exc_value, OSError | ValueError) and _CLOSED in str(failure.exc_value)
        if not (self._ending and of_closed):
            self._of_threads(failure)
