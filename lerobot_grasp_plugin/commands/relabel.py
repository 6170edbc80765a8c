"""``lerobot-grasp-relabel``: writes the labels of an annotation file into a copy of one dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.run import command, parse_call
from lerobot_grasp_plugin.commands.writing import Outcome, run_writing
from lerobot_grasp_plugin.merging.recipe import RelabelConfig

if TYPE_CHECKING:
    from lerobot_grasp_plugin.core.progress import Progress
    from lerobot_grasp_plugin.merging.merge import BeforeWriting

PROGRAM = "lerobot-grasp-relabel"
GUIDE = Guide(
    example=f"""{PROGRAM} --root grasp_demo/gtgando/so101_grasp_only_v1 \\
  --annotations grasp_demo/reward_classifier_grasponly_v1.txt --new_root labelled""",
    required=("root|repo_id", "annotations|labels_from", "new_root|new_repo_id|in_place"),
)


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    config = parse_call(RelabelConfig, args, program=PROGRAM, guide=GUIDE)

    def operation(progress: Progress, before_writing: BeforeWriting) -> Outcome:
        from lerobot_grasp_plugin.commands.render import merge_report
        from lerobot_grasp_plugin.merging.relabel import relabel

        report = relabel(config, progress, before_writing=before_writing)
        return Outcome(merge_report(report), [report])

    return run_writing(config, operation)


if __name__ == "__main__":
    raise SystemExit(main(None))
