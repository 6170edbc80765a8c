"""Spans of frames that an episode is divided into, and a dataset's episodes divided by shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

_FINEST: Final = 1_000_000
"""Shares are whole parts of this, at the finest: 0.30000000000000004 is three tenths."""

type Span = tuple[int, int]
"""First frame and the one after the last, 0-based."""


def equal_spans(length: int, parts: int) -> list[Span]:
    """An episode in parts that are as equal as can be; earlier ones are not shorter than later ones by two.

    Args:
        length: Frames of the episode.
        parts: How many parts; from 1 to ``length``.

    Raises:
        ValueError: There are fewer frames than parts.
    """
    if not 1 <= parts <= length:
        raise ValueError(f"{length} frames cannot be {parts} parts")
    return spans_from([length * part // parts for part in range(parts)], length)


def spans_from(starts: Iterable[int], length: int) -> list[Span]:
    """An episode divided before some of its frames; all of its frames are in one of the spans.

    Args:
        starts: 0-based frames; 0 may be among them or not.
        length: Frames of the episode.
    """
    inside = sorted({start for start in starts if 0 < start < length})
    return list(pairwise([0, *inside, length])) if length else []


def spans_text(spans: Sequence[Span], length: int, base: int) -> str:
    """Spans of an episode as ranges of an annotation file; the last frame is left open.

    Args:
        spans: In order, none empty.
        length: Frames of the episode.
        base: What the first frame is called: 0 or 1.
    """
    return ", ".join(_text(start + base, stop - 1 + base, stop == length) for start, stop in spans)


def _text(first: int, last: int, is_open: bool) -> str:
    if is_open:
        return f"{first}-"
    return str(first) if first == last else f"{first}-{last}"


def by_shares(episodes: Sequence[int], shares: Sequence[float | Fraction]) -> list[list[int]]:
    """Episodes divided in order by shares, as ``split`` of LeRobot does it.

    Each part has as many episodes as its share gives, rounded down; where the shares are 1 in all, the last
    part has all that are left.

    Args:
        episodes: To be divided.
        shares: Above 0, not more than 1 in all.

    Raises:
        ValueError: The shares are more than 1, or one is not above 0.
    """
    exact = [Fraction(str(share)).limit_denominator(_FINEST) for share in shares]
    if any(share <= 0 for share in exact) or sum(exact) > 1:
        said = ", ".join(map(str, shares))
        raise ValueError(f"shares must be above 0 and at most 1 in all, not {said}")
    counts = [int(len(episodes) * share) for share in exact]
    if sum(exact) == 1:
        counts[-1] = len(episodes) - sum(counts[:-1])
    ends = [sum(counts[: place + 1]) for place in range(len(counts))]
    return [list(episodes[end - number : end]) for end, number in zip(ends, counts, strict=True)]
