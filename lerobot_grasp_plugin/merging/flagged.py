"""Leaves out the episodes that an annotation file flags."""

from __future__ import annotations

from dataclasses import replace

from lerobot_grasp_plugin.core.selection import without_episodes
from lerobot_grasp_plugin.findings.words import episodes_text
from lerobot_grasp_plugin.merging.sources import Source


def without_flagged(source: Source) -> Source:
    """A source without its flagged episodes; notes their reasons and the selection for a recipe."""
    chosen = [episode for episode in source.episodes if episode in source.flagged]
    if not chosen:
        return source.noted("no chosen episode is flagged")
    reasons = {
        reason: [one for one in chosen if source.flagged[one] == reason] for reason in source.flagged.values()
    }
    why = "; ".join(
        f"{episodes_text(found)} ({reason or 'no reason'})" for reason, found in reasons.items() if found
    )
    episodes = [episode for episode in source.episodes if episode not in source.flagged]
    left = without_episodes(source.config.episodes, chosen)
    note = f'flagged, left out: {why}; in a recipe: episodes: "{left}"'
    return replace(source, episodes=episodes).noted(note)
