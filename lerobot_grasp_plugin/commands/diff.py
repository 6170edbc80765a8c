"""``lerobot-grasp-diff``: what differs between two datasets, episode by episode."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.positional import as_option
from lerobot_grasp_plugin.commands.run import TerminalProgress, command, fail, guarded, parse_call
from lerobot_grasp_plugin.core.choices import DiffFormat, DiffLevel

PROGRAM = "lerobot-grasp-diff"
GUIDE = Guide(
    example=f"{PROGRAM} grasp_demo/gtgando/so101_grasp_only_v1 edited",
    required=("datasets",),
)


@dataclass(kw_only=True)
class DiffConfig:
    """Compares two datasets episode by episode, by content: lerobot-grasp-diff A B.

    A dataset is a folder, owner/name, or owner/name@revision for a branch, tag or commit of the Hub.
    """

    # the two datasets: folder, owner/name or owner/name@revision; can also be given without an option
    datasets: list[str] = field(default_factory=list)
    # how much to compare: data (every row), video (also the packets of videos)
    level: DiffLevel = "video"
    # output format: text (the first differences of each kind), json (all of them)
    format: DiffFormat = "text"
    # follow links in data/ and videos/ that lead outside a dataset's folder
    follow_links: bool = False


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0 if the datasets are equal, 1 if they differ, 2 if one is missing."""
    given = as_option("datasets", args or [], switches=("--follow_links",))
    config = parse_call(DiffConfig, given, program=PROGRAM, guide=GUIDE)
    if len(config.datasets) != 2:
        fail(PROGRAM, f"give two datasets, not {len(config.datasets)}: {PROGRAM} A B, or --datasets '[A, B]'")
    return guarded(lambda: _diff(config))


def _diff(config: DiffConfig) -> int:
    from lerobot_grasp_plugin.commands.render_diff import diff_report
    from lerobot_grasp_plugin.diff.diff import diff

    progress = TerminalProgress()
    try:
        report = diff(
            *config.datasets, level=config.level, follow_links=config.follow_links, progress=progress
        )
    finally:
        progress.close()
    if config.format == "json":
        print(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    else:
        print(diff_report(report))
    return 0 if report.equal else 1


if __name__ == "__main__":
    raise SystemExit(main(None))
