"""Flags, notes and the definition of success: read from comment lines, and written as such."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.core.annotations import AnnotationSection
from lerobot_grasp_plugin.core.episode_notes import (
    NOTHING,
    EpisodeNote,
    definition_of,
    notes_of,
    read_statement,
)
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.core.note_edit import with_definition, with_note
from lerobot_grasp_plugin.core.text_edit import parse_editable, with_ranges

TEXT = """# index_base: 0
# success: it is held

# dataset path: gtgando/other_v1
# flag 1: not mine
00: 5-
# flag 2

# dataset path: gtgando/mine_v1
# Success: it is held and lifted
01: 34-  # flag 3: a remark on a label, no line of its own
# FLAG 07: bad
## flag 7:look again
#note 7 :  the camera moved
7: all fail
# note 12: not labelled yet
"""


def sections_of(text: str, dataset: str = "gtgando/mine_v1") -> list[AnnotationSection]:
    annotations = parse_editable(text, name="x")
    return [section for section in annotations.sections if section.dataset == dataset]


def notes(text: str, dataset: str = "gtgando/mine_v1") -> dict[int, EpisodeNote]:
    annotations = parse_editable(text, name="x")
    own = [section for section in annotations.sections if section.dataset == dataset]
    return dict(notes_of(annotations, own))


def definition(text: str, dataset: str = "gtgando/mine_v1") -> str | None:
    annotations = parse_editable(text, name="x")
    return definition_of(
        annotations, [section for section in annotations.sections if section.dataset == dataset]
    )


def noted(text: str, episode: int, note: EpisodeNote, dataset: str = "gtgando/mine_v1") -> str:
    annotations = parse_editable(text, name="x")
    own = [section for section in annotations.sections if section.dataset == dataset]
    return with_note(text, annotations, own, episode, note, new_header=dataset)


def defined(text: str, words: str | None, dataset: str = "gtgando/mine_v1") -> str:
    annotations = parse_editable(text, name="x")
    own = [section for section in annotations.sections if section.dataset == dataset]
    return with_definition(text, annotations, own, words, new_header=dataset)


def test_what_is_said_of_each_dataset() -> None:
    assert notes(TEXT) == {
        7: EpisodeNote("bad; look again", "the camera moved"),
        12: EpisodeNote(None, "not labelled yet"),
    }
    assert notes(TEXT, "gtgando/other_v1") == {1: EpisodeNote("not mine"), 2: EpisodeNote("")}
    assert definition(TEXT) == "it is held and lifted"
    assert definition(TEXT, "gtgando/other_v1") == "it is held"


@pytest.mark.parametrize(
    "line",
    [
        "# flag",
        "# flags 3: x",
        "# flag 3 times",
        "# note 3",
        "# note 3:",
        "# success",
        "# success:",
        "# a note 3: x",
    ],
)
def test_other_remarks_are_none(line: str) -> None:
    assert read_statement(line) is None


def test_above_every_header_they_count_where_there_is_one_section() -> None:
    one = "# flag 3: bad\n# dataset path: a/b\n00: 1-\n"
    assert notes(one, "a/b") == {3: EpisodeNote("bad")}
    assert notes(one + "# dataset path: a/c\n00: 1-\n", "a/b") == {}


def test_a_note_stands_above_the_label() -> None:
    text = noted(TEXT, 1, EpisodeNote("look again", "slipped   twice"))
    assert text == TEXT.replace("01: 34-", "# flag 01: look again\n# note 01: slipped twice\n01: 34-")
    assert noted(text, 1, NOTHING) == TEXT
    assert noted(TEXT, 1, NOTHING) == TEXT


def test_what_was_said_before_is_replaced() -> None:
    text = noted(TEXT, 7, EpisodeNote("", "the camera moved"))
    old = "# FLAG 07: bad\n## flag 7:look again\n#note 7 :  the camera moved\n"
    assert text == TEXT.replace(old, "# flag 07\n# note 07: the camera moved\n")
    assert notes(text)[7] == EpisodeNote("", "the camera moved")


def test_an_episode_without_label_and_its_label_later() -> None:
    text = noted(TEXT, 4, EpisodeNote("bad"))
    line = "01: 34-  # flag 3: a remark on a label, no line of its own\n"
    assert text == TEXT.replace(line, line + "# flag 04: bad\n")
    annotations = parse_editable(text, name="x")
    labelled = with_ranges(text, annotations, sections_of(text), 4, [FrameInterval(3, 4)], new_header="n")
    assert labelled == TEXT.replace(line, line + "# flag 04: bad\n04: 3\n")


def test_the_first_word_in_a_file() -> None:
    text = noted("", 3, EpisodeNote("bad"), "a/b")
    assert text == "# dataset path: a/b\n# flag 03: bad\n"
    assert notes(text, "a/b") == {3: EpisodeNote("bad")}
    text = defined(text, "it is held", "a/b")
    assert text == "# dataset path: a/b\n# success: it is held\n# flag 03: bad\n"
    annotations = parse_editable(text, name="x")
    text = with_ranges(text, annotations, sections_of(text, "a/b"), 5, [], new_header="n")
    assert text == "# dataset path: a/b\n# success: it is held\n# flag 03: bad\n05: all fail\n"
    assert defined("", "it is held", "a/b") == "# success: it is held\n"
    assert definition("# success: it is held\n", "a/b") == "it is held"


def test_the_definition_is_replaced_where_it_stands() -> None:
    assert defined(TEXT, "it is lifted") == TEXT.replace(
        "# Success: it is held and lifted", "# success: it is lifted"
    )
    assert defined(TEXT, None) == TEXT.replace("# Success: it is held and lifted\n", "")
    top = TEXT.replace("# Success: it is held and lifted\n", "")
    assert defined(top, "it is lifted") == top.replace("# success: it is held", "# success: it is lifted")
    bare = "# index_base: 0\n# dataset path: gtgando/mine_v1\r\n00: 1-\r\n"
    assert defined(bare, "held") == bare.replace("mine_v1\r\n", "mine_v1\r\n# success: held\r\n")


def test_words_are_one_line() -> None:
    assert noted("00: 1-\n", 0, EpisodeNote(" a\n b "), None) == "# flag 00: a b\n00: 1-\n"  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="control"):
        noted("00: 1-\n", 0, EpisodeNote("a\x00"), None)  # type: ignore[arg-type]
