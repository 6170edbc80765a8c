"""``lerobot-grasp-record``: lerobot-record with labels, corrected and applied in one session."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.options import load_recorder_plugins
from lerobot_grasp_plugin.commands.outline import Outline, announce_loading, check_early
from lerobot_grasp_plugin.commands.run import (
    INTERRUPTED,
    command,
    fail,
    guarded,
    parse_call,
)
from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.findings.words import agree, count
from lerobot_grasp_plugin.video.chatter import silence_encoders

if TYPE_CHECKING:
    from lerobot_grasp_plugin.recording.config import GraspRecordConfig
    from lerobot_grasp_plugin.recording.session_report import SessionReport

PROGRAM = "lerobot-grasp-record"
GUIDE = Guide(
    example=f"""{PROGRAM} \\
  --robot.type=so101_follower --robot.port=/dev/ttyACM0 --robot.id=follower \\
  --robot.cameras='{{gripper_cam: {{type: opencv, index_or_path: 0, width: 640, height: 480, fps: 30}}}}' \\
  --teleop.type=so101_leader --teleop.port=/dev/ttyACM1 --teleop.id=leader \\
  --dataset.repo_id=me/so101_grasp --dataset.single_task="grasp the cube" \\
  --dataset.fps=10 --dataset.num_episodes=15 --dataset.push_to_hub=false""",
    required=("robot.type", "dataset.repo_id"),
    upstream="lerobot-record",
)


@command
def main(args: Sequence[str] | None = None) -> int:
    """Records; returns 0 on success, 1 when the session or the data is at fault."""
    given = list(args or [])
    if code := check_early(given, PROGRAM, _check):
        return code
    config = _parse(given)

    def action() -> int:
        import datasets
        from lerobot.utils.utils import init_logging

        from lerobot_grasp_plugin.commands.session_end import finish
        from lerobot_grasp_plugin.recording.session import Session

        init_logging()
        datasets.disable_progress_bars()
        session = Session(config, lambda line: print(line, flush=True))
        report = session.run()
        sound = _complain(report)
        if report.total:
            try:
                dataset = config.dataset
                finished = finish(
                    config.grasp, report, session.keys.ask, dataset.push_to_hub, bool(dataset.private)
                )
                sound = finished and sound
            except GraspError as error:
                print(error, file=sys.stderr)
                print(
                    f"{count(report.total, 'episode')} {agree(report.total, 'is', 'are')} as recorded.",
                    file=sys.stderr,
                )
                sound = False
        if report.failure == "interrupted":
            return INTERRUPTED
        return 0 if sound else 1

    return guarded(action)


def _check(call: Outline) -> None:
    """Checks what a call names before LeRobot is imported.

    Raises:
        UsageError: With all that is wrong.
    """
    from lerobot_grasp_plugin.dataset.writer_lock import refuse_in_use
    from lerobot_grasp_plugin.findings.gathering import Gathered
    from lerobot_grasp_plugin.recording.options import (
        GraspOptions,
        check_batch,
        check_name,
        check_new,
        check_tags,
        check_trim,
    )

    call.require("robot.type", "dataset.repo_id")
    problems = Gathered()
    resumed = call["resume"] is True
    with problems:
        if (root := _folder(call)) is not None:
            refuse_in_use(root)
    with problems:
        call.without("grasp.hooks").own(GraspOptions, "grasp").check()
    with problems:
        check_name(str(call["dataset.repo_id"]), resume=resumed)
    with problems:
        check_tags(call["dataset.tags"])
    with problems:
        check_batch(call["dataset.video_encoding_batch_size"])
    with problems:
        check_trim(call["grasp.trim"], call["dataset.streaming_encoding"])
    with problems:
        if call["dataset.root"] is not None and not resumed:
            check_new(Path(str(call["dataset.root"])).expanduser())
    problems.raise_all()


def _folder(call: Outline) -> Path | None:
    """The dataset's folder, where it does not depend on the date."""
    from lerobot_grasp_plugin.dataset.hub import lerobot_home

    if call["dataset.root"] is not None:
        return Path(str(call["dataset.root"])).expanduser()
    return lerobot_home() / str(call["dataset.repo_id"]) if call["resume"] is True else None


def _parse(given: list[str]) -> GraspRecordConfig:
    announce_loading(PROGRAM)
    silence_encoders()
    try:
        import lerobot_grasp_plugin.recording.builtin_hooks  # noqa: F401  # makes them known by name
        from lerobot_grasp_plugin.recording.config import GraspRecordConfig
    except ImportError as error:
        fail(PROGRAM, f"LeRobot's recorder cannot be imported: {error}; install lerobot_grasp_plugin[record]")
    given = load_recorder_plugins(given, partial(fail, PROGRAM))
    return parse_call(GraspRecordConfig, given, program=PROGRAM, guide=GUIDE, plugins=True)


def _complain(report: SessionReport) -> bool:
    """Prints what went wrong at the end; the session has already printed what is saved."""
    for complaint in report.shutdown:
        print(f"While shutting down, after everything was saved: {complaint}")
    return report.failure is None and not any(line.startswith("the dataset") for line in report.shutdown)


if __name__ == "__main__":
    raise SystemExit(main(None))
