"""Renumbers the episodes in ``meta/grasp_learning.json`` for an output that has some of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.dataset.learning import FORMAT
from lerobot_grasp_plugin.findings.problem import DatasetError
from lerobot_grasp_plugin.merging.sources import Source


def renumbered_learning(source: Source, planned: Sequence[PlannedEpisode]) -> bytes | None:
    """The learning sidecar with the output's numbers; parts of an episode are in the split of the episode.

    Args:
        source: The only source.
        planned: The episodes of the output.

    Returns:
        The content of the file; None if its splits cannot be read or name other episodes.
    """
    path = source.reader.root / layout.LEARNING_PATH
    try:
        raw = read_json(path)
    except DatasetError:
        return None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        return None
    splits = raw.get("splits")
    if splits is None:
        return path.read_bytes()
    parts = splits.get("parts") if isinstance(splits, Mapping) else None
    if not isinstance(parts, Mapping) or not all(isinstance(own, list) for own in parts.values()):
        return None
    known = range(len(source.own_lengths))
    if any(isinstance(each, bool) or each not in known for own in parts.values() for each in own):
        return None
    numbers: dict[int, list[int]] = {}
    for episode in planned:
        numbers.setdefault(episode.source_episode, []).append(episode.episode_index)
    moved = {
        name: sorted(new for each in own for new in numbers.get(each, ())) for name, own in parts.items()
    }
    return (json.dumps({**raw, "splits": {**splits, "parts": moved}}, indent=2) + "\n").encode()
