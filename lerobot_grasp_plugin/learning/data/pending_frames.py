"""Trims an unsaved episode in LeRobot's writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.findings.problem import Problem, UsageError

_FROM_THE_START: Final = ("frame_index", "timestamp")
"""Columns whose values belong to the place of a row, and not to the frame."""


def keep_frames(writer: Any, start: int, stop: int) -> None:
    """Drops the rows and images of a pending episode before one frame and from another one on.

    Args:
        writer: LeRobot's ``DatasetWriter``; its images are files until the episode is saved.
        start: The first frame that is kept, 0-based.
        stop: The first one after them that is not.

    Raises:
        UsageError: The images are encoded while they are recorded.
    """
    if writer._streaming_encoder is not None:
        message = "frames that streaming_encoding has encoded cannot be removed"
        raise UsageError(Problem("contradicting-options", message))
    writer._wait_image_writer()
    buffer: dict[str, Any] = writer.episode_buffer
    cameras = set(writer._meta.camera_keys)
    for name, values in buffer.items():
        if not isinstance(values, list):
            continue
        if name in cameras:
            buffer[name] = _kept_files([Path(value) for value in values], start, stop)
        elif name in _FROM_THE_START:
            buffer[name] = values[: stop - start]
        elif values:
            buffer[name] = values[start:stop]
    buffer["size"] = stop - start


def _kept_files(files: list[Path], start: int, stop: int) -> list[str]:
    """Gives the files that are kept the names of the first ones; removes the others."""
    for file in (*files[:start], *files[stop:]):
        file.unlink()
    for file, place in zip(files[start:stop], files, strict=False):
        file.rename(place)
    return [str(place) for place in files[: stop - start]]
