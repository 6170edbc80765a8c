from __future__ import annotations

import pytest

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection, EpisodeAnnotation
from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet

TEXT = """\
# ./a_1
# good light
00: 3-
04: 5-  # slipped

# ./b_1
00: all fail

# that was all
"""


def test_success_joins_the_ranges() -> None:
    episode = EpisodeAnnotation(0, (FrameInterval(5, 9), FrameInterval(0, 5)))
    assert episode.success == IntervalSet([FrameInterval(0, 9)])


def test_nonsense_cannot_be_built() -> None:
    fine = EpisodeAnnotation(0, ())
    cases = (
        ("episode_index", lambda: EpisodeAnnotation(-1, ())),
        ("overlap", lambda: EpisodeAnnotation(0, (FrameInterval(0, 5), FrameInterval(4, 6)))),
        ("overlap", lambda: EpisodeAnnotation(0, (FrameInterval(0, None), FrameInterval(4, 6)))),
        ("comment", lambda: EpisodeAnnotation(0, (), "two\nlines")),
        ("remark", lambda: EpisodeAnnotation(0, (), before=("00: 3-",))),
        ("listed twice", lambda: AnnotationSection("./a_1", (fine, fine))),
        ("missing", lambda: AnnotationSection("", (fine,))),
        ("begins with #", lambda: AnnotationSection("a #b", (fine,))),
        ("without a header", lambda: AnnotationSection(None, (fine,), before=("# x",))),
        ("listed twice", lambda: Annotations((AnnotationSection("./a_1", (fine,)),) * 2, 1, "x")),
        ("first section", lambda: Annotations((AnnotationSection(None, (fine,)),) * 2, 1, "x")),
    )
    for message, build in cases:
        with pytest.raises(ValueError, match=message):
            build()


def test_where_it_was_written_takes_no_part_in_equality() -> None:
    one, other = parse("0: 3-\n", name="x"), parse("00:  3-\n", name="y")
    assert one.annotations == other.annotations
