"""``lerobot-grasp-train-classifier``: LeRobot's reward classifier, from a labelled dataset."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.options import load_plugins
from lerobot_grasp_plugin.commands.run import TerminalProgress, command, fail, guarded, parse, require

if TYPE_CHECKING:
    from lerobot_grasp_plugin.learning.classifier_fit import Validation
    from lerobot_grasp_plugin.learning.classifier_training import TrainingPlan

PROGRAM = "lerobot-grasp-train-classifier"


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    require(PROGRAM, "learn", "transformers")
    from lerobot_grasp_plugin.learning.classifier_configs import ClassifierTrainConfig

    given = _with_model_type(list(sys.argv[1:] if args is None else args))
    given = load_plugins(given, partial(fail, PROGRAM))
    config = parse(ClassifierTrainConfig, given, program=PROGRAM, plugins=True)

    def action() -> int:
        from lerobot_grasp_plugin.commands.render_classifier import (
            plan_lines,
            training_lines,
            validation_line,
        )
        from lerobot_grasp_plugin.learning.classifier_training import train_classifier

        progress = TerminalProgress()

        def told(validation: Validation) -> None:
            if validation.step % config.log_freq == 0 or validation.is_best:
                progress.close()
                print(validation_line(validation), flush=True)

        def planned(plan: TrainingPlan) -> None:
            print("\n".join(plan_lines(plan)), flush=True)

        try:
            report = train_classifier(config, progress, told, planned)
        finally:
            progress.close()
        print("\n".join(training_lines(report)))
        return 0

    return guarded(action)


def _with_model_type(args: list[str]) -> list[str]:
    """The flags, with the only model there is for settings of a model that neither flag nor file names."""
    names = {arg.partition("=")[0] for arg in args}
    named = names & {"--config_path", "--reward_model", "--reward_model.type", "--reward_model.path"}
    if named or not any(name.startswith("--reward_model.") for name in names):
        return args
    return ["--reward_model.type=reward_classifier", *args]
