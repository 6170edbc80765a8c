"""Annotations for property tests: any tree that the text form can say."""

from __future__ import annotations

from hypothesis import strategies as st

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection, EpisodeAnnotation
from lerobot_grasp_plugin.core.intervals import FrameInterval

printable = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
words = st.text(printable, min_size=1, max_size=12).map(str.strip).filter(bool)
comments = st.none() | words.filter(lambda text: "index" not in text.lower())
remarks = st.sampled_from(["", "# a remark of words", "#", "# 05: 46-", "## done", "   # indented"])
before = st.lists(remarks, max_size=3).map(tuple)
headers = st.sampled_from(["~/data/so101_v1", "me/set", "two words", "plain", "/a b/c"]) | words.filter(
    lambda text: not any(word.startswith("#") for word in text.split())
)


@st.composite
def interval_tuples(draw: st.DrawFn, shuffled: bool = True) -> tuple[FrameInterval, ...]:
    """Disjoint ranges, some touching; the last one may be open."""
    found: list[FrameInterval] = []
    at = 0
    for gap, size in draw(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=4)):
        found.append(FrameInterval(at + gap, at + gap + size))
        at += gap + size
    if draw(st.booleans()):
        found.append(FrameInterval(at + draw(st.integers(0, 9)), None))
    return tuple(draw(st.permutations(found)) if shuffled else found)


@st.composite
def annotation_trees(draw: st.DrawFn) -> Annotations:
    """Any tree that the text form can say."""
    sections = []
    left: dict[str | None, list[int]] = {}
    for position in range(draw(st.integers(1, 3))):
        dataset = draw(st.none() | headers) if position == 0 else draw(headers)
        free = left.setdefault(dataset, draw(st.permutations(range(12))))
        count = draw(st.integers(1 if position == 0 else 0, 4))
        taken = [free.pop() for _ in range(min(count, len(free)))]
        episodes = tuple(
            EpisodeAnnotation(index, draw(interval_tuples()), draw(comments), draw(before)) for index in taken
        )
        if dataset is None:
            sections.append(AnnotationSection(None, episodes))
        else:
            sections.append(AnnotationSection(dataset, episodes, draw(comments), draw(before)))
    return Annotations(tuple(sections), draw(st.sampled_from([0, 1])), "x", draw(before))
