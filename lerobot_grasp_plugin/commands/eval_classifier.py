"""``lerobot-grasp-eval-classifier``: a reward classifier on any dataset, and a draft of labels."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from lerobot_grasp_plugin.commands.options import load_plugins
from lerobot_grasp_plugin.commands.run import TerminalProgress, command, fail, guarded, parse, require

PROGRAM = "lerobot-grasp-eval-classifier"


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    require(PROGRAM, "learn", "transformers")
    from lerobot_grasp_plugin.learning.classifier_configs import ClassifierEvalConfig

    given = load_plugins(sys.argv[1:] if args is None else args, partial(fail, PROGRAM))
    config = parse(ClassifierEvalConfig, given, program=PROGRAM, plugins=True)

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
