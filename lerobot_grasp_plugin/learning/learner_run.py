"""Handing a finished configuration to LeRobot's own learner."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from lerobot.rl import learner
from lerobot.rl.train_rl import TrainRLServerPipelineConfig
from lerobot.utils.process import ensure_multiprocessing_start_method

from lerobot_grasp_plugin.errors import GraspError, Problem, UsageError
from lerobot_grasp_plugin.learning.rl.cloning import clone_demonstrations
from lerobot_grasp_plugin.lerobot_seams.access import current, replace, require

LEARNER, TRAINER = "lerobot.rl.learner", "RLTrainer"


class LearnerError(GraspError):
    """LeRobot's learner ended in an exception of its own."""


def run_learner(config: TrainRLServerPipelineConfig, *, bc_steps: int = 0) -> None:
    """Runs ``lerobot.rl.learner.train`` until a signal ends it.

    Args:
        config: LeRobot's own class, so that checkpoints and resume are LeRobot's.
        bc_steps: Batches of behaviour cloning before the first update; a resumed run starts without.

    Raises:
        UsageError: LeRobot refuses the configuration.
        LearnerError: Training ended in an exception, which LeRobot logs and does not pass on.
    """
    require("learner")
    if not learner.use_threads(config):
        ensure_multiprocessing_start_method(config.policy.concurrency.multiprocessing_context)
    check_accepted(config)
    failures = _FailureWatch()
    root_logger = logging.getLogger()
    root_logger.addFilter(failures)
    trainer = current(LEARNER, TRAINER)
    if bc_steps and not config.resume:
        require("warm start")
        replace(LEARNER, TRAINER, partial(_warm_trainer, trainer, bc_steps))
    try:
        learner.train(config)
    finally:
        replace(LEARNER, TRAINER, trainer)
        root_logger.removeFilter(failures)
    if failures.error is not None:
        message = f"training ended: {type(failures.error).__name__}: {failures.error}"
        raise LearnerError(Problem("training-failed", message, hint="LeRobot's log above says where"))


def check_accepted(config: TrainRLServerPipelineConfig) -> None:
    """Lets LeRobot check a configuration, resume included; it also fills in ``output_dir``.

    Raises:
        UsageError: It refuses it.
    """
    try:
        config.validate()
        learner.handle_resume_logic(config)
    except (ValueError, RuntimeError, OSError, NotImplementedError) as error:  # all that its checks raise
        raise UsageError(Problem("refused-by-lerobot", str(error))) from None


def _warm_trainer(trainer: Any, bc_steps: int, **settings: Any) -> Any:
    """LeRobot's ``RLTrainer``, its policy trained on the offline buffer first."""
    built = trainer(**settings)
    algorithm, buffer = settings["algorithm"], settings["data_mixer"].offline_buffer
    if buffer is not None:
        clone_demonstrations(
            algorithm.policy,
            buffer,
            settings["preprocessor"],
            steps=bc_steps,
            batch_size=settings["batch_size"],
        )
        if algorithm.discrete_critic_target is not None:
            algorithm.discrete_critic_target.load_state_dict(algorithm.policy.discrete_critic.state_dict())
    return built


class _FailureWatch(logging.Filter):
    """Keeps the exception that ``start_learner_threads`` logs and swallows, and the log readable."""

    def __init__(self) -> None:
        super().__init__()
        self.error: BaseException | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if record.getMessage().startswith("[LEARNER] Optimization frequency loop"):
            return False  # a line for every update
        info: Any = record.exc_info
        if record.module == "learner" and isinstance(info, tuple) and info[1] is not None:
            self.error = info[1]
        return True
