"""Extends LeRobot's trainer of the learner by behaviour cloning, image shift and figures."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from lerobot.rl.buffer import random_shift

from lerobot_grasp_plugin.findings.problem import DataError, Problem
from lerobot_grasp_plugin.learning.rl.cloning import WARM_LEARNING_RATE, Cloning, CloningTrainer
from lerobot_grasp_plugin.learning.rl.training_watch import TrainingWatch

SETTINGS = "grasp_settings.json"
"""Name of the file of ``TrainerSettings`` in a run's ``output_dir``."""


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """Settings that LeRobot's configuration of the learner does not have.

    Attributes:
        bc_steps: Batches of behaviour cloning before the first update; a resumed run starts without.
        bc_ratio: Batches of behaviour cloning for one update of LeRobot's; None for none.
        critic_steps: Updates of the critics before the actor follows them; None for none. Until then it
            learns by behaviour cloning alone: critics that know nothing yet would take from it what it has
            learned.
        image_shift: Largest random shift of the images of a batch, pixels; None for LeRobot's 4, which is
            meant for images of 128 pixels.
    """

    bc_steps: int = 0
    bc_ratio: float | None = None
    critic_steps: int | None = None
    image_shift: int | None = None

    def save(self, folder: Path) -> None:
        """Write them to a run's ``output_dir``: LeRobot's checkpoints do not have them."""
        (folder / SETTINGS).write_text(json.dumps(asdict(self)), encoding="utf-8")

    def resumed(self, folder: Path) -> TrainerSettings:
        """These settings, those that are None as the run that is resumed has saved them.

        Args:
            folder: The run's ``output_dir``.

        Raises:
            DataError: The file of the settings cannot be read.
        """
        path = folder / SETTINGS
        if not path.is_file():
            return self
        try:
            saved = TrainerSettings(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            hint = "remove it, and set --bc_ratio, --critic_steps and --image_shift to the run's values"
            raise DataError(Problem("bad-settings", f"cannot be read: {error}", path, hint)) from None
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(saved, **given)


class TrainerFactory:
    """Replaces LeRobot's ``RLTrainer``.

    Attributes:
        started: Set when the trainer is made, behaviour cloning before the first update included.
        parts: What LeRobot has made the trainer of, by name; empty before.
        updates: Made since.
        ending: Set by ``waiting_service`` to LeRobot's event of a signal that ends the learner.
    """

    def __init__(
        self, trainer: Callable[..., Any], settings: TrainerSettings, watch: TrainingWatch, *, resumed: bool
    ) -> None:
        """Args:
        trainer: LeRobot's class.
        settings: Of this package.
        watch: Gets the statistics of each update.
        resumed: The run goes on from a checkpoint.
        """
        self.started = threading.Event()
        self.parts: Mapping[str, Any] = {}
        self.updates = 0
        self.ending: Any = threading.Event()
        self._trainer = trainer
        self._settings = settings
        self._watch = watch
        self._warm_steps = 0 if resumed else settings.bc_steps

    @property
    def optimization_step(self) -> int:
        """Updates of the whole run, those before it was resumed included; 0 before there is a trainer."""
        return self.parts["algorithm"].optimization_step if self.parts else 0

    def __call__(self, **arguments: Any) -> Any:
        self.parts = arguments
        trainer = self._trainer(**arguments)
        algorithm, mixer = arguments["algorithm"], arguments["data_mixer"]
        self._shift_images(mixer.online_buffer, mixer.offline_buffer)
        if mixer.offline_buffer is not None:
            cloning = partial(
                Cloning,
                algorithm.policy,
                mixer.offline_buffer,
                arguments["preprocessor"],
                batch_size=arguments["batch_size"],
            )
            if self._warm_steps:
                cloning(learning_rate=WARM_LEARNING_RATE).run(self._warm_steps, lambda: self.ending.is_set())
                _follow_policy(algorithm)
            if self._settings.bc_ratio:
                during = cloning(learning_rate=algorithm.config.actor_lr)
                trainer = CloningTrainer(trainer, during, self._settings.bc_ratio)
        self._watch.follow(algorithm)
        update = trainer.training_step

        def training_step() -> Any:
            _hold_actor(algorithm, self._settings.critic_steps or 0)
            stats = update()
            self.updates += 1
            self._watch.updated(algorithm, stats)
            return stats

        trainer.training_step = training_step
        self.started.set()
        return trainer

    def _shift_images(self, *buffers: Any) -> None:
        shift = self._settings.image_shift
        for buffer in buffers:
            if buffer is not None and shift is not None:
                buffer.use_drq = shift > 0
                buffer.image_augmentation_function = partial(random_shift, pad=shift)


def _follow_policy(algorithm: Any) -> None:
    """Start the target of the gripper's critic from what the critic has learned."""
    if algorithm.discrete_critic_target is not None:
        algorithm.discrete_critic_target.load_state_dict(algorithm.policy.discrete_critic.state_dict())


def _hold_actor(algorithm: Any, critic_steps: int) -> None:
    """Set the learning rates of actor and temperature to 0 in the first ``critic_steps`` updates."""
    config, held = algorithm.config, algorithm.optimization_step < critic_steps
    for name, rate in (("actor", config.actor_lr), ("temperature", config.temperature_lr)):
        for group in algorithm.optimizers[name].param_groups:
            group["lr"] = 0.0 if held else rate


def waiting_service(service: Any, trainer: TrainerFactory) -> Any:
    """LeRobot's ``LearnerService``, which an actor can only join when the trainer has started."""

    class WaitingService(service):  # type: ignore[misc]  # lerobot is not typed
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            trainer.ending = self.shutdown_event

        def Ready(self, request: Any, context: Any) -> Any:  # noqa: N802
            while not trainer.started.wait(1.0) and not self.shutdown_event.is_set():
                pass
            return super().Ready(request, context)

    return WaitingService
