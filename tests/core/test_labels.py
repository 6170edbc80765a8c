from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.choices import Alignment, Done
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.labels import (
    EpisodeLabels,
    LabelValues,
    SuccessEvidence,
    SuccessRule,
    default_done,
    label_episode,
    success_of,
)

SUCCESS = IntervalSet([FrameInterval(2, 4), FrameInterval(6, None)])


def label(
    success: IntervalSet = SUCCESS,
    length: int = 8,
    alignment: Alignment = "frame",
    done: Done = "episode_end",
) -> EpisodeLabels:
    return label_episode(success, length, alignment=alignment, done=done)


def where(column: npt.NDArray[np.bool_]) -> list[int]:
    return [int(row) for row in np.flatnonzero(column)]


def test_frame_alignment_labels_the_row_of_the_frame() -> None:
    labels = label()
    assert where(labels.success) == [2, 3, 6, 7]
    assert labels.reward.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert labels.reward.dtype == np.float32
    assert labels.done.dtype == labels.success.dtype == np.bool_


def test_next_alignment_takes_the_label_of_the_frame_after() -> None:
    assert where(label(alignment="next").success) == [1, 2, 5, 6, 7]
    closed = IntervalSet([FrameInterval(2, 7)])
    assert where(label(closed, alignment="next").success) == [1, 2, 3, 4, 5]
    assert where(label(IntervalSet([FrameInterval(0, 1)]), alignment="next").success) == []
    assert where(label(IntervalSet.everything(), 1, alignment="next").success) == [0]


@pytest.mark.parametrize(
    ("alignment", "done", "expected"),
    [
        ("frame", "episode_end", [7]),
        ("frame", "first_success", [2, 7]),
        ("next", "first_success", [1, 7]),
        ("frame", "last_frame_of_success", [7]),
    ],
)
def test_done(alignment: Alignment, done: Done, expected: list[int]) -> None:
    assert where(label(alignment=alignment, done=done).done) == expected


def test_last_frame_of_success_before_the_end() -> None:
    closed = IntervalSet([FrameInterval(1, 2), FrameInterval(4, 6)])
    assert where(label(closed, done="last_frame_of_success").done) == [5, 7]
    assert where(label(closed, done="last_frame_of_success", alignment="next").done) == [4, 7]


@pytest.mark.parametrize("done", ["episode_end", "first_success", "last_frame_of_success"])
def test_without_success_only_the_last_row_is_done(done: Done) -> None:
    assert where(label(IntervalSet(), done=done).done) == [7]


def test_keep_takes_done_as_it_is_and_copies_it() -> None:
    existing = np.array([True, False, False])
    labels = label_episode(IntervalSet(), 3, alignment="frame", done="keep", existing_done=existing)
    existing[:] = False
    assert where(labels.done) == [0]


@pytest.mark.parametrize("existing", [None, np.zeros(2, np.bool_), np.zeros((3, 1), np.bool_), np.zeros(3)])
def test_keep_needs_a_fitting_column(existing: npt.NDArray[np.bool_] | None) -> None:
    with pytest.raises(ValueError, match="existing_done"):
        label_episode(IntervalSet(), 3, alignment="frame", done="keep", existing_done=existing)


def test_values_are_options() -> None:
    labels = label_episode(
        SUCCESS, 8, alignment="frame", done="episode_end", success_value=2.5, failure_value=-1
    )
    assert labels.reward.tolist() == [-1, -1, 2.5, 2.5, -1, -1, 2.5, 2.5]


@pytest.mark.parametrize("late", [FrameInterval(3, 9), FrameInterval(8, None), FrameInterval(8, 9)])
def test_labels_past_the_end_are_never_clipped_in_silence(late: FrameInterval) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        label(IntervalSet([late]))


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValueError, match="alignment"):
        label(alignment="previous")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="done"):
        label(done="never")  # type: ignore[arg-type]


def test_no_mode_leaves_an_option_out() -> None:
    for done in get_args(Done.__value__ if hasattr(Done, "__value__") else Done):
        existing = np.zeros(8, np.bool_)
        label_episode(SUCCESS, 8, alignment="frame", done=done, existing_done=existing)


# -- which recorded rows are success ------------------------------------------------------------------

NAN = float("nan")


def rule_of(
    rewards: Sequence[float] | None, flags: Sequence[bool] | None = None, values: LabelValues | None = None
) -> tuple[SuccessRule, list[bool] | None]:
    """The rule of a dataset of these rows, and the rows it calls success."""
    reward = None if rewards is None else np.array(rewards, np.float32)
    given = None if flags is None else np.array(flags)
    evidence = SuccessEvidence()
    for part in range(2):  # in two batches
        evidence.add(*(None if column is None else column[part::2] for column in (reward, given)))
    rule = evidence.rule(values)
    success = rule.rows(reward, given)
    return rule, None if success is None else success.tolist()


@pytest.mark.parametrize(
    ("rewards", "basis", "success"),
    [
        ([0, 1, 0, 1], "two values", [False, True, False, True]),
        ([-1, 0, 0, -1], "two values", [False, True, True, False]),
        ([-0.05, 10, 10, -0.05], "two values", [False, True, True, False]),
        ([1, 2], "two values", [False, True]),
        ([-2, -1], "two values", [False, True]),
        ([0, NAN, 1], "two values", [False, False, True]),
        ([0, 0, 0], "one value", [False, False, False]),
        ([1, 1, 1], "one value", [True, True, True]),
        ([10, 10], "one value", [True, True]),
        ([-1, -1], "one value", [False, False]),
        ([0, 0.5, 1], "many values", None),
        ([NAN, NAN], "nothing", None),
        (None, "nothing", None),
    ],
)
def test_rewards_alone(rewards: Sequence[float] | None, basis: str, success: list[bool] | None) -> None:
    rule, found = rule_of(rewards)
    assert (rule.basis, found) == (basis, success)
    if rewards is not None and basis != "nothing":
        made = success_of(np.array(rewards, np.float32))
        assert (None if made is None else made.tolist()) == success


@pytest.mark.parametrize(
    ("rewards", "flags", "basis", "success"),
    [
        (None, [False, True], "next.success", [False, True]),
        ([0, 0], [False, True], "next.success", [False, True]),  # nobody labelled the rewards
        ([1, 1], [False, True], "next.success", [False, True]),
        ([0.1, 0.2, 0.3], [False, True, True], "next.success", [False, True, True]),  # dense rewards
        ([0, 1], [True, False], "two values", [False, True]),  # a contradiction: LeRobot learns from rewards
    ],
)
def test_rewards_and_flags(
    rewards: Sequence[float] | None, flags: Sequence[bool], basis: str, success: list[bool]
) -> None:
    rule, found = rule_of(rewards, flags)
    assert (rule.basis, found) == (basis, success)


def test_values_that_a_sidecar_states_decide() -> None:
    values = LabelValues(0, -1)
    assert rule_of([-1, 0], None, values)[1] == [False, True]
    assert rule_of([0, 0], None, values)[1] == [True, True]
    assert rule_of([-1, -1], [True, True], values)[1] == [False, False]
    assert rule_of([0, 7, -1], None, values)[1] == [True, False, False]
    assert rule_of([5, -5], None, LabelValues(-5, 5))[1] == [False, True]
    assert rule_of([0.1, 1], None, LabelValues(0.1, 1))[1] == [True, False]  # as float32 holds it


def test_rewards_are_written_in_other_values() -> None:
    rule = SuccessRule("two values", 0.0, -1.0)
    written = rule.rewritten(np.array([-1, 0, 7, NAN], np.float32), LabelValues(1, 0))
    assert written.dtype == np.float32
    assert written[:3].tolist() == [0, 1, 7]
    assert np.isnan(written[3])
    assert rule.rewrites(LabelValues(1, 0))
    assert not rule.rewrites(LabelValues(0, -1))


@given(
    st.lists(st.booleans(), min_size=1),
    st.tuples(st.floats(-1e3, 1e3, width=32), st.floats(-1e3, 1e3, width=32)).filter(lambda v: v[0] < v[1]),
)
def test_any_two_values_say_the_same(success: list[bool], values: tuple[float, float]) -> None:
    rewards = np.where(success, values[1], values[0])
    labels = LabelValues(values[1], values[0])
    assert rule_of(rewards.tolist(), None, labels)[1] == success
    if len(set(success)) == 2:
        assert rule_of(rewards.tolist())[1] == success


@pytest.mark.parametrize(
    ("asked", "has_done", "wanted"),
    [(None, True, "keep"), (None, False, "episode_end"), ("first_success", True, "first_success")],
)
def test_default_of_done(asked: Done | None, has_done: bool, wanted: Done) -> None:
    assert default_done(asked, has_done) == wanted
