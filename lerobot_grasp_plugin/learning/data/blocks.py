"""Reads neighbouring items of a dataset together: columns at once, images ahead by threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from lerobot.datasets.dataset_reader import DatasetReader
from lerobot.datasets.io_utils import hf_transform_to_torch
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.lerobot_seams.version import is_within_tolerance
from lerobot_grasp_plugin.video.frames import decode_segment

_BLOCK_BYTES = 128 * 2**20
"""Images of a block, as floats; an episode of small images is one block."""
_AHEAD = max(1, min(4, os.cpu_count() or 1))
"""Blocks that are read ahead, each by a thread of its own."""

type Images = dict[str, torch.Tensor]
"""camera_key -> shape ``(items, 3, height, width)``: float32 in [0, 1], or uint8 where that was asked for."""


@dataclass(frozen=True)
class Block:
    """Neighbouring items of one episode.

    Attributes:
        first: Index of the first in the loaded rows, 0-based.
        stop: Index after the last.
        columns: Values of each item, as LeRobot makes them; without the images of videos.
        images: Those, or a VideoError, as soon as they are decoded.
    """

    first: int
    stop: int
    columns: dict[str, list[Any]]
    images: Future[Images]


class ReadAhead:
    """Blocks one after another, the next ones being decoded meanwhile.

    Values equal those of LeRobot's items with its ``pyav`` backend.

    Args:
        reader: LeRobot's ``DatasetReader``.
        preprocessing: What is done to images; None for LeRobot's own conversion.
        first: Index of the first item.
        into: camera_key -> where images of videos are written, by the index of the item; None for new
            memory for each block.
    """

    def __init__(
        self,
        reader: Any,
        preprocessing: ImagePreprocessing | None,
        first: int = 0,
        into: Mapping[str, torch.Tensor] | None = None,
    ) -> None:
        self._reader = reader
        self._preprocessing = preprocessing
        self._into = into
        self._table = _as_stored(reader.hf_dataset)
        self._begun: deque[Block] = deque()
        self._begin_at = first
        self._pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="grasp-frames")
        self.next_item = first

    def block(self) -> Block | None:
        """The next block, its images perhaps not decoded yet.

        Returns:
            None at the end, and where an item is more than one row and its images, or an image is not
            where it should be.
        """
        while len(self._begun) <= _AHEAD and self._begin_at < len(self._reader.hf_dataset):
            begun = self._begin(self._begin_at)
            if begun is None:
                break
            self._begun.append(begun)
            self._begin_at = begun.stop
        if not self._begun:
            return None
        block = self._begun.popleft()
        self.next_item = block.stop
        return block

    def close(self) -> None:
        """Gives up what is not being decoded yet, and waits for what is."""
        self._pool.shutdown(cancel_futures=True)

    def _begin(self, first: int) -> Block | None:
        """Reads the columns of a block and lets a thread decode its images."""
        reader, meta, preprocessing = self._reader, self._reader._meta, self._preprocessing
        rows = _values(self._table[first : first + _block_frames(meta, preprocessing)])
        episodes = np.asarray(rows[layout.EPISODE_INDEX])
        size = int(np.argmax(episodes != episodes[0])) or len(episodes)
        frames = _frames(np.asarray(rows[layout.TIMESTAMP][:size]), meta.fps, reader._tolerance_s)
        if frames is None:
            return None
        columns = _columns({name: values[:size] for name, values in rows.items()}, preprocessing)
        sentences = list(meta.tasks.index)
        columns["task"] = [sentences[task] for task in rows[layout.TASK_INDEX][:size]]
        row = meta.episodes[int(episodes[0])]
        spans = {
            key: (
                Path(reader.root / meta.get_video_file_path(int(episodes[0]), key)),
                round(float(row[f"videos/{key}/from_timestamp"]) * meta.fps) + int(frames[0]),
            )
            for key in meta.video_keys
            if self._into is None or key in self._into
        }
        fps = int(meta.fps)
        whole = preprocessing or (None if reader._return_uint8 else ImagePreprocessing())
        into = (
            {} if self._into is None else {key: out[first : first + size] for key, out in self._into.items()}
        )

        def decode() -> Images:
            return {
                key: _decoded(path, start, size, fps, key, whole, into.get(key))
                for key, (path, start) in spans.items()
            }

        return Block(first, first + size, columns, self._pool.submit(decode))


def readable(reader: Any) -> bool:
    """Whether an item of LeRobot's ``DatasetReader`` is one row and its images, decoded when it is read."""
    return (
        isinstance(reader, DatasetReader)
        and reader.hf_dataset is not None
        and reader._image_transforms is None
        and reader.delta_indices is None
        and not reader._meta.depth_keys
        and getattr(reader, "cache", None) is None
    )


def _as_stored(table: Any) -> Any:
    """LeRobot's table without its conversion; only images in it have to go through their decoding."""
    has_images = any(isinstance(feature, datasets.Image) for feature in table.features.values())
    return table.with_format(None if has_images else "arrow")


def _values(rows: Any) -> dict[str, list[Any]]:
    """Rows of such a table as Python values."""
    return dict(rows if isinstance(rows, dict) else rows.to_pydict())


def _frames(stamps: NDArray[Any], fps: float, tolerance_s: float) -> NDArray[np.int64] | None:
    """``frame_index`` of neighbouring rows by their timestamps (s); None when they do not follow."""
    frames = np.rint(stamps * fps).astype(np.int64)
    on_grid = bool(np.all(is_within_tolerance(np.abs(frames / fps - stamps), tolerance_s)))
    return frames if on_grid and np.array_equal(frames, frames[0] + np.arange(len(frames))) else None


def _columns(rows: dict[str, list[Any]], preprocessing: ImagePreprocessing | None) -> dict[str, list[Any]]:
    """Values as LeRobot's ``hf_transform_to_torch`` makes them; numbers of a column all at once."""
    columns: dict[str, list[Any]] = {}
    for name, values in rows.items():
        if isinstance(values[0], (bool, int, float)) or (
            isinstance(values[0], list) and values[0] and not isinstance(values[0][0], (str, dict))
        ):
            columns[name] = list(torch.tensor(values).unbind(0))
            continue
        columns[name] = hf_transform_to_torch({name: values})[name]
        is_image = isinstance(columns[name][0], torch.Tensor) and columns[name][0].ndim == 3
        if is_image and preprocessing is not None:
            columns[name] = [preprocessing(name, image) for image in columns[name]]
    return columns


def _decoded(
    path: Path,
    start: int,
    length: int,
    fps: float,
    camera_key: str,
    preprocessing: ImagePreprocessing | None,
    out: torch.Tensor | None,
) -> torch.Tensor:
    """A stretch of a video, each image prepared while the processor still has it at hand.

    Args:
        path: The video file.
        start: First frame, on the file's grid.
        length: Frames.
        fps: Frames per second.
        camera_key: Which camera it is.
        preprocessing: What is done to images; None to leave them as bytes.
        out: Where they are written, shape ``(length, 3, height, width)``; None for new memory.

    Returns:
        Shape ``(length, 3, height, width)``: float32, or uint8 without a preprocessing.

    Raises:
        VideoError: It cannot be decoded.
    """
    for frame, pixels in decode_segment(path, start, length, fps):
        image = torch.from_numpy(pixels).permute(2, 0, 1)
        if out is None:
            shape = (
                image.shape if preprocessing is None else preprocessing.output_shape(camera_key, image.shape)
            )
            kind = np.uint8 if preprocessing is None else np.float32
            out = torch.from_numpy(np.empty((length, *shape), kind))  # numpy asks for large pages of memory
        if preprocessing is None:
            out[frame] = image
        else:
            preprocessing.write(camera_key, image, out[frame])
    assert out is not None
    return out


def _block_frames(meta: Any, preprocessing: ImagePreprocessing | None) -> int:
    """How many items are read at once."""
    values = 0
    for camera_key in meta.camera_keys:
        shape = meta.features[camera_key]["shape"]
        size = None if preprocessing is None else preprocessing.resize
        values += int(np.prod(shape)) if size is None else 3 * size[0] * size[1]
    return max(2, _BLOCK_BYTES // max(1, 4 * values))
