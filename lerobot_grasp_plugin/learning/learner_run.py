"""Handing a finished configuration to LeRobot's own learner."""

from __future__ import annotations

import logging
from typing import Any

from lerobot.rl import learner
from lerobot.rl.train_rl import TrainRLServerPipelineConfig
from lerobot.utils.process import ensure_multiprocessing_start_method

from lerobot_grasp_plugin.errors import GraspError, Problem, UsageError
from lerobot_grasp_plugin.lerobot_seams.access import require


class LearnerError(GraspError):
    """LeRobot's learner ended in an exception of its own."""


def run_learner(config: TrainRLServerPipelineConfig) -> None:
    """Runs ``lerobot.rl.learner.train`` until a signal ends it.

    Args:
        config: LeRobot's own class, so that checkpoints and resume are LeRobot's.

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
    try:
        learner.train(config)
    finally:
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


class _FailureWatch(logging.Filter):
    """Keeps the exception that ``start_learner_threads`` logs and swallows."""

    def __init__(self) -> None:
        super().__init__()
        self.error: BaseException | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        info: Any = record.exc_info
        if record.module == "learner" and isinstance(info, tuple) and info[1] is not None:
            self.error = info[1]
        return True
