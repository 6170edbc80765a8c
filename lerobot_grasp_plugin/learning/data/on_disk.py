"""Adds notes to LeRobot's errors when it cannot open a dataset or read an item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import av

from lerobot_grasp_plugin.dataset.hub import is_dataset, lerobot_home
from lerobot_grasp_plugin.dataset.info import read_info
from lerobot_grasp_plugin.dataset.opening import open_dataset
from lerobot_grasp_plugin.findings.problem import GraspError, Problem, VideoError
from lerobot_grasp_plugin.findings.words import count

_LISTED = 5
"""Problems that a note names; further ones are counted."""


@contextmanager
def with_reasons(repo_id: str, root: str | Path | None, episodes: Sequence[int] | None) -> Iterator[None]:
    """Adds notes to an exception of LeRobot's that say what is wrong with the dataset on this machine.

    The exception stays the one LeRobot raised, so that code written for LeRobot catches it. A folder that
    LeRobot made to download into, and that is still empty, is removed again.

    Args:
        repo_id: The dataset's name.
        root: Its folder; None for LeRobot's home folder.
        episodes: The chosen ones; None for all.
    """
    folder = _folder(repo_id, root)
    is_new = root is not None and not folder.exists()
    try:
        yield
    except GraspError:
        raise
    except Exception as error:  # the Hub's client raises classes of many trees
        if is_new and folder.is_dir() and next(folder.iterdir(), None) is None:
            folder.rmdir()
        problems: list[Problem] = []
        with suppress(Exception):  # arguments that LeRobot refuses are refused by what reads them again, too
            problems = what_is_wrong(repo_id, root, episodes)
        for problem in problems[:_LISTED]:
            error.add_note(str(problem))
        if len(problems) > _LISTED:
            error.add_note(f"and {len(problems) - _LISTED} more; lerobot-grasp-verify lists them")
        raise


@contextmanager
def readable_again(what: str, root: str | Path, is_changed: bool) -> Iterator[None]:
    """Turns an error of a file into one that a DataLoader can raise again, with a hint.

    Args:
        what: What is read, for the message.
        root: The dataset's folder.
        is_changed: Whether labels or images are not those LeRobot reads; where they are, its own error comes
            out.

    Raises:
        VideoError: A file can no longer be read.
    """
    try:
        yield
    except (OSError, av.FFmpegError) as error:  # which a DataLoader could not raise again
        if not is_changed:
            raise
        message = f"{what} cannot be read: {error}"
        hint = "lerobot-grasp-verify lists the errors of the files"
        raise VideoError(Problem("unreadable-item", message, Path(root), hint)) from error


def what_is_wrong(repo_id: str, root: str | Path | None, episodes: Sequence[int] | None) -> list[Problem]:
    """Problems of a dataset on this machine that keep LeRobot from reading it.

    Args:
        repo_id: The dataset's name.
        root: Its folder; None for LeRobot's home folder.
        episodes: The chosen ones, by ``episode_index``; None for all.

    Returns:
        Every file that is missing or cannot be read, a format that LeRobot refuses, an episode that does not
        exist, or that there is no dataset; empty when nothing is wrong.
    """
    folder = _folder(repo_id, root)
    if not is_dataset(folder):
        message = f"{repo_id!r} is not at {folder}: the folder has no meta/info.json"
        return [Problem("no-dataset", message, hint="set root to the dataset's folder")]
    try:
        info = read_info(folder)
        if not info.is_v3:
            message = f"its format is {info.codebase_version}, but LeRobot reads v3.0"
            hint = "convert it with lerobot-grasp-relabel or lerobot-grasp-merge"
            return [Problem("dataset-format", message, folder, hint)]
        reader = open_dataset(repo_id, folder)
        total = len(reader.lengths)
        beyond = sorted(episode for episode in set(episodes or ()) if not 0 <= episode < total)
        if beyond:
            message = f"episode {', '.join(map(str, beyond))} does not exist"
            hint = f"it has {count(total, 'episode')}, 0 to {total - 1}"
            return [Problem("unknown-episode", message, folder, hint)]
        chosen = range(total) if episodes is None else sorted(set(episodes))
        reader.require(chosen, reader.info.video_keys)
    except GraspError as error:
        return list(error.problems)
    return []


def _folder(repo_id: str, root: str | Path | None) -> Path:
    return lerobot_home() / repo_id if root is None else Path(root)
