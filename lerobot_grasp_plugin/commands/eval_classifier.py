"""``lerobot-grasp-eval-classifier``: a reward classifier on any dataset, and a draft of labels."""

from __future__ import annotations

from collections.abc import Sequence

from lerobot_grasp_plugin.commands.run import TerminalProgress, guarded, parse, require

PROGRAM = "lerobot-grasp-eval-classifier"


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    require(PROGRAM, "learn", "transformers")
    from lerobot_grasp_plugin.learning.classifier_configs import ClassifierEvalConfig

    config = parse(ClassifierEvalConfig, args, program=PROGRAM)

    def action() -> int:
        from lerobot_grasp_plugin.commands.render_classifier import evaluation_lines
        from lerobot_grasp_plugin.learning.classifier_review import eval_classifier

        progress = TerminalProgress()
        try:
            report = eval_classifier(config, progress)
        finally:
            progress.close()
        print("\n".join(evaluation_lines(report)))
        return 0

    return guarded(action)
