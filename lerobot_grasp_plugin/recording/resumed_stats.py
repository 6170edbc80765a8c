"""Global statistics of a dataset to which LeRobot adds episodes."""

from __future__ import annotations

from typing import Any

from lerobot_grasp_plugin.dataset.reader import DatasetReader


def aggregate_episodes(reader: DatasetReader, stats: dict[str, dict[str, Any]]) -> None:
    """Replaces global statistics by what LeRobot aggregates from those of the episodes.

    LeRobot adds an episode to the global statistics that it finds. Quantiles of all rows, as a merge writes
    them, would become a mixture that neither rule explains.

    Args:
        reader: The dataset.
        stats: Its global statistics as LeRobot loaded them; a feature without statistics of every episode
            keeps its own.
    """
    import numpy as np
    from lerobot.datasets.compute_stats import aggregate_stats

    episodes = range(len(reader.lengths))
    by_feature = reader.stats(episodes, list(stats))
    for feature, own in stats.items():
        known = by_feature.get(feature, {})
        if own.keys() != known.keys():
            continue
        parts = [
            {feature: {name: known[name][episode].reshape(np.shape(own[name])) for name in own}}
            for episode in episodes
        ]
        stats[feature] = aggregate_stats(parts)[feature]
