"""``lerobot-grasp-record``: lerobot-record with labels, corrected and applied in one session."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.options import load_recorder_plugins
from lerobot_grasp_plugin.commands.outline import Outline, announce_loading, check_early
from lerobot_grasp_plugin.commands.publish import push_folder
from lerobot_grasp_plugin.commands.run import (
    INTERRUPTED,
    TerminalProgress,
    command,
    fail,
    guarded,
    parse,
)
from lerobot_grasp_plugin.core.words import agree, count
from lerobot_grasp_plugin.errors import GraspError

if TYPE_CHECKING:
    from lerobot_grasp_plugin.recording.config import GraspRecordConfig
    from lerobot_grasp_plugin.recording.session import Session, SessionReport

PROGRAM = "lerobot-grasp-record"


@command
def main(args: Sequence[str] | None = None) -> int:
    """Records; returns 0 when all went well, 1 when the session or the data is at fault."""
    given = list(args or [])
    if code := check_early(given, PROGRAM, _check):
        return code
    config = _parse(given)

    def action() -> int:
        from lerobot.utils.utils import init_logging

        from lerobot_grasp_plugin.recording.session import Session

        init_logging()
        session = Session(config, lambda line: print(line, flush=True))
        report = session.run()
        sound = _complain(report)
        if report.total:
            try:
                sound = _finish(config, session, report) and sound
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
    from lerobot_grasp_plugin.ops.gathering import Gathered
    from lerobot_grasp_plugin.recording.options import GraspOptions, check_name, check_new, check_tags

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
    try:
        import lerobot_grasp_plugin.recording.builtin_hooks  # noqa: F401  # makes them known by name
        from lerobot_grasp_plugin.recording.config import GraspRecordConfig
    except ImportError as error:
        fail(PROGRAM, f"LeRobot cannot record here: {error}; install lerobot_grasp_plugin[record]")
    given = load_recorder_plugins(given, partial(fail, PROGRAM))
    return parse(GraspRecordConfig, given, program=PROGRAM, plugins=True)


def _complain(report: SessionReport) -> bool:
    """Says what went wrong at the end; the session itself has said what is saved."""
    for complaint in report.shutdown:
        print(f"While shutting down, after everything was saved: {complaint}")
    return report.failure is None and not any(line.startswith("the dataset") for line in report.shutdown)


def _finish(config: GraspRecordConfig, session: Session, report: SessionReport) -> bool:
    """Applies changed labels, verifies, uploads; returns whether the dataset is sound."""
    from lerobot_grasp_plugin.commands.render import merge_report, verify_report
    from lerobot_grasp_plugin.ops.verify import verify_dataset
    from lerobot_grasp_plugin.recording.relabelling import apply, changed_episodes

    grasp = config.grasp
    asking = grasp.relabel == "ask" and report.failure is None
    if asking:
        if find_spec("lerobot_grasp_plugin.review") is not None:
            print(
                f"Look through it: lerobot-grasp-review --root {report.root} "
                f"--annotations {report.annotations}"
            )
        answer = session.keys.ask("[Enter] apply changes of the annotation file, n leave them > ")
        asking = answer is None or answer.lower() not in ("n", "no")
    if grasp.relabel == "always" or asking:
        changed = changed_episodes(report.root, report.repo_id, report.annotations, grasp)
        if changed:
            print(f"Labels changed since they were recorded: episodes {', '.join(map(str, changed))}")
            progress = TerminalProgress()
            try:
                merged = apply(
                    report.root,
                    report.repo_id,
                    report.annotations,
                    grasp,
                    next_success=grasp.next_success,
                    progress=progress,
                )
            finally:
                progress.close()
            print(merge_report(merged))
    verification = verify_dataset(report.root, report.repo_id)
    print(verify_report(verification))
    if verification.ok and config.dataset.push_to_hub:
        push_folder(report.repo_id, report.root, private=bool(config.dataset.private))
    return verification.ok


if __name__ == "__main__":
    raise SystemExit(main(None))
