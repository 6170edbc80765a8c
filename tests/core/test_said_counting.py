"""Sentences about the counting are found, whichever words stand around them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core import said_counting

WORDS = [
    "0",
    "1",
    "zero",
    "one",
    "frame",
    "frames",
    "index",
    "indexed",
    "indices",
    "index_base",
    "frame_index",
]
WORDS += [
    "episode",
    "numbers",
    "start",
    "starts",
    "counted",
    "counting",
    "numbering",
    "from",
    "at",
    "with",
    "is",
]
WORDS += [
    "first",
    "the",
    "n",
    "len",
    "last",
    "idx",
    "base",
    "based",
    "python",
    "numpy",
    "c",
    "style",
    "lerobot's",
]


@given(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6),
    st.sampled_from((" ", "-", ": ", "=", "_", "..")),
)
def test_a_comment_that_no_pattern_is_tried_on_matches_none(words, mark):
    for comment in (" ".join(words), words[0] + mark + " ".join(words[1:])):
        if any(re.search(pattern, comment, re.IGNORECASE) for pattern in said_counting._SAID_BASES):
            assert said_counting._MAY_SAY_A_BASE.search(comment), comment


@pytest.mark.parametrize(
    "comment", ["frames count from 0", "zero-based", "numbers are frame_index", "C indexing"]
)
def test_a_statement_of_another_base_is_tried(comment):
    assert said_counting._MAY_SAY_A_BASE.search(comment)
    assert any(re.search(pattern, comment, re.IGNORECASE) for pattern in said_counting._SAID_BASES)
