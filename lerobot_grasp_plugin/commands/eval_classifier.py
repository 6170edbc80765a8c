"""``lerobot-grasp-eval-classifier``: a reward classifier on any dataset."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

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
)

PROGRAM = "lerobot-grasp-eval-classifier"
GUIDE = Guide(
    example=f"""{PROGRAM} \\
  --pretrained_path=classifier/checkpoints/last/pretrained_model \\
  --dataset.repo_id=gtgando/so101_grasp_only_offline_v1 \\
  --dataset.root=grasp_demo/gtgando/so101_grasp_only_offline_v1 \\
  --output_dir=classifier_eval""",
    required=("pretrained_path", "dataset.repo_id"),
    upstream="lerobot-train's block dataset",
)


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    given = list(args or [])
    require_extra(PROGRAM, "learn", "transformers")
    if code := check_early(given, PROGRAM, _check):
        return code
    announce_loading(PROGRAM)
    from lerobot_grasp_plugin.learning.classifier.configs import ClassifierEvalConfig

    given = load_plugins(given, partial(fail, PROGRAM))
    config = parse_call(ClassifierEvalConfig, given, program=PROGRAM, guide=GUIDE, plugins=True)

    def action() -> int:
        from lerobot_grasp_plugin.commands.render_classifier import evaluation_lines
        from lerobot_grasp_plugin.learning.classifier.review import eval_classifier

        progress = TerminalProgress()
        try:
            report = eval_classifier(config, progress)
        finally:
            progress.close()
        print("\n".join(evaluation_lines(report)))
        return 0

    return guarded(action)


def _check(call: Outline) -> None:
    """Checks what a call names before LeRobot is imported.

    Raises:
        GraspError: With all that is wrong.
    """
    from lerobot_grasp_plugin.learning.classifier.options import ClassifierEvalOptions, check_options

    call.require("pretrained_path", "dataset.repo_id")
    options = call.own(ClassifierEvalOptions)
    check_options(options, call["dataset.repo_id"], call["dataset.root"], [options.check_checkpoint])


if __name__ == "__main__":
    raise SystemExit(main(None))
