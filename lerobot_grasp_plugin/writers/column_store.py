"""Stores the rows of table columns, for statistics that need every row."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from io import BufferedRandom
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import QUANTILES, quantiles_of
from lerobot_grasp_plugin.writers.closing import Closing

_BUFFER_BYTES = 8 * 2**20


class ColumnStore(Closing):
    """Rows of many columns, and the exact quantiles of each.

    Memory holds the last 8 MB; the rows before are in a nameless file in ``folder``, each value of a
    row by itself, and come back one value of a row at a time. So 10 million rows of 100 float32 values
    need 4 GB on disk and 40 MB of memory.

    Args:
        folder: Folder of the file, which disappears when the store is closed or the process ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: BufferedRandom | None = None
        self._end = 0
        self._held: dict[str, list[NDArray[Any]]] = {}
        self._held_bytes = 0
        self._written: dict[str, list[tuple[int, int]]] = {}

    def add(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Appends rows to all columns.

        Args:
            columns: Column name -> shape ``(rows, dims)``; a column always has the same dtype and dims.
                The arrays must not be changed afterwards.
        """
        for name, values in columns.items():
            self._held.setdefault(name, []).append(values)
            self._held_bytes += values.nbytes
        if self._held_bytes > _BUFFER_BYTES:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - lives until close
        for name, parts in self._held.items():
            rows, dims = sum(len(part) for part in parts), parts[0].shape[1]
            self._written.setdefault(name, []).append((self._end, rows))
            self._end += rows * dims * parts[0].itemsize
            for dim in range(dims):
                for part in parts:
                    self._file.write(np.ascontiguousarray(part[:, dim]).view(np.uint8))
            self._held[name] = [np.empty((0, dims), dtype=parts[0].dtype)]
        self._held_bytes = 0

    def quantiles(self, name: str) -> dict[str, NDArray[np.float64]]:
        """``QUANTILES`` of all rows of a column by name, shape ``(dims,)``."""
        dims = self._held[name][0].shape[1]
        columns = [quantiles_of(self._values(name, dim)) for dim in range(dims)]
        return {each: np.array([column[each] for column in columns], np.float64) for each in QUANTILES}

    def _values(self, name: str, dim: int) -> NDArray[Any]:
        """One value of every row, shape ``(rows,)``."""
        held, written = self._held[name], self._written.get(name, [])
        rows = sum(count for _, count in written) + sum(len(part) for part in held)
        values = np.empty(rows, dtype=held[0].dtype)
        start = 0
        for offset, count in written:
            assert self._file is not None
            self._file.seek(offset + dim * count * values.itemsize)
            self._file.readinto(values[start : start + count].view(np.uint8))
            start += count
        for part in held:
            values[start : start + len(part)] = part[:, dim]
            start += len(part)
        return values

    def close(self) -> None:
        """Discards the rows."""
        self._held = {}
        if self._file is not None:
            self._file.close()
            self._file = None
