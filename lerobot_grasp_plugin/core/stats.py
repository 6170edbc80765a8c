"""Statistics of table columns, per episode and over a dataset.

The names and shapes are LeRobot's (``lerobot/datasets/compute_stats.py``). Values per episode are
exact: float64 sums, and quantiles by linear interpolation between the sorted values (LeRobot
estimates them from a histogram). Over a dataset, ``combine`` gives the exact min, max, mean, std and
count from those of the episodes; exact quantiles need the rows (``quantiles_of``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

QUANTILES: Final = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
MOMENTS: Final = ("min", "max", "mean", "std")
STATISTICS: Final = (*MOMENTS, "count", *QUANTILES)
_BLOCK_VALUES: Final = 2**17
"""Values that are sorted at once: few enough to stay in the processor's cache."""
_SLACK: Final = {"min": 1e-5, "max": 1e-5, "mean": 1e-4, "std": 2e-3}
"""Tolerance of a statistic, as a share of the largest magnitude in the column."""


def unknown_statistics(stats: Mapping[str, Any], features: Collection[str]) -> list[str]:
    """Unknown statistics in a file: of no feature, or not defined by LeRobot."""
    unknown = [
        name if name not in features else f"{statistic} of {name}"
        for name, own in stats.items()
        for statistic in (own if isinstance(own, Mapping) else {"": None})
        if name not in features or (statistic and statistic not in STATISTICS)
    ]
    return list(dict.fromkeys(unknown))


def episode_stats(values: NDArray[Any], lengths: Sequence[int]) -> dict[str, NDArray[Any]]:
    """Statistics of one column for each of several episodes.

    Args:
        values: Shape ``(n, dims)``, numbers or booleans, the episodes one after the other; n is the number of
            rows, or a multiple of it (see ``by_last_axis``).
        lengths: Rows of each episode, all at least 1.

    Returns:
        ``STATISTICS`` by name: float64 of shape ``(episodes, dims)``; ``count`` int64 of shape
        ``(episodes, 1)``, the rows.
    """
    counts = np.asarray(lengths, dtype=np.int64)
    sizes = counts * (len(values) // max(1, int(counts.sum())))
    stats = {name: np.empty((len(counts), values.shape[1])) for name in STATISTICS if name != "count"}
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    start = 0
    while start < len(sizes):
        most = max(1, _BLOCK_VALUES // max(1, int(sizes[start]) * values.shape[1]))
        stop = start + 1
        while stop < min(len(sizes), start + most) and sizes[stop] == sizes[start]:
            stop += 1
        shape = (stop - start, int(sizes[start]), values.shape[1])
        block = values[offsets[start] : offsets[stop]].reshape(shape)
        _equal_lengths(block, {name: array[start:stop] for name, array in stats.items()})
        start = stop
    return {**stats, "count": counts[:, None]}


def by_last_axis(values: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """The numbers of a column as LeRobot's statistics take them: one for each place of the last axis.

    A column of shape (2, 3) has statistics of shape (3,), over the rows and the first axis, which
    broadcast with its values and go together with those that LeRobot computes.

    Args:
        values: Shape ``(rows, dims)``.
        shape: Of a row, as ``info.json`` declares it.

    Returns:
        Shape ``(rows * dims / shape[-1], shape[-1])``; ``values`` itself where a row has one axis.
    """
    return values if len(shape) == 1 else values.reshape(-1, shape[-1])


def _equal_lengths(block: NDArray[Any], into: Mapping[str, NDArray[Any]]) -> None:
    """Statistics of episodes of one length; ``block`` has shape ``(episodes, rows, dims)``."""
    ordered = np.array(np.swapaxes(block, 1, 2), order="C")
    ordered.sort(axis=2)
    if np.isnan(ordered[..., -1]).any() if ordered.dtype.kind == "f" else False:
        ordered = np.where(np.isnan(ordered).any(axis=2, keepdims=True), np.nan, ordered)
    into["min"][:] = ordered[..., 0]
    into["max"][:] = ordered[..., -1]
    wide = ordered.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):  # infinities and NaN give NaN
        mean = wide.mean(axis=2)
        into["mean"][:] = mean
        wide -= mean[..., None]
        np.square(wide, out=wide)
        into["std"][:] = np.sqrt(wide.mean(axis=2))
    for name, values in _quantiles_of_sorted(ordered).items():
        into[name][:] = values


def quantiles_of(values: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """The exact quantiles of a column, as ``np.quantile`` of its values in float64.

    Args:
        values: Shape ``(..., rows)``, numbers or booleans, at least one row; sorted in place along the
            last axis.

    Returns:
        ``QUANTILES`` by name, float64 of shape ``(...)``; NaN where a value is NaN.
    """
    values.sort(axis=-1)
    quantiles = _quantiles_of_sorted(values)
    if values.dtype.kind == "f":  # NaN is sorted to the end
        unknown = np.isnan(values[..., -1])
        return {name: np.where(unknown, np.nan, value) for name, value in quantiles.items()}
    return quantiles


def _quantiles_of_sorted(ordered: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Quantiles along the last axis by linear interpolation, rounded as ``np.quantile`` rounds."""
    last = ordered.shape[-1] - 1
    quantiles: dict[str, NDArray[np.float64]] = {}
    for name, quantile in QUANTILES.items():
        position = last * quantile
        below = int(position)
        share = position - below
        lower = ordered[..., below].astype(np.float64)
        upper = ordered[..., min(below + 1, last)].astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            step = upper - lower
            between = lower + step * share if share < 0.5 else upper - step * (1 - share)
        equal = (lower == upper) | (share == 0)  # infinities have no difference
        quantiles[name] = np.where(equal, lower, between)
    return quantiles


def median(values: NDArray[Any]) -> float:
    """The median of values, shape (n,), n at least 1; ``numpy.median`` loads ``numpy.ma`` for it, 14 ms."""
    ordered, last = np.sort(values), len(values) - 1
    return (float(ordered[last // 2]) + float(ordered[(last + 1) // 2])) / 2


def combine(stats: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Statistics over all episodes from those of each, weighted by ``count``.

    Args:
        stats: Arrays of shape ``(episodes, dims)``; ``count`` of shape ``(episodes, 1)``.

    Returns:
        Arrays of shape ``(dims,)``; ``count`` int64 of shape ``(1,)``. All are exact but the quantiles,
        which cannot be known without the rows: these are bounds (see ``bounds_of_quantiles``), and the
        median is the mean of the episodes' medians, which lies between its bounds.
    """
    counts = stats["count"]
    total = counts.sum(axis=0)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = (stats["mean"] * counts).sum(axis=0) / total
        variance = ((stats["std"] ** 2 + (stats["mean"] - mean) ** 2) * counts).sum(axis=0) / total
    combined = {
        "min": stats["min"].min(axis=0),
        "max": stats["max"].max(axis=0),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": total.astype(np.int64),
    }
    median = {"q50": mean_of_quantiles(stats, "q50")} if "q50" in stats else {}
    return combined | bounds_of_quantiles(stats) | median


def bounds_of_quantiles(stats: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Quantiles over all episodes as LeRobot from 0.6.2 on aggregates them.

    The quantile of all rows is not outside the range of the episodes' quantiles (but for what
    interpolation between two rows makes). So the least is taken up to the median, and the greatest above.

    Args:
        stats: Arrays of shape ``(episodes, dims)``; ``count`` of shape ``(episodes, 1)``.

    Returns:
        Those of ``QUANTILES`` that ``stats`` has, shape ``(dims,)``.
    """
    bounds: dict[str, NDArray[Any]] = {}
    for name, quantile in QUANTILES.items():
        if name in stats:
            bounds[name] = stats[name].min(axis=0) if quantile <= 0.5 else stats[name].max(axis=0)
    return bounds


def mean_of_quantiles(stats: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    """A quantile as LeRobot before 0.6.2 aggregates it: the episodes' mean, weighted by ``count``.

    Args:
        stats: Arrays of shape ``(episodes, dims)``; ``count`` of shape ``(episodes, 1)``.
        name: Of the quantile.

    Returns:
        Shape ``(dims,)``.
    """
    counts = stats["count"]
    with np.errstate(invalid="ignore", over="ignore"):
        mean: NDArray[Any] = (stats[name] * counts).sum(axis=0) / counts.sum(axis=0)
    return mean


type Differing = dict[str, list[tuple[int, float, float]]]
"""statistic -> row, stored value, true value."""


def differing(
    stored: Mapping[str, NDArray[np.float64]],
    true: Mapping[str, NDArray[np.float64]],
    lengths: NDArray[np.int64],
) -> Differing:
    """Stored statistics that differ from the true ones by more than float32 sums can explain.

    Args:
        stored: Arrays of shape ``(n, dims)``, ``count`` of ``(n, 1)``; of the quantiles, only those that
            lie outside the true min and max are found.
        true: ``MOMENTS`` of the same shape, and the quantiles that are to be compared.
        lengths: True counts, shape ``(n,)``.
    """
    scale = np.maximum(np.abs(true["min"]), np.abs(true["max"]))
    found: Differing = {}
    for name in (*MOMENTS, *QUANTILES):
        if name not in stored or name not in true:
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            wrong = _off(name, stored[name], true, scale, lengths) > 0
        wrong = (wrong | ~np.isfinite(stored[name])) & np.isfinite(true[name])
        for row in np.flatnonzero(wrong.any(axis=1)).tolist():
            value = int(np.argmax(wrong[row]))
            entry = (row, float(stored[name][row, value]), float(true[name][row, value]))
            found.setdefault(name, []).append(entry)
    if "count" in stored and stored["count"].shape[1] == 1:
        for row in np.flatnonzero(stored["count"][:, 0] != lengths).tolist():
            if np.isfinite(stored["count"][row, 0]):
                entry = (row, float(stored["count"][row, 0]), float(lengths[row]))
                found.setdefault("count", []).append(entry)
    return found


def _off(
    name: str,
    stored: NDArray[np.float64],
    true: Mapping[str, NDArray[np.float64]],
    scale: NDArray[np.float64],
    lengths: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Distance of a stored statistic from the allowed range; negative or 0 inside."""
    slack = _SLACK.get(name, 1e-4) * scale + 1e-6
    if name in QUANTILES:
        return np.maximum(true["min"] - stored, stored - true["max"]) - slack
    off: NDArray[np.float64] = np.abs(stored - true[name]) - slack
    if name == "std":  # some divide by n - 1
        counts = lengths[:, None]
        unbiased = true[name] * np.sqrt(counts / np.maximum(counts - 1, 1))
        off = np.minimum(off, np.abs(stored - unbiased) - slack)
    return off


def describe(wrong: Differing) -> str:
    """The first difference of each statistic as text."""
    return "; ".join(
        f"{statistic} is {rows[0][1]:.6g}, but {rows[0][2]:.6g} by the rows"
        for statistic, rows in wrong.items()
    )
