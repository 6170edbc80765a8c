"""Comparisons of annotations as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.core.agreement import (
    Agreement,
    boundary_distance,
    cohens_kappa,
    most_differing,
    share_agreeing,
)
from lerobot_grasp_plugin.core.grammar_ranges import format_range
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.words import count, episodes_text

if TYPE_CHECKING:
    from lerobot_grasp_plugin.labelers.comparing import Comparison

_HEAD = ("Episode", "Frames", "Success A", "Success B", "Agree", "Boundary", "Kappa", "Look at")


def comparison_lines(comparison: Comparison) -> Iterator[str]:
    """The episodes that differ, most frames first, then the totals; frames are 1-based.

    Args:
        comparison: Of the files A and B.
    """
    from lerobot_grasp_plugin.commands.render import aligned

    yield f"=== {comparison.repo_id} ==="
    differing = most_differing(comparison.episodes)
    rows: list[Sequence[str]] = [_HEAD]
    rows += [
        (str(each.episode_index), *_figures([each]), difference(each, "in A", "in B")) for each in differing
    ]
    rows.append(("in all", *_figures(comparison.episodes), ""))
    yield from aligned(rows)
    equal = len(comparison.episodes) - len(differing)
    yield f"{count(equal, 'episode')} of {len(comparison.episodes)} agree on every frame"
    for name, episodes in zip("AB", comparison.only_listed, strict=True):
        if episodes:
            yield f"only {name} lists {episodes_text(episodes)}"


def disagreement_lines(agreements: Sequence[Agreement]) -> Iterator[str]:
    """The frames on which classifier and labels differ, one episode per line, most frames first; 1-based.

    Args:
        agreements: The labels first, the classifier second; empty without labels.
    """
    if not agreements:
        yield "No labels to compare with."
        return
    episodes, differing = count(len(agreements), "episode"), most_differing(agreements)
    if not differing:
        yield f"Classifier and labels agree on every frame of {episodes}."
        return
    frames, total = sum(each.differing for each in differing), sum(each.length for each in agreements)
    yield f"Classifier and labels disagree on {frames} of {total} frames, in {len(differing)} of {episodes}:"
    for each in differing:
        where = difference(each, "by the labels", "by the classifier")
        yield f"  episode {each.episode_index:02d}: {count(each.differing, 'frame')}: {where}"


def difference(agreement: Agreement, first: str, second: str) -> str:
    """Where two sets of an episode differ: ``only in A: 11-12, only in B: 3-5``."""
    sides = ((agreement.only_first, first), (agreement.only_second, second))
    return ", ".join(f"only {name}: {_spelled(frames)}" for frames, name in sides if frames)


def _figures(episodes: Sequence[Agreement]) -> tuple[str, ...]:
    share, distance, kappa = share_agreeing(episodes), boundary_distance(episodes), cohens_kappa(episodes)
    return (
        str(sum(each.length for each in episodes)),
        str(sum(each.first.count(each.length) for each in episodes)),
        str(sum(each.second.count(each.length) for each in episodes)),
        "-" if share is None else f"{100 * share:.1f} %",
        "-" if distance is None else f"{distance:.1f}",
        "-" if kappa is None else f"{kappa:.2f}",
    )


def _spelled(frames: IntervalSet) -> str:
    return " and ".join(format_range(interval, 1) for interval in frames)
