"""Reads items in order: each image is decoded once, with its neighbours, ahead of its request.

LeRobot reads every item by itself: a query of the table, a video file opened, sought and decoded.
Reading in order is noticed here; no option asks for it.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from typing import Any

import torch

from lerobot_grasp_plugin.learning.data.blocks import Block, ReadAhead, readable
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing


@dataclass(frozen=True)
class _Items:
    """Neighbouring items, in the dataset from ``first`` on; None for one that was given out."""

    first: int
    items: list[dict[str, Any] | None]

    def take(self, idx: int) -> dict[str, Any] | None:
        """An item, which is the caller's from now on; None where it is not here."""
        place = idx - self.first
        if not 0 <= place < len(self.items):
            return None
        item, self.items[place] = self.items[place], None
        return None if item is None else {name: _own(value) for name, value in item.items()}


def _own(value: Any) -> Any:
    """A value without the block that it is a view of: an item is kept, copied and saved by itself."""
    return value.clone() if isinstance(value, torch.Tensor) else value


class InOrderItems:
    """The last two blocks of items that were read in order, and those that are read ahead.

    What comes out equals LeRobot's items with its ``pyav`` backend; with another one nothing does, and
    LeRobot reads. Each item is given out once, so that a caller may change it in place.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._given_up = False
        self._process = os.getpid()
        self._read: deque[_Items] = deque(maxlen=2)
        self._ahead: ReadAhead | None = None

    def __reduce__(self) -> tuple[type[InOrderItems], tuple[()]]:
        return InOrderItems, ()  # a DataLoader's worker begins with nothing

    def item(self, reader: Any, preprocessing: ImagePreprocessing | None, idx: int) -> dict[str, Any] | None:
        """An item, when it is asked for in order or was read already; else None.

        Args:
            reader: LeRobot's ``DatasetReader``.
            preprocessing: What is done to images; None for LeRobot's own conversion.
            idx: Index of the item in the loaded rows, 0-based.

        Returns:
            None also for an item that was given out before, and once items could not be read together.
        """
        follows = self._last is not None and idx in (self._last, self._last + 1)
        self._last = idx
        if self._given_up or not readable(reader) or not _is_decoded_with_pyav(reader):
            return None
        if self._process != os.getpid():  # forked: the threads stayed behind
            self._process, self._ahead = os.getpid(), None
        for known in tuple(self._read):  # another thread may add to it
            if known.first <= idx < known.first + len(known.items):
                return known.take(idx)
        if not follows or not 0 <= idx < len(reader.hf_dataset):
            return None
        try:
            if self._ahead is None or self._ahead.next_item != idx:
                self._ahead = ReadAhead(reader, preprocessing, idx)
            block = self._ahead.block()
            read = None if block is None else _items(block)
        except Exception:  # any error of another item that is read with this one
            read = None
        if read is None:  # LeRobot reads it anyway, or raises its own error
            self._given_up = True
            self._read.clear()
            self._ahead = None
            return None
        self._read.append(read)
        return read.take(idx)


def _is_decoded_with_pyav(reader: Any) -> bool:
    return reader._video_backend == "pyav" or not reader._meta.video_keys


def _items(block: Block) -> _Items:
    """Waits for the images.

    Raises:
        VideoError: They cannot be decoded.
    """
    images = {key: frames.unbind(0) for key, frames in block.images.result().items()}
    columns = {**images, **block.columns}  # in LeRobot's order
    items = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return _Items(block.first, list(items))
