"""One line changes, and no other character."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.core.text_edit import parse_editable, with_ranges
from lerobot_grasp_plugin.findings.problem import AnnotationError

TEXT = """# labelled on Monday, 1-indexed

# dataset path: gtgando/other_v1
00: 5-

# dataset path: gtgando/mine_v1   # the good one
# look at this one again
 1 :  34- ,40-41   # slipped
7: all fail
# the end
""".replace("34- ,40-41", "34-36 ,40-41")


def edited(text: str, episode: int, ranges: list[FrameInterval] | None, dataset: str | None) -> str:
    annotations = parse_editable(text, name="x")
    sections = [section for section in annotations.sections if section.dataset == dataset]
    return with_ranges(text, annotations, sections, episode, ranges, new_header="gtgando/new_v1")


MINE = "gtgando/mine_v1"
TO_END = [FrameInterval(9, None)]


@pytest.mark.parametrize(
    ("episode", "ranges", "old", "new"),
    [
        (1, TO_END, " 1 :  34-36 ,40-41   # slipped", " 1 : 10-   # slipped"),
        (1, [], " 1 :  34-36 ,40-41   # slipped", " 1 : all fail   # slipped"),
        (7, None, "7: all fail\n", ""),
        (4, TO_END, "7: all fail", "04: 10-\n7: all fail"),
        (9, [FrameInterval(2, 3), FrameInterval(4, 6)], "7: all fail", "7: all fail\n09: 3, 5-6"),
        (0, TO_END, "# look at this", "00: 10-\n# look at this"),
    ],
)
def test_one_line_changes(episode: int, ranges: list[FrameInterval] | None, old: str, new: str) -> None:
    assert edited(TEXT, episode, ranges, MINE) == TEXT.replace(old, new)


def test_line_ends_are_kept() -> None:
    text = TEXT.replace("\n", "\r\n")
    assert edited(text, 4, TO_END, MINE) == text.replace("7: all", "04: 10-\r\n7: all")


def test_a_section_is_begun() -> None:
    assert edited(TEXT, 3, [], "absent") == TEXT + "\n# dataset path: gtgando/new_v1\n03: all fail\n"
    assert edited("", 3, TO_END, "absent") == "# dataset path: gtgando/new_v1\n03: 10-\n"


def test_the_index_base_of_the_file_counts() -> None:
    text = "# index_base: 0\n# dataset path: a/b"
    assert edited(text, 0, TO_END, "a/b") == text + "\n00: 9-\n"


def test_the_last_episode_can_go() -> None:
    text = edited("# dataset path: a/b\n00: 1-\n", 0, None, "a/b")
    assert text == "# dataset path: a/b\n"
    assert parse_editable(text, name="x").sections[0].episodes == ()


@pytest.mark.parametrize("text", ["00: 4-3\n", '{"episodes": {}}', "# index_base: 7\n"])
def test_what_cannot_be_edited(text: str) -> None:
    with pytest.raises(AnnotationError):
        parse_editable(text, name="x")
