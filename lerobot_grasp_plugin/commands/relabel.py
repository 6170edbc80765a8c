"""``lerobot-grasp-relabel``: an annotation file becomes ``next.reward`` and ``next.done``."""

from __future__ import annotations

from collections.abc import Sequence

from lerobot_grasp_plugin.commands.run import TerminalProgress, guarded, parse
from lerobot_grasp_plugin.ops.recipe import RelabelConfig

PROGRAM = "lerobot-grasp-relabel"


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    config = parse(RelabelConfig, args, program=PROGRAM)

    def action() -> int:
        from lerobot_grasp_plugin.commands.publish import push
        from lerobot_grasp_plugin.commands.render import merge_report
        from lerobot_grasp_plugin.ops.relabel import relabel

        progress = TerminalProgress()
        try:
            report = relabel(config, progress)
        finally:
            progress.close()
        print(merge_report(report))
        if config.push_to_hub:
            push(report.repo_id, report.root)
        return 0

    return guarded(action)
