"""Leaves out the episodes that an annotation file flags."""

from __future__ import annotations

from lerobot_grasp_plugin.core.selection import without_episodes
from lerobot_grasp_plugin.findings.words import episodes_text
from lerobot_grasp_plugin.merging.sources import Source


def leave_out_flagged(source: Source) -> None:
    """Leaves out the flagged episodes of a source; notes their reasons and the selection for a recipe.

    Args:
        source: Changed in place.
    """
    chosen = [episode for episode in source.episodes if episode in source.flagged]
    if not chosen:
        source.notes.append("no chosen episode is flagged")
        return
    reasons = {
        reason: [one for one in chosen if source.flagged[one] == reason] for reason in source.flagged.values()
    }
    why = "; ".join(
        f"{episodes_text(found)} ({reason or 'no reason'})" for reason, found in reasons.items() if found
    )
    source.episodes = [episode for episode in source.episodes if episode not in source.flagged]
    left = without_episodes(source.config.episodes, chosen)
    source.notes.append(f'flagged, left out: {why}; in a recipe: episodes: "{left}"')
