"""What is missing of a dataset, in words, whether it should be here or on the Hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lerobot_grasp_plugin.dataset.hub import is_dataset, lerobot_home
from lerobot_grasp_plugin.dataset.reader import open_dataset
from lerobot_grasp_plugin.errors import DatasetError, GraspError, Problem, UsageError

_FROM_THE_HUB = ".cache/huggingface/download"
"""What a download into a folder leaves there; LeRobot then fetches what is still missing."""


def check_on_disk(
    repo_id: str, root: str | Path | None, episodes: Sequence[int] | None, *, files: bool = True
) -> None:
    """Looks for the files of a dataset that is on this machine and not a download from the Hub.

    Args:
        repo_id: The dataset's name.
        root: Its folder; None for LeRobot's home folder. One that is empty, or not there, is downloaded into.
        episodes: The chosen ones; None for all.
        files: Whether data and videos are looked for, or ``meta/`` alone.

    Raises:
        DatasetError: With every file that is missing or cannot be read, or for a format that LeRobot refuses.
        UsageError: The folder holds something else, or an episode does not exist, or none is chosen.
    """
    if episodes is not None and not episodes:
        hint = "leave episodes out for all of them"
        raise UsageError(Problem("empty-selection", "no episode is chosen", hint=hint))
    folder = lerobot_home() / repo_id if root is None else Path(root)
    if (folder / _FROM_THE_HUB).is_dir():
        return
    if not is_dataset(folder) and (root is None or not folder.exists() or _is_empty(folder)):
        return
    reader = open_dataset(repo_id, folder)
    if not reader.info.is_v3:
        message = f"its format is {reader.info.codebase_version}, LeRobot reads v3.0"
        hint = "make a new dataset of it with lerobot-grasp-relabel or lerobot-grasp-merge"
        raise DatasetError(Problem("dataset-format", message, str(folder), hint))
    total = len(reader.lengths)
    beyond = sorted(episode for episode in set(episodes or ()) if not 0 <= episode < total)
    if beyond:
        message = f"there is no episode {', '.join(map(str, beyond))}"
        hint = f"it has {total} episodes, 0 to {total - 1}"
        raise UsageError(Problem("unknown-episode", message, str(folder), hint))
    if files:
        reader.require(range(total) if episodes is None else sorted(set(episodes)), reader.info.video_keys)


@contextmanager
def told_if_absent(repo_id: str, root: str | Path | None) -> Iterator[None]:
    """Says of a dataset that is not on this machine that the Hub does not give it either.

    Raises:
        DatasetError: Where there is no folder of it, and what ran inside has failed.
    """
    folder = lerobot_home() / repo_id if root is None else Path(root)
    absent, new = not is_dataset(folder), not folder.exists()
    try:
        yield
    except GraspError:
        raise
    except Exception as error:  # the Hub's client raises classes of many trees
        if not absent:
            raise
        if root is not None and new and _is_empty(folder):  # LeRobot made it to download into
            folder.rmdir()
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        message = f"{repo_id!r} is not at {folder}, and the Hub does not give it: {said}"
        raise DatasetError(Problem("no-dataset", message, hint="give root, the folder it is in")) from error


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and next(folder.iterdir(), None) is None
