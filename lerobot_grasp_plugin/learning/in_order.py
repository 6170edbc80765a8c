"""Items read in order: each picture is decoded once, with its neighbours, ahead of being asked for.

LeRobot reads every item by itself: a query of the table, a video file opened, sought and decoded. Its
``ReplayBuffer.from_lerobot_dataset`` asks for item t, then t + 1, then t + 1 again, and so reads
everything about twice. Reading in order is noticed here; no option asks for it.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from lerobot.datasets.io_utils import hf_transform_to_torch
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.errors import VideoError
from lerobot_grasp_plugin.learning.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.video.frames import decode_segment

_BLOCK_BYTES = 128 * 2**20
"""Pictures of a block, as floats; an episode of small pictures is one block."""
_AHEAD = max(1, min(4, os.cpu_count() or 1))
"""Blocks that are read ahead, each by a thread of its own."""

type _Pictures = dict[str, torch.Tensor]


@dataclass(frozen=True)
class _Block:
    """Neighbouring items of one episode, in the dataset from ``first`` to ``stop - 1``."""

    first: int
    stop: int
    items: list[dict[str, Any]]


@dataclass(frozen=True)
class _Reading:
    """A block whose pictures are still being decoded: its columns, and what will be its pictures."""

    first: int
    stop: int
    rows: dict[str, list[Any]]
    pictures: Future[_Pictures]

    def block(self) -> _Block:
        """Waits for the pictures.

        Raises:
            VideoError: They cannot be decoded.
        """
        pictures = {key: frames.unbind(0) for key, frames in self.pictures.result().items()}
        columns = {**pictures, **self.rows}  # in LeRobot's order
        items = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return _Block(self.first, self.stop, items)


class InOrderItems:
    """The last two blocks of items that were read in order, and those that are read ahead.

    What comes out equals LeRobot's items with its ``pyav`` backend. The tensors of an item are views of
    a block's: they are not to be changed in place.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._given_up = False
        self._process = os.getpid()
        self._pool: ThreadPoolExecutor | None = None
        self._blocks: deque[_Block] = deque(maxlen=2)
        self._ahead: deque[_Reading] = deque()

    def __reduce__(self) -> tuple[type[InOrderItems], tuple[()]]:
        return InOrderItems, ()  # a DataLoader's worker begins with nothing

    def item(self, reader: Any, preprocessing: ImagePreprocessing | None, idx: int) -> dict[str, Any] | None:
        """An item, when it is asked for in order or was read already; else None.

        Args:
            reader: LeRobot's ``DatasetReader``.
            preprocessing: What is done to pictures; None for LeRobot's own conversion.
            idx: Index of the item in the loaded rows, 0-based.
        """
        follows = self._last is not None and idx in (self._last, self._last + 1)
        self._last = idx
        if self._given_up or reader.hf_dataset is None or reader._image_transforms is not None:
            return None
        if self._process != os.getpid():  # forked: the threads stayed behind
            self._process, self._pool = os.getpid(), None
            self._ahead.clear()
        for block in self._blocks:
            if block.first <= idx < block.stop:
                return dict(block.items[idx - block.first])
        if not follows or not 0 <= idx < len(reader.hf_dataset):
            return None
        read = self._read(reader, preprocessing, idx)
        if read is None:  # LeRobot reads it all the same, or has its own words for what is wrong
            self._given_up = True
            self._blocks.clear()
            self._ahead.clear()
            return None
        self._blocks.append(read)
        return dict(read.items[idx - read.first])

    def _read(self, reader: Any, preprocessing: ImagePreprocessing | None, idx: int) -> _Block | None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="grasp-frames")
        if not self._ahead or self._ahead[0].first != idx:
            self._ahead.clear()
        while len(self._ahead) <= _AHEAD:
            first = self._ahead[-1].stop if self._ahead else idx
            if first >= len(reader.hf_dataset):
                break
            reading = _begin(reader, preprocessing, first, self._pool)
            if reading is None:
                break
            self._ahead.append(reading)
        if not self._ahead:
            return None
        try:
            return self._ahead.popleft().block()
        except VideoError:
            return None


def _begin(
    reader: Any, preprocessing: ImagePreprocessing | None, first: int, pool: ThreadPoolExecutor
) -> _Reading | None:
    """Reads the columns of a block and lets a thread decode its pictures.

    Returns:
        None when an item is more than one row and its pictures, or a picture is not where it should be.
    """
    meta = reader._meta
    if reader.delta_indices is not None or meta.depth_keys or getattr(reader, "cache", None) is not None:
        return None
    rows = _rows(reader.hf_dataset, slice(first, first + _block_frames(meta, preprocessing)))
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
    }
    fps = int(meta.fps)
    whole = preprocessing or (None if reader._return_uint8 else ImagePreprocessing())

    def decode() -> _Pictures:
        return {key: _decoded(path, start, size, fps, key, whole) for key, (path, start) in spans.items()}

    return _Reading(first, first + size, columns, pool.submit(decode))


def _rows(table: Any, which: slice) -> dict[str, list[Any]]:
    """Rows as Python values; only pictures in the table have to go through ``datasets``' decoding."""
    if any(isinstance(feature, datasets.Image) for feature in table.features.values()):
        return dict(table.with_format(None)[which])
    return dict(table.with_format("arrow")[which].to_pydict())


def _frames(stamps: NDArray[Any], fps: int, tolerance_s: float) -> NDArray[np.int64] | None:
    """``frame_index`` of neighbouring rows by their timestamps (s); None when they do not follow."""
    frames = np.rint(stamps * fps).astype(np.int64)
    on_grid = bool((np.abs(frames / fps - stamps) <= tolerance_s).all())
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
        is_picture = isinstance(columns[name][0], torch.Tensor) and columns[name][0].ndim == 3
        if is_picture and preprocessing is not None:
            columns[name] = [preprocessing(name, picture) for picture in columns[name]]
    return columns


def _decoded(
    path: Path, start: int, length: int, fps: int, camera_key: str, preprocessing: ImagePreprocessing | None
) -> torch.Tensor:
    """A stretch of a video, each picture prepared while the processor still has it at hand.

    Args:
        path: The video file.
        start: First frame, on the file's grid.
        length: Frames.
        fps: Frames per second.
        camera_key: Which camera it is.
        preprocessing: What is done to pictures; None to leave them as bytes.

    Returns:
        Shape ``(length, 3, height, width)``: float32, or uint8 without a preprocessing.

    Raises:
        VideoError: It cannot be decoded.
    """
    whole = torch.empty(0)
    for frame, pixels in decode_segment(path, start, length, fps):
        picture = torch.from_numpy(pixels).permute(2, 0, 1)
        if not frame:
            shape = (
                picture.shape
                if preprocessing is None
                else preprocessing.output_shape(camera_key, picture.shape)
            )
            kind = np.uint8 if preprocessing is None else np.float32
            whole = torch.from_numpy(np.empty((length, *shape), kind))  # numpy asks for large pages of memory
        if preprocessing is None:
            whole[frame] = picture
        else:
            preprocessing.write(camera_key, picture, whole[frame])
    return whole


def _block_frames(meta: Any, preprocessing: ImagePreprocessing | None) -> int:
    """How many items are read at once."""
    values = 0
    for camera_key in meta.camera_keys:
        shape = meta.features[camera_key]["shape"]
        size = None if preprocessing is None else preprocessing.resize
        values += int(np.prod(shape)) if size is None else 3 * size[0] * size[1]
    return max(2, _BLOCK_BYTES // max(1, 4 * values))
