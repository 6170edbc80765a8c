"""Annotations against the episodes of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from lerobot_grasp_plugin.core.annotations import AnnotationSection, EpisodeAnnotation
from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.core.section_check import check_section

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
    assert [(problem.code, str(problem.place)) for problem in problems] == [
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
    assert (str(problem.place), problem.excerpt) == ("recorded", "")
    assert "3-11" in problem.message


def test_json_labels_are_located_by_range() -> None:
    text = '{"index_base": 1,\n "4": {"ranges": [[1, 2],\n  [8, 30]]}}'
    (section,) = parse(text, name="l.json").annotations.sections
    (problem,) = check_section(section, {4: 10}, name="l.json", index_base=1)
    assert (str(problem.place), problem.excerpt) == ("l.json:3:3", "  [8, 30]]}}\n  ^^^^^^^")


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
    assert "frames 6 (1-indexed) count as failure, as they would without `exclude`" in warning.message
