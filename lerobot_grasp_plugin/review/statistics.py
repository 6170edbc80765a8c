"""Figures of the whole dataset: balance, success starts, outlier episodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.dataset.provenance import read_provenance
from lerobot_grasp_plugin.review.session import Session

_BINS = 10
_FAR = 4.0
"""Robust standard deviations from the median from which on an episode is an outlier."""


def statistics(session: Session) -> dict[str, Any]:
    """Class balance per source and episode, histogram of success starts, odd episodes.

    Returns:
        ``sources``: name, episodes, frames, success_frames of what is labelled; ``episodes``: the same
        per episode; ``starts``: counts of first success frames by tenth of the episode; ``odd``:
        episode and why. Frames are 0-based.
    """
    sources = _sources(session)
    balance: dict[str, dict[str, Any]] = {}
    episodes, starts = [], {}
    for episode, length in enumerate(session.lengths):
        ranges = session.labels.get(episode)
        name = sources.get(episode, session.source.title)
        row = balance.setdefault(name, {"name": name, "episodes": 0, "frames": 0, "success_frames": 0})
        if ranges is None:
            continue
        count = IntervalSet(ranges).count(length)
        row["episodes"] += 1
        row["frames"] += length
        row["success_frames"] += count
        episodes.append({"episode": episode, "frames": length, "success_frames": count})
        if ranges:
            starts[episode] = ranges[0].start
    shares = [start / session.lengths[episode] for episode, start in starts.items()]
    histogram = np.histogram(shares, bins=_BINS, range=(0, 1))[0].tolist()
    return {
        "sources": list(balance.values()),
        "episodes": episodes,
        "starts": histogram,
        "odd": _odd(dict(enumerate(session.lengths)), "its length is {} frames; the median is {}", 0)
        + _odd(starts, "success starts at frame {}; the median is {}", session.index_base)
        + [
            {"episode": row["episode"], "why": "every frame is success"}
            for row in episodes
            if row["frames"] == row["success_frames"]
        ],
    }


def _odd(values: dict[int, int], why: str, base: int) -> list[dict[str, Any]]:
    if len(values) < 5:
        return []
    numbers = np.array(list(values.values()), dtype=float)
    median = float(np.median(numbers))
    spread = max(1.0, 1.4826 * float(np.median(np.abs(numbers - median))))
    return [
        {"episode": episode, "why": why.format(value + base, round(median) + base)}
        for episode, value in values.items()
        if abs(value - median) > _FAR * spread
    ]


def _sources(session: Session) -> dict[int, str]:
    """The source of each episode, if the dataset was merged by this package."""
    return read_provenance(session.source.reader.root).sources_of_episodes()
