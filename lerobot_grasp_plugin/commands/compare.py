"""``lerobot-grasp-compare``: how far two annotation files agree, and what to look at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.positional import as_option
from lerobot_grasp_plugin.commands.run import command, fail, guarded, parse_call

PROGRAM = "lerobot-grasp-compare"
GUIDE = Guide(
    example=f"{PROGRAM} labels.txt draft.txt --root grasp_demo/gtgando/so101_grasp_only_v1",
    required=("annotations",),
)


@dataclass(kw_only=True)
class CompareConfig:
    """Compares two annotation files of one dataset: lerobot-grasp-compare A.txt B.txt."""

    # the two annotation files; they can also be given without an option
    annotations: list[Path] = field(default_factory=list)
    # the dataset they label, owner/name (default: the datasets named by the headers of the first file)
    repo_id: str | None = None
    # its folder
    root: Path | None = None
    # index base of a file that does not state one: 0 or 1
    index_base: int | None = None
    # write the comparison to this file, as JSON
    report: Path | None = None


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0 when the files were compared, however they differ."""
    config = parse_call(CompareConfig, as_option("annotations", args or []), program=PROGRAM, guide=GUIDE)
    if len(config.annotations) != 2:
        number = len(config.annotations)
        fail(PROGRAM, f"give two annotation files, not {number}: A.txt B.txt, or --annotations")
    if config.report is not None and not config.report.parent.is_dir():
        fail(PROGRAM, f"--report: the folder {config.report.parent} does not exist")
    return guarded(lambda: _compare(config))


def _compare(config: CompareConfig) -> int:
    from lerobot_grasp_plugin.commands.render_labelers import comparison_lines
    from lerobot_grasp_plugin.commands.verify_formats import write_json_file
    from lerobot_grasp_plugin.labelers.comparing import compare_files
    from lerobot_grasp_plugin.merging.recipe import SourceConfig

    first, second = (path.expanduser() for path in config.annotations)
    is_named = config.repo_id is not None or config.root is not None
    dataset = SourceConfig(repo_id=config.repo_id, root=config.root) if is_named else None
    comparisons = compare_files(first, second, dataset, config.index_base)
    print(f"A: {first}\nB: {second}")
    for comparison in comparisons:
        print(*comparison_lines(comparison), sep="\n")
    if config.report is not None:
        content = {"format": 1, "annotations": [str(first), str(second)]}
        write_json_file(config.report, {**content, "datasets": [each.to_json() for each in comparisons]})
    return 0


if __name__ == "__main__":
    raise SystemExit(main(None))
