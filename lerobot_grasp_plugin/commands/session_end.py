"""The end of a recording session: changed labels are applied, the dataset is verified and published."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.publish import push_folder
from lerobot_grasp_plugin.commands.render import merge_report, verify_report
from lerobot_grasp_plugin.commands.run import TerminalProgress
from lerobot_grasp_plugin.findings.words import episodes_text
from lerobot_grasp_plugin.recording.rearranging import carry_out, drop_edits, pending_edits
from lerobot_grasp_plugin.recording.relabelling import apply, changed_episodes, relabel_command
from lerobot_grasp_plugin.verify.verifier import verify_dataset

if TYPE_CHECKING:
    from lerobot_grasp_plugin.recording.edits import Edit
    from lerobot_grasp_plugin.recording.options import GraspOptions
    from lerobot_grasp_plugin.recording.session_report import SessionReport

Ask = Callable[[str], str | None]


def finish(grasp: GraspOptions, report: SessionReport, ask: Ask, push: bool, private: bool) -> bool:
    """Applies changed labels, verifies, uploads.

    Args:
        grasp: The session's options.
        report: What the session left.
        ask: Asks the person; returns None when nobody can answer.
        push: Whether to publish the dataset.
        private: Whether a new repository is private.

    Returns:
        Whether the dataset is sound.

    Raises:
        GraspError: The annotation file cannot be read, or labels cannot be applied.
    """
    if find_spec("lerobot_grasp_plugin.review") is not None:
        print(
            f"Look through it: lerobot-grasp-review --root {report.root} --annotations {report.annotations}"
        )
    if edits := pending_edits(report.root):
        _edit(edits, grasp, report, ask)
    if changed := changed_episodes(report.root, report.repo_id, report.annotations, grasp):
        _settle(changed, grasp, report, ask)
    verification = verify_dataset(report.root, report.repo_id)
    print(verify_report(verification))
    if verification.ok and push:
        push_folder(report.repo_id, report.root, private=private)
    return verification.ok


def _edit(edits: list[Edit], grasp: GraspOptions, report: SessionReport, ask: Ask) -> None:
    """Replaces, deletes and inserts episodes, unless the person leaves them as they were recorded."""
    print("Changes to earlier episodes:")
    for edit in edits:
        print(f"  {edit}")
    asking = grasp.ask and report.failure is None
    if asking and not _agreed(
        "apply these changes; the dataset as recorded is kept as a backup",
        "n keep the episodes as recorded",
        ask,
    ):
        drop_edits(report.root)
        print("The episodes stay as recorded.")
        return
    progress = TerminalProgress()
    try:
        merged = carry_out(report.root, report.repo_id, edits, print, progress)
    finally:
        progress.close()
    print(merge_report(merged))


def _settle(changed: list[int], grasp: GraspOptions, report: SessionReport, ask: Ask) -> None:
    """Applies the annotation file where it differs from the dataset, or says how to do so later."""
    print(f"Labels changed since recording: {episodes_text(changed)}")
    asking = grasp.relabel == "ask" and grasp.ask and report.failure is None
    applied = f"apply changes of {episodes_text(changed)} to the dataset"
    if grasp.relabel != "always" and not (asking and _agreed(applied, "n keep the recorded labels", ask)):
        command = relabel_command(report.root, report.repo_id, report.annotations, grasp)
        print(f"The dataset keeps its recorded labels. To apply the changed ones:\n{command}")
        return
    progress = TerminalProgress()
    try:
        merged = apply(report.root, report.repo_id, report.annotations, grasp, progress=progress)
    finally:
        progress.close()
    print(merge_report(merged))


def _agreed(yes: str, no: str, ask: Ask) -> bool:
    """Whether the person agrees; asks until the answer is one of the two."""
    while True:
        answer = ask(f"[Enter] {yes}, {no} > ")
        if answer is None or answer.lower() in ("", "y", "yes"):
            return True
        if answer.lower() in ("n", "no"):
            return False
        print(f"{answer!r}: press Enter or type n.")
