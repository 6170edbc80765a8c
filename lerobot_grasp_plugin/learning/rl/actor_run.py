"""Handing a finished configuration to LeRobot's own actor."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lerobot.rl import actor
from lerobot.rl.train_rl import TrainRLServerPipelineConfig

from lerobot_grasp_plugin.errors import GraspError, Problem
from lerobot_grasp_plugin.learning.rl.episode_log import EpisodeLog, EpisodeRecord, read_episodes
from lerobot_grasp_plugin.lerobot_seams.access import require
from lerobot_grasp_plugin.lerobot_seams.environment import follow_environment, leave_environment

EPISODES = "episodes.jsonl"
"""Name of the log of the actor's episodes, in the run's ``output_dir``."""

ACTOR_DIR = "actor"
"""Folder of the actor's own files in the run's ``output_dir``, which belongs to the learner."""

_SHOWN = 20
"""Episodes over which shares are shown."""


class ActorError(GraspError):
    """LeRobot's actor ended in an exception of its own, or found no learner."""


def run_actor(config: TrainRLServerPipelineConfig, truth: Callable[[], Any]) -> None:
    """Run ``lerobot.rl.actor`` until its steps are done or a signal ends it.

    Args:
        config: As the learner's. Its ``output_dir`` gets the log of the episodes, which goes on where an
            earlier run of the actor ended.
        truth: What holds in the simulation now (``sim.truth.Truth``); None on a real arm.

    Raises:
        ActorError: The actor ended in an exception, which LeRobot logs and does not pass on.
    """
    require("actor")
    run = Path(config.output_dir or "outputs/actor")
    path = run / EPISODES
    config.output_dir = _unused(run)
    config.resume = False  # of the learner's state an actor needs nothing: it gets the policy sent
    log = EpisodeLog(path, truth, lambda record: logging.info("%s", summary(path, record)))
    failures = _FailureWatch()
    logging.getLogger().addFilter(failures)
    follow_environment(log)
    try:
        actor.actor_cli.__wrapped__(config)
    finally:
        leave_environment(log)
        logging.getLogger().removeFilter(failures)
    if failures.message is not None:
        raise ActorError(Problem("actor-failed", failures.message, hint="LeRobot's log above says where"))


def _unused(run: Path) -> Path:
    """A folder that is not there yet: LeRobot refuses one that is."""
    number, folder = 1, run / ACTOR_DIR
    while folder.exists():
        number, folder = number + 1, run / f"{ACTOR_DIR}_{number + 1}"
    return folder


def summary(path: Path, record: EpisodeRecord) -> str:
    """One line on the last episodes of a log."""
    last = list(read_episodes(path))[-_SHOWN:]
    shares = [("rewarded", [one.rewarded for one in last])]
    if record.held is not None:
        shares.append(("held", [bool(one.held) for one in last]))
    shares.append(("taken over", [one.intervention_steps > 0 for one in last]))
    parts = [f"{name} {sum(values)}/{len(values)}" for name, values in shares]
    speed = record.total_steps / max(record.seconds, 1e-9)
    return (
        f"Episode {record.episode}: {record.steps} steps, reward {record.reward:g}; "
        f"last {len(last)} episodes: {', '.join(parts)}; {record.total_steps} steps, {speed:.1f} a second"
    )


class _FailureWatch(logging.Filter):
    """Keeps what ``lerobot.rl.actor`` logs as an error and swallows."""

    def __init__(self) -> None:
        super().__init__()
        self.message: str | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if record.module == "actor" and record.levelno >= logging.ERROR:
            info: Any = record.exc_info
            if isinstance(info, tuple) and info[1] is not None:
                self.message = f"the actor ended: {type(info[1]).__name__}: {info[1]}"
            elif "Failed to establish connection" in record.getMessage():
                self.message = "the actor found no learner"
        return True
