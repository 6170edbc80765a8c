"""Saves checkpoints of HIL-SERL's learner: LeRobot's, and a final one when the run ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.learning.rl.run_buffers import save_with_buffers
from lerobot_grasp_plugin.learning.rl.trainer import TrainerFactory, TrainerSettings
from lerobot_grasp_plugin.learning.rl.training_watch import INTERACTION_STEP, TrainingWatch


class Checkpoints:
    """Replaces LeRobot's ``save_training_checkpoint``.

    Attributes:
        config: LeRobot's config of the run, of its checkpoint where it is resumed; None before it starts.

    LeRobot saves every ``save_freq`` updates. What a run learns after the last time is lost when it ends, and
    all of it where the actor makes its ``online_steps`` before the first time.
    """

    def __init__(
        self,
        save: Callable[..., Any],
        processors: Callable[..., tuple[Any, Any]],
        watch: TrainingWatch,
        settings: TrainerSettings,
    ) -> None:
        """Args:
        save: LeRobot's function.
        processors: LeRobot's ``make_pre_post_processors``.
        watch: Knows how many steps the actor has made.
        settings: Of this package; saved with each checkpoint, since LeRobot's config has no place for them.
        """
        self.config: Any = None
        self._save = save
        self._processors = processors
        self._watch = watch
        self._settings = settings
        self._saved_step = 0

    def __call__(self, *, cfg: Any, interaction_message: Any, **arguments: Any) -> None:
        """LeRobot's ``save_training_checkpoint``, with the actor's steps.

        LeRobot passes the message of an episode that ended since the last update. There is none as a rule,
        and it would save that the actor has made 0 steps.
        """
        self._settings.save(Path(cfg.output_dir))
        message = interaction_message or {INTERACTION_STEP: self._watch.interaction_step}
        save_with_buffers(self._save, cfg=cfg, interaction_message=message, **arguments)
        self._saved_step = arguments["optimization_step"]

    def save_rest(self, trainer: TrainerFactory) -> None:
        """Save a checkpoint of the updates since the last one, where there are any; for a run that has ended.

        Args:
            trainer: Has made LeRobot's trainer, or not yet.
        """
        cfg, step = self.config, trainer.optimization_step
        if not trainer.updates or step == self._saved_step or not cfg.save_checkpoint:
            return
        parts = trainer.parts
        algorithm, mixer = parts["algorithm"], parts["data_mixer"]
        _, postprocessor = self._processors(policy_cfg=cfg.policy, dataset_stats=cfg.policy.dataset_stats)
        logging.info("The run has ended: update %s is saved", step)
        self(
            cfg=cfg,
            interaction_message=None,
            optimization_step=step,
            online_steps=cfg.policy.online_steps,
            policy=algorithm.policy,
            optimizers=algorithm.optimizers,
            replay_buffer=mixer.online_buffer,
            offline_replay_buffer=mixer.offline_buffer,
            algorithm=algorithm,
            dataset_repo_id=None if cfg.dataset is None else cfg.dataset.repo_id,
            preprocessor=parts["preprocessor"],
            postprocessor=postprocessor,
        )
