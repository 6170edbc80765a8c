"""Statistics of table columns, per episode and over a dataset.

The names and shapes are LeRobot's (``lerobot/datasets/compute_stats.py``). Values per episode are
exact: float64 sums, and quantiles by linear interpolation between the sorted values (LeRobot
estimates them from a histogram). Statistics over a dataset combine those of the episodes the way
LeRobot's ``aggregate_stats`` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

QUANTILES: Final = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
STATISTICS: Final = ("min", "max", "mean", "std", "count", *QUANTILES)


def episode_stats(values: NDArray[Any], lengths: Sequence[int]) -> dict[str, NDArray[Any]]:
    """Statistics of one column for each of several episodes.

    Args:
        values: Shape ``(rows, dims)``, numbers or booleans, the episodes one after the other.
        lengths: Rows of each episode, all at least 1; they add up to ``rows``.

    Returns:
        ``STATISTICS`` by name: float64 of shape ``(episodes, dims)``; ``count`` int64 of shape
        ``(episodes, 1)``.
    """
    counts = np.asarray(lengths, dtype=np.int64)
    stats = {name: np.empty((len(counts), values.shape[1])) for name in STATISTICS if name != "count"}
    offsets = np.concatenate(([0], np.cumsum(counts)))
    start = 0
    while start < len(counts):
        stop = start + 1
        while stop < len(counts) and counts[stop] == counts[start]:
            stop += 1
        block = values[offsets[start] : offsets[stop]].reshape(stop - start, int(counts[start]), -1)
        _equal_lengths(block, {name: array[start:stop] for name, array in stats.items()})
        start = stop
    return {**stats, "count": counts[:, None]}


def _equal_lengths(block: NDArray[Any], into: Mapping[str, NDArray[Any]]) -> None:
    """Statistics of episodes of one length; ``block`` has shape ``(episodes, rows, dims)``."""
    ordered = np.sort(np.ascontiguousarray(np.swapaxes(block, 1, 2)), axis=2)
    length = ordered.shape[2]
    if np.isnan(ordered[..., -1]).any() if ordered.dtype.kind == "f" else False:
        ordered = np.where(np.isnan(ordered).any(axis=2, keepdims=True), np.nan, ordered)
    into["min"][:] = ordered[..., 0]
    into["max"][:] = ordered[..., -1]
    wide = ordered.astype(np.float64)
    mean = wide.mean(axis=2)
    into["mean"][:] = mean
    wide -= mean[..., None]
    np.square(wide, out=wide)
    into["std"][:] = np.sqrt(wide.mean(axis=2))
    for name, quantile in QUANTILES.items():
        position = (length - 1) * quantile
        below = int(position)
        lower = ordered[..., below].astype(np.float64)
        upper = ordered[..., min(below + 1, length - 1)].astype(np.float64)
        into[name][:] = lower + (upper - lower) * (position - below)


def combine(stats: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Statistics over all episodes from those of each, weighted by ``count``.

    Args:
        stats: Arrays of shape ``(episodes, dims)``; ``count`` of shape ``(episodes, 1)``.

    Returns:
        Arrays of shape ``(dims,)``; ``count`` int64 of shape ``(1,)``. Quantiles are the weighted
        mean of the episodes' quantiles, which is how LeRobot aggregates them.
    """
    counts = stats["count"]
    total = counts.sum(axis=0)
    mean = (stats["mean"] * counts).sum(axis=0) / total
    variance = ((stats["std"] ** 2 + (stats["mean"] - mean) ** 2) * counts).sum(axis=0) / total
    combined = {
        "min": stats["min"].min(axis=0),
        "max": stats["max"].max(axis=0),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": total.astype(np.int64),
    }
    for name in stats:
        if name in QUANTILES:
            combined[name] = (stats[name] * counts).sum(axis=0) / total
    return combined
