"""``lerobot-grasp-propose``: a labeler's draft of annotations for a whole dataset."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from lerobot_grasp_plugin.commands import labeler_types  # noqa: F401  # makes them known by name
from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.options import load_packages
from lerobot_grasp_plugin.commands.run import TerminalProgress, command, fail, guarded, parse_call
from lerobot_grasp_plugin.findings.words import count, episodes_text
from lerobot_grasp_plugin.labelers.labeler import LabelerConfig

PROGRAM = "lerobot-grasp-propose"
GUIDE = Guide(
    example=f"""{PROGRAM} --root grasp_demo/gtgando/so101_grasp_only_v1 \\
  --labeler.type=gripper --output_path draft.txt""",
    required=("root|repo_id", "labeler.type", "output_path"),
    upstream="the labelers",
)


@dataclass(kw_only=True)
class ProposeConfig:
    """Writes a draft annotation file with the success frames that a labeler proposes."""

    # the dataset, owner/name
    repo_id: str | None = None
    # its folder (default: LeRobot's home folder, then the Hub)
    root: Path | None = None
    # follow links in data/ and videos/ that lead outside the dataset's folder
    follow_links: bool = False
    # episodes to use: "0-14", [2, 7, 8], "!19,23" for all but these (default: all)
    episodes: list[int] | str | None = None
    # the labeler
    labeler: LabelerConfig | None = None
    # the annotation file to write; must not exist
    output_path: Path | None = None


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    given = load_packages(list(args or []), partial(fail, PROGRAM))
    config = parse_call(ProposeConfig, given, program=PROGRAM, guide=GUIDE, plugins=True)
    labeler, output_path = config.labeler, config.output_path
    if labeler is None or output_path is None:
        options = {"labeler.type": labeler, "output_path": output_path}
        missing = [f"--{name}" for name, value in options.items() if value is None]
        choices = ", ".join(sorted(LabelerConfig.get_known_choices()))
        hint = f" (labelers: {choices})" if labeler is None else ""
        fail(PROGRAM, f"{' and '.join(missing)} must be given{hint}")
    return guarded(lambda: _write(config, labeler, output_path.expanduser()), writes=True)


def _write(config: ProposeConfig, labeler: LabelerConfig, output_path: Path) -> int:
    from lerobot_grasp_plugin.labelers.draft import draft_text, refuse_existing_draft, write_draft
    from lerobot_grasp_plugin.labelers.draft_record import record_path, record_text
    from lerobot_grasp_plugin.labelers.proposing import propose
    from lerobot_grasp_plugin.merging.recipe import SourceConfig
    from lerobot_grasp_plugin.merging.sources import open_sources

    refuse_existing_draft(output_path)
    chosen = SourceConfig(repo_id=config.repo_id, root=config.root, episodes=config.episodes)
    (source,) = open_sources([chosen], [], follow_links=config.follow_links)
    if labeler.notice:
        print(f"{PROGRAM}: {labeler.notice}", file=sys.stderr)
    progress = TerminalProgress()
    try:
        proposals = propose(labeler, source, progress)
    finally:
        progress.close()
    lengths = {index: int(source.reader.lengths[index]) for index in proposals}
    dataset = str(source.reader.root.resolve())
    origin = settings(labeler)
    text = draft_text(proposals, lengths, dataset=dataset, origin=origin)
    record = record_text(proposals, origin)
    write_draft(output_path, text, record)
    proposed = {index: each.success for index, each in proposals.items() if each.success is not None}
    frames = sum(success.count(lengths[index]) for index, success in proposed.items())
    total = sum(lengths[index] for index in proposed)
    print(
        f"{labeler.type} proposes {frames} of {total} frames of {count(len(proposed), 'episode')} as success"
    )
    if silent := [index for index in proposals if index not in proposed]:
        print(f"No proposal for {episodes_text(silent)}")
    print(f"Wrote the draft to {output_path}; look through it before you use it")
    if record is not None:
        print(f"Curves and answers are in {record_path(output_path)}")
    return 0


def settings(labeler: LabelerConfig) -> str:
    """A labeler's type and its settings that differ from the defaults: ``gripper, reading=held``."""
    default = type(labeler)()
    pairs = [(each.name, getattr(labeler, each.name)) for each in fields(labeler)]
    changed = [f"{name}={value}" for name, value in pairs if value != getattr(default, name)]
    return ", ".join([labeler.type, *changed])


if __name__ == "__main__":
    raise SystemExit(main(None))
