"""Recovers a dataset for ``--resume``: finished episodes, and pending work of the last session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.info import read_info
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, UsageError
from lerobot_grasp_plugin.recording import checkpoint
from lerobot_grasp_plugin.recording.rearranging import carry_out, drop_edits, pending_edits, put_in_place
from lerobot_grasp_plugin.salvage.rescuing import with_rescue
from lerobot_grasp_plugin.verify.verifier import verify_dataset

Say = Callable[[str], None]


def recover(root: Path, repo_id: str, say: Say) -> int:
    """Repairs the dataset of an interrupted session.

    Args:
        root: The dataset's folder.
        repo_id: Its name.
        say: Shows a line to the person.

    Returns:
        The number of episodes.

    Raises:
        GraspError: The dataset does not exist, or is damaged.
    """
    snapshot = checkpoint.read(root)
    if snapshot is None and not (root / layout.INFO_PATH).is_file():
        hint = (
            "remove --resume to record a new dataset; its name gets a date unless --dataset.no_stamp is set"
        )
        raise UsageError(Problem("no-dataset", "the folder has no dataset to resume", root, hint))
    if snapshot is None:
        _refuse_unsound(root, repo_id)
    elif snapshot.episodes == 0:
        return _set_aside(root, say)
    elif checkpoint.changed(root, snapshot):
        _refuse_unsound(root, repo_id)
        say("The last session was interrupted; the dataset was changed afterwards and is sound.")
    else:
        aside = checkpoint.aside_folder(root)
        moved = checkpoint.restore(root, snapshot, aside)
        say(f"The last session was interrupted. The dataset has {snapshot.episodes} finished episodes.")
        if moved:
            say(f"Found an unfinished episode ({len(moved)} files); moved it to {aside}")
        _refuse_unsound(root, repo_id)
    _finish_edits(root, repo_id, say)
    return read_info(root).total_episodes


def _finish_edits(root: Path, repo_id: str, say: Say) -> None:
    """Applies the edits of an interrupted session."""
    put_in_place(root)
    if edits := pending_edits(root):
        say(f"Applying edits of the last session: {'; '.join(map(str, edits))}.")
        checkpoint.checkpoint_path(root).unlink(missing_ok=True)  # the dataset is sound as it is
        report = carry_out(root, repo_id, edits, say)
        say(f"The dataset as recorded is kept in {report.backup}")
    drop_edits(root)  # those that wait for an episode


def _refuse_unsound(root: Path, repo_id: str) -> None:
    report = verify_dataset(root, repo_id, thorough=False)
    if not report.ok:
        errors = [problem for problem in report.problems if problem.severity == "error"]
        raise DatasetError(with_rescue(Location(repo_id, root), errors))


def _set_aside(root: Path, say: Say) -> int:
    aside = checkpoint.aside_folder(root)
    if root.exists():
        root.rename(aside)
        what = "a session that was interrupted before its first episode was finished"
        say(f"Found {what}; moved it to {aside}. Recording starts again.")
    return 0
