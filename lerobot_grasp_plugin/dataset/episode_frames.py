"""Decodes the images of one episode and camera once, in order, exactly as LeRobot does."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.timeline import frame_of
from lerobot_grasp_plugin.dataset.image_columns import embedded_images
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, UsageError, column_of

_KEPT_BYTES = 64 * 2**20


class EpisodeFrames:
    """Decodes episodes of a dataset, stored as video or as images in the table.

    Frame ``k`` is the image LeRobot's reader gives for ``from_timestamp + k / fps``. Where a
    recording's timestamps differ from that grid, LeRobot cannot read it; frame ``k`` is then the image of
    row ``k`` after ``lerobot-grasp-relabel`` or ``-merge`` has corrected the timestamps. Several threads
    may decode at once.

    Args:
        reader: The open dataset.
    """

    def __init__(self, reader: DatasetReader) -> None:
        self._reader = reader
        self._reading = threading.Lock()
        self._column: tuple[tuple[int, str], pa.StructArray, Path] | None = None

    def decode(
        self, episode: int, camera_key: str, only: Sequence[int] | None = None
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Decodes one episode of one camera.

        Args:
            episode: ``episode_index``.
            camera_key: A feature with dtype ``video`` or ``image``.
            only: Wanted frames, 0-based as ``frame_index``, in any order; None for all.

        Yields:
            ``frame_index``, ascending, and its image: height x width x 3, uint8, RGB.

        Raises:
            UsageError: The dataset has no such camera.
            ValueError: A wanted frame is not in the episode.
            DatasetError: An image is missing or damaged, or the episode begins off the grid of frames.
        """
        info = self._reader.info
        if camera_key not in info.camera_keys:
            message = f"dataset {self._reader.repo_id} has no camera {camera_key!r}"
            hint = f"it has: {', '.join(info.camera_keys) or 'none'}"
            raise UsageError(Problem("missing-camera", message, hint=hint))
        if info.features[camera_key].dtype == "video":
            return self._video(episode, camera_key, only)
        return self._images(episode, camera_key, only)

    def _video(
        self, episode: int, camera_key: str, only: Sequence[int] | None
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        from lerobot_grasp_plugin.video.frames import decode_segment

        fps = self._reader.info.fps
        span = self._reader.video_span(episode, camera_key)
        try:
            start = frame_of(span.from_timestamp, fps)
        except ValueError as error:
            message = f"episode {episode}, camera {camera_key!r}: from_timestamp: {error}"
            raise DatasetError(Problem("video-off-grid", message, span.path)) from None
        yield from decode_segment(span.path, start, int(self._reader.lengths[episode]), fps, only)

    def _images(
        self, episode: int, camera_key: str, only: Sequence[int] | None
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        from PIL import Image

        length = int(self._reader.lengths[episode])
        wanted = range(length) if only is None else sorted({int(frame) for frame in only})
        outside = [frame for frame in wanted if not 0 <= frame < length]
        if outside:
            raise ValueError(f"frame {outside[0]} is wanted of an episode with frames 0 to {length - 1}")
        column, path = self._images_of(episode, camera_key)
        for frame in wanted:
            try:
                row: Any = column[frame].as_py()  # a dict, not a list as the stubs say
                with Image.open(io.BytesIO(row["bytes"])) as image:
                    yield frame, np.asarray(image.convert("RGB"))
            except (OSError, TypeError) as error:
                message = f"episode {episode}, frame {frame}: not an image: {error}"
                raise DatasetError(Problem("bad-picture", message, path)) from None

    def _images_of(self, episode: int, camera_key: str) -> tuple[pa.StructArray, Path]:
        """The images of an episode in the table, and its file; those read last are kept if not many."""
        with self._reading:
            if self._column is not None and self._column[0] == (episode, camera_key):
                return self._column[1:]
            batch = next(iter(self._reader.read([episode], [camera_key])))
            where = column_of(batch.path, camera_key)
            if camera_key not in batch.table.column_names:
                raise DatasetError(Problem("missing-column", "the file does not have this column", where))
            column = embedded_images(batch.table[camera_key], self._reader.root, where)
            is_small = column.nbytes <= _KEPT_BYTES
            self._column = ((episode, camera_key), column, batch.path) if is_small else None
        return column, batch.path
