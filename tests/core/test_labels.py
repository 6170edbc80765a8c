from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest

from lerobot_grasp_plugin.core.annotations import AnnotationSection, EpisodeAnnotation
from lerobot_grasp_plugin.core.choices import Alignment, Done
from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.labels import EpisodeLabels, check_section, label_episode, unlisted_episodes

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


TEXT = """\
# a_1
0: 3-10
1: all success
2: 11-
3: 4, 8-11, 12-
7: 2-
"""


@pytest.mark.parametrize("lengths", [[10, 10, 10, 10], {0: 10, 1: 10, 2: 10, 3: 10}])
def test_check_section_names_every_label_that_does_not_fit(
    lengths: Sequence[int] | Mapping[int, int],
) -> None:
    (section,) = parse(TEXT, name="labels.txt").annotations.sections
    problems = check_section(section, lengths, name="labels.txt", index_base=1)
    assert [(problem.code, problem.where) for problem in problems] == [
        ("range-past-end", "labels.txt:4:4"),
        ("range-past-end", "labels.txt:5:7"),
        ("range-past-end", "labels.txt:5:13"),
        ("unknown-episode", "labels.txt:6"),
    ]
    assert problems[1].message == (
        "episode 3: 8-11 reaches past the end; the episode has 10 frames, the last is frame 10 (1-indexed)"
    )
    assert problems[1].excerpt == "3: 4, 8-11, 12-\n      ^^^^"
    assert "0 to 3" in problems[3].hint


def test_the_last_frame_fits_in_either_base() -> None:
    for base in (0, 1):
        (section,) = parse(f"0: 3-{9 + base}\n1: {9 + base}-", name="x", index_base=base).annotations.sections
        assert check_section(section, [10, 10], name="x", index_base=base) == []
        assert len(check_section(section, [9, 9], name="x", index_base=base)) == 2


def test_annotations_from_no_file_are_checked_too() -> None:
    section = AnnotationSection("a_1", (EpisodeAnnotation(4, (FrameInterval(3, 12),)),))
    (problem,) = check_section(section, {4: 10}, name="recorded", index_base=0)
    assert (problem.where, problem.excerpt) == ("recorded", "")
    assert "3-11" in problem.message


def test_json_labels_are_located_by_range() -> None:
    text = '{"index_base": 1,\n "4": {"ranges": [[1, 2],\n  [8, 30]]}}'
    (section,) = parse(text, name="l.json").annotations.sections
    (problem,) = check_section(section, {4: 10}, name="l.json", index_base=1)
    assert (problem.where, problem.excerpt) == ("l.json:3:3", "  [8, 30]]}}\n  ^^^^^^^")


def test_unlisted_episodes() -> None:
    (section,) = parse(TEXT, name="x").annotations.sections
    assert unlisted_episodes(section.episodes, [10] * 6) == (4, 5)
    assert unlisted_episodes(section.episodes, {9: 4, 3: 4, 8: 4}) == (8, 9)


@pytest.mark.parametrize(
    ("exclude", "wanted"), [("[7]", 4), ("[[6, 7]]", 3), ("[[3, 3], [7, 7]]", 3), ("[[6, null]]", 3)]
)
def test_excluding_the_last_frame_of_an_open_range(exclude: str, wanted: int) -> None:
    text = f'{{"index_base": 1, "0": {{"ranges": [[3, null]], "exclude": {exclude}}}}}'
    section = parse(text.encode(), name="labels.json").annotations.sections[0]
    assert not check_section(section, [7], name="labels.json", index_base=1)
    success = section.episodes[0].success.clip(7).mask(7)
    assert success.sum() == wanted
    assert not success[-1]


@pytest.mark.parametrize("ranges", ["[[3, null]]", "[[3, 5]]"])
@pytest.mark.parametrize("exclude", ["[[8, 9]]", "[99]", "[8]"])
def test_excluding_past_the_end_is_one_error(ranges: str, exclude: str) -> None:
    text = f'{{"index_base": 1, "0": {{"ranges": {ranges}, "exclude": {exclude}}}}}'
    section = parse(text.encode(), name="labels.json").annotations.sections[0]
    [problem] = check_section(section, [7], name="labels.json", index_base=1)
    assert problem.code == "range-past-end"
    written = exclude.strip("[]").replace(", ", "-")
    assert problem.message.startswith(f"episode 0: {written} begins past the end")


def test_excluding_what_is_no_success_says_so() -> None:
    text = '{"index_base": 1, "0": {"ranges": [[3, 5]], "exclude": [6]}}'
    [warning] = parse(text.encode(), name="labels.json").warnings
    assert "frames 6 (1-indexed) count as failure, as they would without it" in warning.message
