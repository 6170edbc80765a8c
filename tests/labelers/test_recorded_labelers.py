"""Labelers ``column`` and ``file``: what was recorded or written elsewhere becomes a proposal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot_grasp_plugin import GraspError
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.labelers.column import ColumnLabelerConfig
from lerobot_grasp_plugin.labelers.file import FileLabelerConfig
from lerobot_grasp_plugin.labelers.labeler import Episode, LabelerConfig, Proposal
from lerobot_grasp_plugin.labelers.proposing import propose
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import Source, open_sources
from tests.support.factories import Legacy, write_legacy
from tests.support.labelled_set import SUCCESS, labelled_set

type SharedData = Callable[[str], Path]


def opened(root: Path, episodes: str | None = None) -> Source:
    (source,) = open_sources([SourceConfig(root=root, episodes=episodes)], [])
    return source


def proposed(config: LabelerConfig, source: Source) -> dict[int, IntervalSet | None]:
    return {index: proposal.success for index, proposal in propose(config, source).items()}


def frames(*wanted: int) -> IntervalSet:
    return IntervalSet(FrameInterval(frame, frame + 1) for frame in wanted)


def test_recorded_rewards_become_ranges(tmp_path: Path) -> None:
    found = proposed(ColumnLabelerConfig(), opened(labelled_set(tmp_path)))
    assert found == {episode: frames(*wanted) for episode, wanted in SUCCESS.items()}


def test_any_column_with_a_threshold(shared_data: SharedData) -> None:
    source = opened(shared_data("gr1_picknplace_v20"), "1-2")
    for threshold in (-1.0, 1e9):
        found = proposed(ColumnLabelerConfig(column="next.reward", threshold=threshold), source)
        lengths = source.reader.lengths
        assert found == {
            index: IntervalSet([FrameInterval(0, int(lengths[index]))]) if threshold < 0 else IntervalSet()
            for index in (1, 2)
        }


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"column": "none"}, "unknown-feature", "labeler.column: set has no column 'none'"),
        ({"column": "action"}, "bad-label-column", "labeler.column: 'action'"),
        ({}, "unknown-feature", "neither next.success nor next.reward"),
    ],
)
def test_a_column_that_cannot_be_labels(
    settings: dict[str, Any], code: str, said: str, tmp_path: Path
) -> None:
    source = opened(write_legacy(tmp_path / "set", Legacy(cameras=())))
    with pytest.raises(GraspError, match=said) as caught:
        propose(ColumnLabelerConfig(**settings), source)
    assert caught.value.problems[0].code == code


def test_a_colleagues_file(tmp_path: Path) -> None:
    source = opened(write_legacy(tmp_path / "set", Legacy(cameras=())))
    path = tmp_path / "theirs.txt"
    path.write_text("00: 3-\n02: all fail\n")
    proposals = propose(FileLabelerConfig(path=path), source)
    assert proposals[0].success == IntervalSet([FrameInterval(2, 6)])
    assert (proposals[1].success, proposals[1].reason) == (None, "theirs.txt does not list the episode")
    assert proposals[2].success == IntervalSet()


def test_a_file_that_does_not_fit(tmp_path: Path) -> None:
    source = opened(write_legacy(tmp_path / "set", Legacy(cameras=())))
    path = tmp_path / "theirs.txt"
    codes = []
    for text in ("00: 3-99\n07: 1-\n", "# dataset path: other/one\n00: 3-\n", None):
        if text is not None:
            path.write_text(text)
        with pytest.raises(GraspError) as caught:
            propose(FileLabelerConfig(path=None if text is None else path), source)
        codes.append([problem.code for problem in caught.value.problems])
    assert codes == [["range-past-end", "unknown-episode"], ["no-section"], ["no-annotations"]]


GOOD = IntervalSet([FrameInterval(1, 10**6)])


class Foreign(LabelerConfig):
    """A labeler of another package that gives one answer, or fails where there is none."""

    answer: object = Proposal(GOOD)

    @property
    def type(self) -> str:
        return "foreign"

    def make(self, source: Source) -> Foreign:
        return self

    def propose(self, episode: Episode) -> Proposal:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]  # what it should not give


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (KeyError("gripper"), "KeyError: 'gripper'"),
        (None, "AttributeError"),
        ([(1, 2)], "AttributeError"),
        (Proposal([(1, 2)]), "AttributeError"),  # type: ignore[arg-type]
        (Proposal(GOOD, curve=np.zeros(3)), r"shape \(3,\)"),
        (Proposal(GOOD, curve=np.zeros((7, 1))), r"shape \(7, 1\)"),
        (Proposal(GOOD, curve=np.full(7, np.nan)), "outside 0 to 1"),
        (Proposal(GOOD, curve=np.full(7, 1.5)), "outside 0 to 1"),
        (Proposal(GOOD, confidence=-0.1), "outside 0 to 1"),
    ],
)
def test_a_labeler_that_fails_is_named(answer: object, said: str, tmp_path: Path) -> None:
    labeler = Foreign()
    labeler.answer = answer
    with pytest.raises(GraspError, match=said) as caught:
        propose(labeler, opened(labelled_set(tmp_path), "0,3"))
    assert {(problem.code, problem.place.episode) for problem in caught.value.problems} == {
        ("labeler-failed", 0),
        ("labeler-failed", 3),
    }


def test_ranges_stay_within_the_episode(tmp_path: Path) -> None:
    found = proposed(Foreign(), opened(labelled_set(tmp_path), "0,2"))
    assert found == {0: IntervalSet([FrameInterval(1, 7)]), 2: IntervalSet([FrameInterval(1, 9)])}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": 2, "episodes": {}}', '{"format": 1, "episodes": {"x": {}}}']
)
def test_a_broken_file_next_to_a_draft_is_named(text: str, tmp_path: Path) -> None:
    source = opened(write_legacy(tmp_path / "set", Legacy(cameras=())))
    (tmp_path / "draft.txt").write_text("00: 2-3\n")
    (tmp_path / "draft.proposals.json").write_text(text)
    with pytest.raises(GraspError) as caught:
        propose(FileLabelerConfig(path=tmp_path / "draft.txt"), source)
    assert [problem.code for problem in caught.value.problems] == ["bad-proposals"]
