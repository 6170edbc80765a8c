"""``lerobot-grasp-edit``: one dataset with episodes trimmed, split, deleted, reordered, replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.run import command, parse_call
from lerobot_grasp_plugin.commands.writing import Outcome, run_writing
from lerobot_grasp_plugin.editing.config import EditConfig

if TYPE_CHECKING:
    from lerobot_grasp_plugin.core.progress import Progress
    from lerobot_grasp_plugin.merging.merge import BeforeWriting

PROGRAM = "lerobot-grasp-edit"
GUIDE = Guide(
    example=f"""{PROGRAM} --root grasp_demo/gtgando/so101_grasp_only_v1 \\
  --operation.type delete --operation.episode_indices '[0, 2, 5]' --new_root edited""",
    required=("root|repo_id", "operation.type", "new_root|new_repo_id|in_place"),
    upstream="the operations",
)


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    config = parse_call(EditConfig, args, program=PROGRAM, guide=GUIDE)

    def operation(progress: Progress, before_writing: BeforeWriting) -> Outcome:
        from lerobot_grasp_plugin.commands.render_edit import dry_run, edit_report
        from lerobot_grasp_plugin.editing.edit import edit

        report = edit(config, progress, before_writing=before_writing)
        if not config.dry_run:
            return Outcome(edit_report(report), report.reports)
        return Outcome(dry_run(report), warnings=report.warnings)

    return run_writing(config, operation)


if __name__ == "__main__":
    raise SystemExit(main(None))
