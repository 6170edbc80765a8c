"""Finds the intact episodes of a damaged dataset whose list of episodes can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lerobot_grasp_plugin.dataset.losses import LostEpisodesError, Reason, loss_problems
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.findings.problem import NOWHERE, DatasetError, GraspError, Problem
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.video.probe import header


class Cameras:
    """Number of frames of a dataset's video files; each file is opened once."""

    def __init__(self) -> None:
        self._files: dict[Path, int | Reason] = {}

    def check(self, path: Path, video_key: str, stop: int) -> Reason | None:
        """Why a video does not have the frames of an episode; None if it has.

        Args:
            path: The file.
            video_key: The camera.
            stop: Frames that the file needs to have for the episode: the number behind its last one.
        """
        if path not in self._files:
            try:
                self._files[path] = header(path).frames
            except GraspError as error:
                self._files[path] = reason_of(error, path)
        found = self._files[path]
        if isinstance(found, Reason):
            return found
        if 0 < found < stop:
            text = f"the video of {video_key!r} ends before the episode, after {count(found, 'frame')}"
            return Reason("video-missing", text, path)
        return None


def reason_of(error: GraspError, path: Path) -> Reason:
    """An error as the reason why episodes are lost, with its hint, which ``loss_problems`` replaces."""
    problem = next(each for each in error.problems if each.severity == "error")
    text = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    return Reason(problem.code, text, problem.place if problem.place != NOWHERE else path)


def lost_episodes(reader: DatasetReader) -> dict[int, Reason]:
    """The episodes of which rows or images are missing or cannot be read, and why.

    Every row is read once, and the header of every video.

    Raises:
        DatasetError: The list of episodes does not say where the videos of a camera are.
    """
    reader.require([], reader.info.video_keys)
    lost, cameras = dict(reader.lost), Cameras()
    for episode in range(len(reader.lengths)):
        if episode in lost:
            continue
        reason = _rows(reader, episode) or _images(reader, episode, cameras)
        if reason is not None:
            lost[episode] = reason
    return lost


def _rows(reader: DatasetReader, episode: int) -> Reason | None:
    try:
        for _ in reader.read([episode], reader.info.column_keys):
            pass
    except LostEpisodesError as error:
        return error.lost[episode]
    except DatasetError as error:
        return reason_of(error, reader.root)
    return None


def _images(reader: DatasetReader, episode: int, cameras: Cameras) -> Reason | None:
    for video_key in reader.info.video_keys:
        span = reader.video_span(episode, video_key)
        stop = round(span.from_timestamp * reader.info.fps) + int(reader.lengths[episode])
        if reason := cameras.check(span.path, video_key, stop):
            return reason
    return None


def rescued_warnings(
    rows: int, lost: Mapping[int, Reason], kept: int, root: Path, source: str
) -> list[Problem]:
    """The warnings of a rescue: the saved and the lost episodes.

    Args:
        rows: Rows of the intact episodes.
        lost: The other episodes, with reasons.
        kept: Number of intact episodes.
        root: The dataset.
        source: What defines the episodes.
    """
    message = f"rescued: {count(kept, 'episode')} with {count(rows, 'row')}; {source}"
    return [
        Problem("rescued", message, root),
        *(
            replace(problem, text=f"lost: {problem.text}", hint="", severity="warning")
            for problem in loss_problems(lost)
        ),
    ]
