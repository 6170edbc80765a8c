"""Runs LeRobot's own learner with a finished configuration."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from lerobot.rl import learner
from lerobot.rl.train_rl import TrainRLServerPipelineConfig
from lerobot.utils.constants import CHECKPOINTS_DIR, LAST_CHECKPOINT_LINK, PRETRAINED_MODEL_DIR
from lerobot.utils.process import ensure_multiprocessing_start_method

from lerobot_grasp_plugin.core.run_files import BUFFERS
from lerobot_grasp_plugin.findings.problem import GraspError, Problem, UsageError
from lerobot_grasp_plugin.learning.rl.checkpoints import Checkpoints
from lerobot_grasp_plugin.learning.rl.run_buffers import OFFLINE, ONLINE, initialized
from lerobot_grasp_plugin.learning.rl.run_lines import read_lines
from lerobot_grasp_plugin.learning.rl.trainer import TrainerFactory, TrainerSettings, waiting_service
from lerobot_grasp_plugin.learning.rl.training_plot import PLOT, plot_training
from lerobot_grasp_plugin.learning.rl.training_watch import Row, TrainingWatch
from lerobot_grasp_plugin.lerobot_seams.access import current, replace, require

LEARNER = "lerobot.rl.learner"

_REPEATED = (
    "[LEARNER] Optimization frequency loop",
    "[LEARNER] Push parameters to the Actor",
    "[LEARNER] Parameters sent",
)
"""Messages that LeRobot logs for every update, or every time the policy is sent."""


class LearnerError(GraspError):
    """LeRobot's learner ended with an exception."""


def run_learner(
    config: TrainRLServerPipelineConfig,
    settings: TrainerSettings | None = None,
    sinks: Sequence[Callable[[Row], None]] = (),
) -> None:
    """Runs ``lerobot.rl.learner.train`` until a signal ends it.

    The run's ``output_dir`` gets ``training.jsonl`` while it runs, and ``training.png`` when it ends.

    Args:
        config: LeRobot's own class, so that checkpoints and resume are LeRobot's.
        settings: Of the trainer; None for LeRobot's own.
        sinks: Called with each row of ``training.jsonl``.

    Raises:
        UsageError: LeRobot refuses the configuration.
        DataError: The run cannot be resumed: its replay buffers cannot be read.
        LearnerError: Training ended with an exception, which LeRobot logs and does not raise.
    """
    require("learner")
    if settings is not None:
        require("behaviour cloning")
    if not learner.use_threads(config):
        ensure_multiprocessing_start_method(config.policy.concurrency.multiprocessing_context)
    check_accepted(config)
    folder = Path(config.output_dir)
    watch = TrainingWatch(folder, config.log_freq, sinks)
    failures = _FailureWatch()
    root_logger = logging.getLogger()
    root_logger.addFilter(failures)
    message = current(LEARNER, "process_interaction_message")
    resume = current(LEARNER, "handle_resume_logic")
    buffers = folder / BUFFERS
    online = partial(initialized, current(LEARNER, "initialize_replay_buffer"), ONLINE, buffers)
    offline = partial(initialized, current(LEARNER, "initialize_offline_replay_buffer"), OFFLINE, buffers)
    settings = settings or TrainerSettings()
    if config.resume:
        settings = settings.resumed(folder)
    trainer = TrainerFactory(current(LEARNER, "RLTrainer"), settings, watch, resumed=bool(config.resume))
    checkpoints = Checkpoints(
        current(LEARNER, "save_training_checkpoint"),
        current(LEARNER, "make_pre_post_processors"),
        watch,
        settings,
    )
    service = current(LEARNER, "LearnerService")
    if learner.use_threads(config):
        service = waiting_service(service, trainer)
    try:
        with ExitStack() as stack:
            for name, value in (
                ("RLTrainer", trainer),
                ("LearnerService", service),
                ("save_training_checkpoint", checkpoints),
                ("initialize_replay_buffer", online),
                ("initialize_offline_replay_buffer", offline),
                ("process_interaction_message", partial(_watched_message, message, watch)),
                ("handle_resume_logic", partial(_resumed_with_policy, resume, checkpoints)),
            ):
                stack.callback(replace, LEARNER, name, current(LEARNER, name))
                replace(LEARNER, name, value)
            learner.train(config)
            if failures.error is None:
                checkpoints.save_rest(trainer)
    finally:
        root_logger.removeFilter(failures)
        if rows := list(read_lines(watch.path)):
            plot_training(rows, folder / PLOT)
            logging.info("The plot of the run is in %s", folder / PLOT)
    if failures.error is not None:
        text = f"training ended: {type(failures.error).__name__}: {failures.error}"
        raise LearnerError(Problem("training-failed", text, hint="see LeRobot's log above"))


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


def _resumed_with_policy(
    resume: Callable[..., Any], checkpoints: Checkpoints, config: TrainRLServerPipelineConfig
) -> Any:
    """LeRobot's ``handle_resume_logic``, with the checkpoint's policy.

    LeRobot restores critics, optimizers and buffers, and reads the config from the checkpoint again. That has
    no ``pretrained_path``, so that actor, encoder and discrete critic would start from random weights.
    """
    checkpoints.config = resumed = resume(config)
    if resumed.resume:
        last = Path(resumed.output_dir) / CHECKPOINTS_DIR / LAST_CHECKPOINT_LINK
        resumed.policy.pretrained_path = (last / PRETRAINED_MODEL_DIR).resolve()
    return resumed


def _watched_message(process: Callable[..., Any], watch: TrainingWatch, *args: Any, **settings: Any) -> Any:
    """LeRobot's ``process_interaction_message``; the watch learns what the actor's episode came to."""
    message = process(*args, **settings)
    watch.episode(message)
    return message


class _FailureWatch(logging.Filter):
    """Keeps the exception that ``start_learner_threads`` logs and swallows, and the log readable."""

    def __init__(self) -> None:
        super().__init__()
        self.error: BaseException | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if record.getMessage().startswith(_REPEATED):
            return False
        if record.module == "process":
            return False  # written by a signal's handler, which fails in the middle of another line
        info: Any = record.exc_info
        if record.module == "learner" and isinstance(info, tuple) and info[1] is not None:
            self.error = info[1]
        return True
