"""Columns of numbers of an edited dataset, episode by episode."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset.arrow import is_numeric, to_numpy
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem


def numeric_columns(reader: DatasetReader, names: Sequence[str]) -> list[str]:
    """Those of some features that a dataset has and that hold numbers."""
    features = reader.info.features
    return [
        name
        for name in names
        if name in features and is_numeric(features[name].dtype) and 0 not in features[name].shape
    ]


def read_columns(
    reader: DatasetReader, episodes: Sequence[int], names: Sequence[str]
) -> Iterator[tuple[int, list[NDArray[Any]]]]:
    """The values of some columns.

    Args:
        reader: The dataset.
        episodes: By ``episode_index``.
        names: Columns of numbers.

    Yields:
        An episode, and of each column the values, shape (frames, dimensions).

    Raises:
        DatasetError: A column is missing or holds something else.
    """
    for batch in reader.read(episodes, names):
        columns = []
        for name in names:
            if name not in batch.table.column_names:
                message = f"column {name!r} is missing, though info.json declares it"
                raise DatasetError(Problem("missing-column", message, batch.path))
            try:
                width = math.prod(reader.info.features[name].shape)
                columns.append(to_numpy(batch.table[name]).reshape(batch.table.num_rows, width))
            except ValueError as error:
                message = f"column {name!r} has values that are not numbers of one shape: {error}"
                raise DatasetError(Problem("bad-column", message, batch.path)) from None
        ends = np.cumsum(batch.lengths)[:-1]
        parts = [np.split(values, ends) for values in columns]
        for place, episode in enumerate(batch.episodes):
            yield episode, [part[place] for part in parts]
