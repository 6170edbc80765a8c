"""``lerobot-grasp-frames``: the frames of a dataset as image files or contact sheets."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.run import TerminalProgress, command, guarded, parse_call
from lerobot_grasp_plugin.frames.config import FramesConfig

PROGRAM = "lerobot-grasp-frames"
GUIDE = Guide(
    example=f"{PROGRAM} --root grasp_demo/gtgando/so101_grasp_only_v1 --episodes 3 --output_dir frames",
    required=("root|repo_id",),
)


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    config = parse_call(FramesConfig, args, program=PROGRAM, guide=GUIDE)

    def action() -> int:
        from lerobot_grasp_plugin.commands.render import frames_report
        from lerobot_grasp_plugin.frames.extract import extract_frames

        progress = TerminalProgress()
        try:
            report = extract_frames(config, progress, workers=os.cpu_count() or 1)
        finally:
            progress.close()
        print(frames_report(report))
        return 0

    return guarded(action)


if __name__ == "__main__":
    raise SystemExit(main(None))
