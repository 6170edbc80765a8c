"""``lerobot-grasp-verify``: whether a dataset is sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.commands.run import guarded, parse

PROGRAM = "lerobot-grasp-verify"


@dataclass(kw_only=True)
class VerifyConfig:
    """Checks a dataset's files, indices, totals and metadata; decodes nothing."""

    # the dataset, owner/name
    repo_id: str | None = None
    # its folder (without a value: LeRobot's home folder, then the Hub)
    root: Path | None = None


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0 for a sound dataset and 1 for one that is not."""
    config = parse(VerifyConfig, args, program=PROGRAM)

    def action() -> int:
        from lerobot_grasp_plugin.commands.render import verify_report
        from lerobot_grasp_plugin.dataset.hub import locate
        from lerobot_grasp_plugin.ops.verify import verify_dataset

        location = locate(config.repo_id, config.root)
        report = verify_dataset(location.root, config.repo_id)
        print(verify_report(report))
        return 0 if report.ok else 1

    return guarded(action)
