from __future__ import annotations

import pytest

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection, EpisodeAnnotation
from lerobot_grasp_plugin.core.grammar import format_text, parse
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


def test_a_new_episode_goes_to_its_place() -> None:
    annotations = parse(TEXT, name="x").annotations
    assert format_text(annotations.with_episode("./a_1", 2, [FrameInterval(6, 9)], "new")) == TEXT.replace(
        "04:", "02: 7-9  # new\n04:"
    )
    assert format_text(annotations.with_episode("./a_1", 9, [])) == TEXT.replace(
        "slipped\n", "slipped\n09: all fail\n"
    )


def test_the_comment_is_kept_changed_or_removed() -> None:
    annotations = parse(TEXT, name="x").annotations
    for comment, written in ((None, "  # slipped"), ("better", "  # better"), ("", "")):
        text = format_text(annotations.with_episode("./a_1", 4, [FrameInterval(0, None)], comment))
        assert text == TEXT.replace("04: 5-  # slipped", f"04: all success{written}")


def test_a_new_dataset_gets_a_section_at_the_end() -> None:
    text = format_text(parse(TEXT, name="x").annotations.with_episode("me/c", 0, [FrameInterval(1, 2)]))
    assert text == TEXT + "\n# dataset path: me/c\n00: 2\n"


def test_the_first_episode_of_all() -> None:
    empty = Annotations((), 1, "x")
    assert format_text(empty.with_episode(None, 3, [FrameInterval(1, None)])) == "03: 2-\n"
    assert format_text(empty.with_episode("d_1", 3, [])) == "# dataset path: d_1\n03: all fail\n"


def test_an_episode_is_found_in_the_section_that_has_it() -> None:
    text = "# ./a_1\n00: 3-\n# ./b_1\n00: 3-\n# ./a_1\n01: 3-\n"
    edited = parse(text, name="x").annotations.with_episode("./a_1", 0, [])
    assert format_text(edited) == text.replace("# ./a_1\n00: 3-", "# ./a_1\n00: all fail")


def test_a_dataset_must_be_named_where_there_are_headers() -> None:
    with pytest.raises(ValueError, match="which dataset"):
        parse(TEXT, name="x").annotations.with_episode(None, 0, [])


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
