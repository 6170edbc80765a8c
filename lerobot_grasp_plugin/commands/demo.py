"""``lerobot-grasp-demo``: two small recordings, and both datasets built from them."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.run import TerminalProgress, command, guarded, parse_call

if TYPE_CHECKING:
    from lerobot_grasp_plugin.demo.datasets import ReadBack
    from lerobot_grasp_plugin.demo.seed import Target
    from lerobot_grasp_plugin.merging.recipe import MergeConfig

PROGRAM = "lerobot-grasp-demo"
GUIDE = Guide(
    example=f"{PROGRAM} --output_dir grasp_demo",
)


@dataclass(kw_only=True)
class DemoConfig:
    """Records two small datasets with an annotation file, and builds both output datasets from them."""

    # output folder; must not exist
    output_dir: Path = Path("grasp_demo")
    # record on the simulated SO101, or draw the images (default: simulate if the extra sim is installed)
    simulate: bool | None = None


@command
def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0 when every figure is the expected one."""
    config = parse_call(DemoConfig, args, program=PROGRAM, guide=GUIDE)
    progress = TerminalProgress()

    def action() -> int:
        try:
            return _demo(config.output_dir.expanduser(), config.simulate, progress)
        finally:
            progress.close()

    return guarded(action, writes=True)


def _demo(output_dir: Path, simulate: bool | None, progress: TerminalProgress) -> int:
    from lerobot_grasp_plugin.commands.render import merge_report
    from lerobot_grasp_plugin.demo import seed
    from lerobot_grasp_plugin.demo.datasets import build, check_recordings, read_with_lerobot
    from lerobot_grasp_plugin.demo.recordings import recorded, refuse_existing_folders

    refuse_existing_folders(output_dir)
    started = time.monotonic()
    _say(f"Recording {' and '.join(recording.name for recording in seed.RECORDINGS)}")
    if simulate is None:
        from lerobot_grasp_plugin.demo.simulated import can_simulate

        simulate = can_simulate()
    where = "on the simulated SO101" if simulate else "with a drawn arm"
    _say(f"{where}, through LeRobot's writer, which takes a minute or two ...")
    with recorded(output_dir, progress, simulate=simulate) as differing:
        progress.close()
        check_recordings(output_dir)
        for recording in seed.RECORDINGS:
            _say(f"{recording.repo_id}: {len(recording.lengths)} episodes, {recording.frames} frames")
        if simulate:
            frames = sum(recording.frames for recording in seed.RECORDINGS)
            _say(f"The physics agree with the annotations on {frames - differing} of {frames} frames.")
        _say(f"Recorded in {time.monotonic() - started:.0f} s.")
        made: list[tuple[Target, ReadBack]] = []
        for target in seed.TARGETS:
            report = build(target, output_dir, progress)
            progress.close()
            _say(f"\n{merge_report(report)}")
            made.append((target, read_with_lerobot(target, output_dir, progress)))
            progress.close()
        _say("\n=== Read with LeRobot ===")
        _say("\n".join(_read_back(made)))
    _say(f"\nAll figures are as expected. {time.monotonic() - started:.0f} s; everything is in {output_dir}")
    _say("\n".join(_next(output_dir)))
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _read_back(made: Sequence[tuple[Target, ReadBack]]) -> Iterator[str]:
    for target, read in made:
        share = 100 * read.success_frames / read.rows
        yield (
            f"{target.name}: {target.episodes} episodes, {read.rows} frames, "
            f"{read.success_frames} success ({share:.1f} %)"
        )
        yield f"    {target.purpose}"
        yield "    every label as annotated"
        yield f"    {read.images} items, with images equal to those of the recordings"


def _next(output_dir: Path) -> Iterator[str]:
    """The commands that build the same datasets, each into a new folder."""
    from lerobot_grasp_plugin.demo import seed
    from lerobot_grasp_plugin.demo.datasets import recipe

    again = output_dir / "again"
    yield "\n=== The same by hand ==="
    for target in seed.TARGETS:
        config = recipe(target, output_dir)
        config.new_root = again / target.name
        yield f"# {target.purpose}"
        yield _merge_call(config)
    name = "so101_grasp_only_v1_labelled"
    yield "# one labelled recording, nothing merged"
    yield _call(
        "lerobot-grasp-relabel",
        f"--root {_path(output_dir / seed.POSITIVE.repo_id)}",
        f"--annotations {_path(output_dir / seed.ANNOTATION_FILE)}",
        f"--new_repo_id {seed.OWNER}/{name}",
        f"--new_root {_path(again / name)}",
    )


def _merge_call(config: MergeConfig) -> str:
    flags = []
    if config.sources:
        sources = []
        for source in config.sources:
            given: dict[str, object] = {"root": str(source.root)}
            if source.episodes is not None:
                given["episodes"] = source.episodes
            sources.append(json.dumps(given, ensure_ascii=False))
        flags.append("--sources " + shlex.quote("[" + ",\n    ".join(sources) + "]"))
    assert config.annotations is not None
    assert config.new_root is not None
    flags += [
        f"--annotations {_path(config.annotations)}",
        f"--new_repo_id {config.new_repo_id}",
        f"--new_root {_path(config.new_root)}",
    ]
    return _call("lerobot-grasp-merge", *flags)


def _call(program: str, *flags: str) -> str:
    return " \\\n  ".join((program, *flags))


def _path(path: Path) -> str:
    return shlex.quote(str(path))


if __name__ == "__main__":
    raise SystemExit(main(None))
