"""What is odd about rewards that the output takes over from its sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lerobot_grasp_plugin.dataset.hub import locate
from lerobot_grasp_plugin.dataset.opening import open_located
from lerobot_grasp_plugin.dataset.recorded_success import success_by_episode
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.merging.report import EpisodeReport
from lerobot_grasp_plugin.merging.row_labels import RowLabels
from lerobot_grasp_plugin.merging.sources import Source


def kept_reward_warnings(labels: Sequence[RowLabels]) -> Iterator[Problem]:
    """Warnings of rewards that are neither success nor failure, and of those that nothing explains."""
    for own in labels:
        if own.other_rewards:
            yield _other_rewards(own)
    for own in labels:
        if own.is_uncounted:
            message = (
                f"{own.source.title}: next.reward has three values or more, and nothing says which one is "
            )
            message += "success"
            hint = "no frame is counted as success; label it with --annotations, or --labels_from and "
            hint += "--labels_threshold"
            yield Problem("dense-rewards", message, hint=hint, severity="warning")


def _other_rewards(labels: RowLabels) -> Problem:
    values = ", ".join(f"{value:g}" for value in sorted(labels.other_values))
    rule = labels.rule
    assert rule is not None
    assert rule.success_value is not None
    assert rule.failure_value is not None
    message = (
        f"{labels.source.title}: {labels.other_rewards} rewards that are kept are neither success "
        f"({rule.success_value:g}) nor failure ({rule.failure_value:g}), such as {values}; "
        "they count as failure"
    )
    hint = "if these are labels, give them as --success_value and --failure_value"
    return Problem("other-reward-values", message, hint=hint)


def changed_success(
    sources: Sequence[Source], episodes: Sequence[EpisodeReport], root: Path
) -> Iterator[Problem]:
    """A warning where other frames are success by the rewards of the output than by those of each source.

    A reward of 0 is failure where it is the only one, and success where others are -1.

    Args:
        sources: The sources.
        episodes: Success frames of each episode, by the rewards of its source.
        root: The output; its sidecar does not state its rewards.
    """
    reader = open_located(locate(None, root))
    by_output = {
        episode: int(success.sum()) for episode, success in success_by_episode(reader, range(len(episodes)))
    }
    changes = []
    for source in sources:
        mine = [episode for episode in episodes if episode.source == source.number]
        own = [episode.success_frames or 0 for episode in mine]
        new = [by_output.get(episode.episode_index, 0) for episode in mine]
        if own != new:
            changes.append(
                f"{source.title}: {count(sum(new), 'success frame')}, {sum(own)} by its own rewards"
            )
    if changes:
        message = f"rewards of different meanings are in one dataset, where they say: {'; '.join(changes)}"
        hint = "label all sources with --annotations, or with --labels_from next.reward, for one meaning"
        yield Problem("success-value-differs", message, hint=hint)
