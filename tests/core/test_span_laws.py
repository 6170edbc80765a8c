"""Episodes divided into spans, and episodes divided by shares: nothing is lost, nothing comes twice."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.core.spans import by_shares, equal_spans, spans_from, spans_text

LENGTHS = st.integers(1, 200)


@given(LENGTHS, st.data())
def test_equal_parts_are_all_of_the_episode(length: int, data: st.DataObject) -> None:
    parts = data.draw(st.integers(1, length))
    spans = equal_spans(length, parts)
    assert [frame for start, stop in spans for frame in range(start, stop)] == list(range(length))
    sizes = [stop - start for start, stop in spans]
    assert len(sizes) == parts
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("length", "parts"), [(3, 4), (3, 0), (0, 1)])
def test_too_many_parts_are_refused(length: int, parts: int) -> None:
    with pytest.raises(ValueError, match=f"{length} frames cannot be {parts} parts"):
        equal_spans(length, parts)


@given(st.integers(0, 60), st.lists(st.integers(-5, 70)))
def test_a_division_is_all_of_the_episode(length: int, starts: list[int]) -> None:
    spans = spans_from(starts, length)
    assert [frame for start, stop in spans for frame in range(start, stop)] == list(range(length))
    wanted = {0, *(start for start in starts if 0 < start < length)} if length else set()
    assert {start for start, _ in spans} == wanted


@given(LENGTHS, st.sampled_from([0, 1]), st.lists(st.integers(0, 200), max_size=8))
def test_the_text_of_spans_is_read_as_these_spans(length: int, base: int, starts: list[int]) -> None:
    """Neighbours stay apart: each range of a source's `frames` is an episode."""
    spans = spans_from(starts, length)
    text = spans_text(spans, length, base)
    for span, part in zip(spans, text.split(", "), strict=True):
        annotations = parse(f"# index_base: {base}\n0: {part}\n", name="ranges").annotations
        (episode,) = annotations.sections[0].episodes
        (interval,) = episode.ranges
        stop = length if interval.stop is None else interval.stop
        assert (interval.start, stop) == span


@given(st.integers(0, 80), st.lists(st.integers(1, 50), min_size=1, max_size=5), st.booleans())
def test_shares_divide_in_order(total: int, weights: list[int], is_all: bool) -> None:
    whole = 100 if not is_all else sum(weights)
    if sum(weights) > whole:
        return
    shares = [Fraction(weight, whole) for weight in weights]
    parts = by_shares(range(total), shares)
    joined = [episode for part in parts for episode in part]
    assert joined == list(range(len(joined)))
    assert len(joined) <= total
    if sum(weights) == whole:
        assert len(joined) == total
    for part, share in list(zip(parts, shares, strict=True))[:-1]:
        assert len(part) == int(total * share)


def test_shares_are_decimals() -> None:
    """0.29 of 100 is 29, though the float is a little less."""
    parts = by_shares(range(100), [0.29, 0.71])
    assert [len(part) for part in parts] == [29, 71]
    with pytest.raises(ValueError, match="at most 1 in all"):
        by_shares(range(10), [0.5, 0.6])
    with pytest.raises(ValueError, match="above 0"):
        by_shares(range(10), [0.5, 0.0])
