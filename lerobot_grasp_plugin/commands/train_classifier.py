"""``lerobot-grasp-train-classifier``: LeRobot's reward classifier, from a labelled dataset."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.options import load_plugins
from lerobot_grasp_plugin.commands.outline import Outline, announce_loading, check_early
from lerobot_grasp_plugin.commands.run import (
    TerminalProgress,
    command,
    fail,
    guarded,
    parse_call,
    require_extra,
    sigterm_ends,
)

if TYPE_CHECKING:
    from lerobot_grasp_plugin.learning.classifier.fit import Validation
    from lerobot_grasp_plugin.learning.classifier.training import TrainingPlan

PROGRAM = "lerobot-grasp-train-classifier"
GUIDE = Guide(
    purpose="Trains LeRobot's reward classifier on a labelled dataset.",
    example=f"""{PROGRAM} --dataset.repo_id=gtgando/so101_grasp_only_reward_v1 \\
  --dataset.root=grasp_demo/gtgando/so101_grasp_only_reward_v1 \\
  --make_encoder=true --steps=100 --image_preprocessing.resize_size='[128, 128]' \\
  --reward_model.device=cpu --output_dir=classifier""",
    required=("dataset.repo_id",),
    upstream="lerobot-train",
)


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    given = list(args or [])
    require_extra(PROGRAM, "learn", "transformers")
    if code := check_early(given, PROGRAM, _check):
        return code
    with sigterm_ends():
        return guarded(partial(_train, given))


def _train(given: list[str]) -> int:
    announce_loading(PROGRAM)
    from lerobot_grasp_plugin.learning.classifier.configs import ClassifierTrainConfig

    given = load_plugins(_with_model_type(given), partial(fail, PROGRAM))
    config = parse_call(ClassifierTrainConfig, given, program=PROGRAM, guide=GUIDE, plugins=True)
    from lerobot_grasp_plugin.commands.render_classifier import (
        BEST,
        plan_lines,
        training_lines,
        validation_line,
    )
    from lerobot_grasp_plugin.learning.classifier.training import train_classifier

    progress = TerminalProgress()
    best: Validation | None = None
    place: Path | None = None

    def show(validation: Validation) -> None:
        nonlocal best
        best = validation if validation.is_best else best
        if validation.step % config.log_freq == 0 or validation.is_best:
            progress.close()
            print(validation_line(validation), flush=True)

    def show_plan(plan: TrainingPlan) -> None:
        nonlocal place
        place = plan.output_dir / BEST
        print("\n".join(plan_lines(plan)), flush=True)

    try:
        report = train_classifier(config, progress, show, show_plan)
    except BaseException:
        progress.close()
        if best is not None:
            print(f"The best checkpoint so far, of step {best.step}, is {place}", file=sys.stderr)
        raise
    progress.close()
    print("\n".join(training_lines(report)))
    return 0


def _check(call: Outline) -> None:
    """Checks what a call names before LeRobot is imported.

    Raises:
        GraspError: With all that is wrong.
    """
    from lerobot_grasp_plugin.learning.classifier.options import (
        ClassifierTrainOptions,
        check_options,
        refuse_existing_run,
    )

    call.require("dataset.repo_id")
    checks = []
    if call["output_dir"] is not None:
        checks.append(partial(refuse_existing_run, Path(str(call["output_dir"])).expanduser()))
    options = call.own(ClassifierTrainOptions)
    check_options(options, call["dataset.repo_id"], call["dataset.root"], checks)


def _with_model_type(args: list[str]) -> list[str]:
    """The flags, with the default model type where settings of a model are given without one."""
    names = {arg.partition("=")[0] for arg in args}
    named = names & {"--config_path", "--reward_model", "--reward_model.type", "--reward_model.path"}
    if named or not any(name.startswith("--reward_model.") for name in names):
        return args
    return ["--reward_model.type=reward_classifier", *args]


if __name__ == "__main__":
    raise SystemExit(main(None))
