"""Warnings about rewards that the output copies from its sources."""

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
    """Warnings about rewards that are neither success nor failure, and rewards of unknown meaning."""
    for own in labels:
        if own.other_rewards:
            yield _other_rewards(own)
    for own in labels:
        if own.is_uncounted:
            message = (
                f"{own.source.title}: next.reward has three values or more, and it is unknown which one is "
            )
            message += "success"
            hint = "no frame counts as success; label the dataset with --annotations, or --labels_from and "
            hint += "--labels_threshold"
            yield Problem("dense-rewards", message, hint=hint, severity="warning")


def _other_rewards(labels: RowLabels) -> Problem:
    values = ", ".join(f"{value:g}" for value in sorted(labels.other_values))
    rule = labels.rule
    assert rule is not None
    assert rule.success_value is not None
    assert rule.failure_value is not None
    message = (
        f"{labels.source.title}: {labels.other_rewards} of the kept rewards are neither success "
        f"({rule.success_value:g}) nor failure ({rule.failure_value:g}), such as {values}; "
        "they count as failure"
    )
    hint = "if these are the values of labels, state them with --success_value and --failure_value"
    return Problem("other-reward-values", message, hint=hint)


def changed_success(
    sources: Sequence[Source], episodes: Sequence[EpisodeReport], root: Path
) -> Iterator[Problem]:
    """A warning if the output's rewards mark other frames as success than each source's rewards do.

    A reward of 0 is failure where it is the only one, and success where others are -1.

    Args:
        sources: The sources.
        episodes: Success frames of each episode by its source's rewards.
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
        message = f"rewards of different meanings are mixed in one dataset: {'; '.join(changes)}"
        hint = "to give them one meaning, label all sources with --annotations or --labels_from next.reward"
        yield Problem("success-value-differs", message, hint=hint)
