"""Drafts: what they say reads back as proposed, whatever the reasons are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin import DataError, UsageError
from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.labelers.draft import draft_text, write_draft
from lerobot_grasp_plugin.labelers.labeler import Proposal

ORIGIN = "gripper, reading=held"
WORDS = st.text(max_size=30) | st.sampled_from(
    ["starts at frame 0", "index_base: 0", "dataset path: a/b", "ranges are half-open", "/tmp/x", "a\nb", ""]
)
MASKS = st.lists(st.booleans(), min_size=1, max_size=20).map(lambda mask: np.array(mask, dtype=np.bool_))
PROPOSALS = st.lists(st.tuples(st.none() | MASKS, WORDS, st.none() | st.floats(0, 1)), min_size=1, max_size=5)


@given(PROPOSALS, WORDS, st.sampled_from(["me/grasps", "/data/day #1/grasps"]))
def test_a_draft_reads_back_as_proposed(entries: list, origin: str, dataset: str) -> None:
    proposals, lengths = {}, {}
    for index, (mask, reason, confidence) in enumerate(entries):
        success = None if mask is None else IntervalSet.from_mask(mask)
        proposals[index] = Proposal(success, reason, confidence)
        lengths[index] = 5 if mask is None else len(mask)
    wanted = {index: each.success for index, each in proposals.items() if each.success is not None}
    if not wanted:
        with pytest.raises(DataError) as caught:
            draft_text(proposals, lengths, dataset=dataset, origin=origin)
        assert caught.value.problems[0].code == "no-proposal"
        return
    parsed = parse(draft_text(proposals, lengths, dataset=dataset, origin=origin), name="draft")
    assert not parsed.warnings
    (section,) = parsed.annotations.sections
    assert section.dataset == (None if "#" in dataset else dataset)
    read = {each.episode_index: each.success.clip(lengths[each.episode_index]) for each in section.episodes}
    assert read == wanted


def test_confidence_and_reason_are_comment_lines() -> None:
    success = IntervalSet([FrameInterval(9, 20)])
    proposals = {
        0: Proposal(success, "the jaws press", 0.934),
        1: Proposal(None, "no signal"),
        2: Proposal(IntervalSet(), "the gripper never closes"),
        3: Proposal(success),
        4: Proposal(success, "frames count from 0"),
        5: Proposal(None, "no signal"),
    }
    text = draft_text(
        proposals, dict.fromkeys(proposals, 20), dataset="me/grasps", origin="gripper, reading=held"
    )
    assert text.splitlines() == [
        "# A draft by the labeler: gripper, reading=held",
        "# Look through it before you use it; frames count from one, both ends inclusive.",
        "# dataset path: me/grasps",
        "# confidence 0.93: the jaws press",
        "00: 10-",
        "# no proposal for episode 1: no signal",
        "# reason: the gripper never closes",
        "02: all fail",
        "03: 10-",
        "# reason (the text is not valid in a comment)",
        "04: 10-",
        "# no proposal for episode 5: no signal",
    ]


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "draft.txt"
    write_draft(path, "00: 3-\n")
    with pytest.raises(UsageError, match="target-exists"):
        write_draft(path, "00: 4-\n")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("draft.txt", "00: 3-\n")]
