"""Replay buffers of a run on disk, which a kill in the middle of a checkpoint must not lose.

LeRobot's learner deletes the buffers of the last checkpoint, ``dataset`` and ``dataset_offline``, before it
writes the next ones, and ``checkpoints/last`` leads to the new checkpoint by then. Here the old ones are kept
until the new ones are complete.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.errors import DataError, Problem

BUFFERS = ("dataset", "dataset_offline")
"""Folders of a run, as LeRobot names them."""

_PREVIOUS = ".previous"
_SAVING = "checkpoint_is_being_saved"


def keeping_buffers(folder: Path, save: Callable[..., Any]) -> Callable[..., None]:
    """LeRobot's ``save_training_checkpoint``, with the last buffers kept until it is done.

    Args:
        folder: The run's ``output_dir``.
        save: LeRobot's function.
    """

    def save_keeping(*args: Any, **settings: Any) -> None:
        for name in BUFFERS:
            if (folder / name).is_dir():
                _discard(_previous(folder, name))
                (folder / name).rename(_previous(folder, name))
        (folder / _SAVING).touch()
        save(*args, **settings)
        (folder / _SAVING).unlink()
        for name in BUFFERS:
            _discard(_previous(folder, name))

    return save_keeping


def restore_buffers(folder: Path) -> list[str]:
    """Put back the buffers of the checkpoint before, where the last one was not written to its end.

    Args:
        folder: The ``output_dir`` of the run that is to be resumed.

    Returns:
        Names of the folders that were put back.

    Raises:
        DataError: The run ended while it wrote its first checkpoint; there are no buffers to go on with.
    """
    torn = (folder / _SAVING).exists()
    restored = []
    for name in BUFFERS:
        previous = _previous(folder, name)
        if previous.is_dir() and (torn or not (folder / name).is_dir()):
            _discard(folder / name)
            previous.rename(folder / name)
            restored.append(name)
    if torn and not restored:
        message = "the run ended while its first checkpoint was written; its replay buffer is incomplete"
        hint = "start the run again in another output_dir"
        raise DataError(Problem("torn-checkpoint", message, str(folder), hint))
    (folder / _SAVING).unlink(missing_ok=True)
    return restored


def _previous(folder: Path, name: str) -> Path:
    return folder / f"{name}{_PREVIOUS}"


def _discard(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
