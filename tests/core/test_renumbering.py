"""An annotation text follows the episodes of its dataset to their new numbers."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.core.renumbering import renumbered
from lerobot_grasp_plugin.core.text_edit import parse_editable

TEXT = """\
# frames count from 1
# dataset path: lab/arm
# success: the cube is held
# flag 00: dark
00: 3-      # first
# note 01: slipped
01: 1, 4-
02: all fail
# the light was changed
3: all success

# dataset path: lab/other
01: 2-
"""


def moved(text: str, order: list[int]) -> str:
    annotations = parse_editable(text, name="labels.txt")
    own = [section for section in annotations.sections if section.dataset in (None, "lab/arm")]
    return renumbered(text, annotations, own, order)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_flags_and_notes_go_with_their_episode(ending):
    text = TEXT.replace("\n", ending)
    expected = """\
# frames count from 1
# dataset path: lab/arm
# success: the cube is held
# note 00: slipped
00: 1, 4-
# flag 02: dark
02: 3-      # first
# the light was changed
01: all success

# dataset path: lab/other
01: 2-
"""
    assert moved(text, [1, 3, 0]) == expected.replace("\n", ending)


def test_the_same_order_changes_nothing_but_the_spelling_of_numbers():
    assert moved(TEXT, [0, 1, 2, 3]) == TEXT.replace("\n3:", "\n03:")
    assert moved("1: 2-\n0: 3-", [0, 1]) == "00: 3-\n01: 2-\n"


def test_nothing_is_left_of_episodes_that_are_gone():
    assert moved("# flag 1\n00: 2-\n01: 3-\n", []) == ""
