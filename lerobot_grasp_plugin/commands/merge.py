"""``lerobot-grasp-merge``: chosen episodes of several datasets become one."""

from __future__ import annotations

from collections.abc import Sequence

from lerobot_grasp_plugin.commands.run import TerminalProgress, guarded, parse
from lerobot_grasp_plugin.ops.recipe import MergeConfig

PROGRAM = "lerobot-grasp-merge"


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    config = parse(MergeConfig, args, program=PROGRAM)

    def action() -> int:
        from lerobot_grasp_plugin.commands.publish import push
        from lerobot_grasp_plugin.commands.render import merge_report
        from lerobot_grasp_plugin.ops.merge import merge

        progress = TerminalProgress()
        try:
            report = merge(config, progress)
        finally:
            progress.close()
        print(merge_report(report))
        if config.push_to_hub:
            push(report.repo_id, report.root)
        return 0

    return guarded(action)
