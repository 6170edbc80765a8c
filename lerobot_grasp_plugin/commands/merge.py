"""``lerobot-grasp-merge``: chosen episodes of several datasets become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.run import command, parse_call
from lerobot_grasp_plugin.commands.writing import Outcome, run_writing
from lerobot_grasp_plugin.merging.recipe import MergeConfig, SourceConfig

if TYPE_CHECKING:
    from lerobot_grasp_plugin.core.progress import Progress
    from lerobot_grasp_plugin.merging.merge import BeforeWriting

PROGRAM = "lerobot-grasp-merge"
GUIDE = Guide(
    example=f"""{PROGRAM} --sources '[{{root: grasp_demo/gtgando/so101_grasp_only_v1, episodes: "0-9"}},
    {{root: grasp_demo/gtgando/so101_grasp_only_negative_v1, episodes: [2, 7, 8]}}]' \\
  --annotations grasp_demo/reward_classifier_grasponly_v1.txt --new_root offline""",
    required=("sources|annotations", "new_root|new_repo_id"),
)


def _source(raw: Any, path: Sequence[str]) -> SourceConfig:
    """A source of a recipe; plain text is its folder, or else its repo_id."""
    from draccus.parsers.decoding import decode_dataclass

    if isinstance(raw, str):
        raw = {"root" if Path(raw).expanduser().exists() else "repo_id": raw}
    return decode_dataclass(SourceConfig, raw, path)


def _take_text_sources() -> None:
    """Makes draccus read sources with ``_source``, even if it has cached another decoder."""
    import draccus
    from draccus.parsers.decoding import get_decoding_fn

    draccus.decode.register(SourceConfig, _source)
    get_decoding_fn.cache_clear()  # it keeps the decoder of a class, and of lists of it, once it has made one


@dataclass(kw_only=True)
class MergeCall(MergeConfig):
    """Merges episodes of several datasets into a new one, labelled from annotations in the same pass."""

    # only print which episode comes from where, and the warnings
    dry_run: bool = False


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    _take_text_sources()
    config = parse_call(MergeCall, args, program=PROGRAM, guide=GUIDE)

    def operation(progress: Progress, before_writing: BeforeWriting) -> Outcome:
        from lerobot_grasp_plugin.commands.render import merge_plan, merge_report
        from lerobot_grasp_plugin.merging.merge import merge, new_place, plan_output

        if not config.dry_run:
            report = merge(config, progress, before_writing=before_writing)
            return Outcome(merge_report(report), [report])
        output = plan_output(config, partial(new_place, config), progress, before_writing=before_writing)
        return Outcome(merge_plan(output), warnings=output.build.warnings)

    return run_writing(config, operation)


if __name__ == "__main__":
    raise SystemExit(main(None))
