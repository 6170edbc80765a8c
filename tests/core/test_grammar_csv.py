"""The CSV form of annotations."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.annotations import Annotations, EpisodeAnnotation
from lerobot_grasp_plugin.core.grammar import form_of, format_text, parse
from lerobot_grasp_plugin.core.section_check import check_section
from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem

FRAMES = """\
# index_base: 0
episode,frame,reward
0,0,0
0,1,1
0,2,1
0,3,0
0,4,1
1,0,0
1,1,0
"""
RANGES = """\
# index_base: 1
episode,start,end
0,34,
1,40,48
1,60,nan
2,,
"""


def read(text: str, index_base: int | None = None) -> Annotations:
    parsed = parse(text, name="labels.csv", index_base=index_base)
    assert {warning.code for warning in parsed.warnings} <= {"no-range"}
    return parsed.annotations


def ranges(annotations: Annotations) -> dict[int, list[tuple[int, int | None]]]:
    return {
        episode.episode_index: [(item.start, item.stop) for item in episode.ranges]
        for section in annotations.sections
        for episode in section.episodes
    }


def errors(text: str, index_base: int | None = None) -> tuple[Problem, ...]:
    with pytest.raises(AnnotationError) as caught:
        parse(text, name="labels.csv", index_base=index_base)
    return caught.value.problems


def test_one_line_a_frame() -> None:
    annotations = read(FRAMES)
    assert form_of(FRAMES).name == "CSV"
    assert ranges(annotations) == {0: [(1, 3), (4, 5)], 1: []}
    assert annotations.index_base == 0
    assert [episode.frames for episode in annotations.sections[0].episodes] == [5, 2]
    assert format_text(annotations) == "# index_base: 0\n00: 1-2, 4\n01: all fail\n"


def test_one_line_a_range() -> None:
    parsed = parse(RANGES, name="labels.csv")
    assert ranges(parsed.annotations) == {0: [(33, None)], 1: [(39, 48), (59, None)], 2: []}
    (warning,) = parsed.warnings
    assert (warning.code, str(warning.place)) == ("no-range", "labels.csv:6:3")
    assert warning.message == "rows without start and end count as all failure: episode 2"
    assert format_text(parsed.annotations) == "00: 34-\n01: 40-48, 60-\n02: all fail\n"


@pytest.mark.parametrize("delimiter", [";", "\t", " , "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    for text in (FRAMES, RANGES):
        written = "\ufeff" + text.replace(",", delimiter).replace("\n", end)
        assert read(written) == read(text)


@pytest.mark.parametrize(
    "text",
    [
        "episode_index,frame_index,next.reward\n0,1,0\n0,2,1.0\n",
        "Episode,Frame,Success\n0,1,False\n0,2,True\n",
        "episode,frame,label\n0,1,fail\n0,2,success\n",
        "episode,frame,is_success\n0,1,no\n0,2,yes\n",
        "frame,episode,reward\n2,0,1\n1,0,0\n",
        "episode,frame,reward\n0.0,1.0,0.0\n0.0,2.0,1.0\n",
        '"episode","frame","reward"\n"0","1","0"\n"0","2","1"\n',
        "episode,frame,reward,,\n0,1,0,,\n,,,,\n0,2,1,,\n",
        "# success_value: 10\n# failure_value: -0.05\nepisode,frame,reward\n0,1,-0.05\n0,2,10\n",
        "# success_value: 0\n# failure_value: -1\nepisode,frame,reward\n0,1,-1\n0,2,0\n",
        "episode,start,end\n0,2,2\n",
        "episode,success_start,success_end\n0,2.0,2.0\n",
    ],
)
def test_names_and_values(text: str) -> None:
    assert ranges(read(text, 1)) == {0: [(1, 2)]}


def test_a_column_names_the_dataset() -> None:
    annotations = read("dataset,episode,start,end\nme/a,0,3,\nme/b,0,4,\nme/a,1,5,\n", 0)
    assert [(section.dataset, len(section.episodes)) for section in annotations.sections] == [
        ("me/a", 2),
        ("me/b", 1),
    ]


def test_a_header_names_the_dataset_and_remarks_are_kept() -> None:
    text = "# by hand\n# index_base: 1\n# dataset path: me/a  # night\n# twice\nepisode,start,end,note\n"
    annotations = read(text + '0,3,,"slow, dark"\n')
    assert format_text(annotations) == (
        "# by hand\n# dataset path: me/a  # night\n# twice\n00: 3-  # slow, dark\n"
    )


def test_a_reset_changes_no_label_and_is_named() -> None:
    frames = parse("episode,frame,reward,reset\n0,0,nan,1\n0,1,1,0\n0,2,0,True\n", name="x", index_base=0)
    assert ranges(frames.annotations) == {0: [(1, 2)]}
    assert [warning.code for warning in frames.warnings] == ["reset-unused"]
    assert "2 rows" in frames.warnings[0].message
    rows = parse("episode,start,end,reset\n0,5,6,0\n0,nan,nan,1\n1,nan,nan,1\n", name="x", index_base=0)
    assert ranges(rows.annotations) == {0: [(5, 7)]}  # nothing is said of episode 1


@pytest.mark.parametrize(
    ("rows", "code", "where"),
    [
        ("episode,frame,reward\n0,0,nan\n", "missing-label", "1:5"),
        ("episode,frame,reward\n0,0,\n", "missing-label", "1:5"),
        ("episode,frame,reward,reset\n0,0,1,1\n", "reset-doubtful", "1:5"),
        ("episode,frame,reward,reset\n0,0,1,7\n", "wrong-type", "1:7"),
        ("episode,frame,reward\n0,1,1\n", "frames-missing", "1:1"),
        ("episode,frame,reward\n0,0,1\n0,3,1\n", "frames-missing", "1:1"),
        ("episode,frame,reward\n0,0,1\n0,0,1\n", "frame-listed-twice", "2:1"),
        ("episode,frame,reward\n0,0,0.5\n0,1,0.7\n", "reward-unknown", "1:5"),
        ("episode,frame,reward\n0,0,inf\n", "reward-unknown", "1:5"),
        ("episode,frame,success\n0,0,maybe\n", "wrong-type", "1:5"),
        ("episode,frame,reward\n0,1.5,1\n", "time-not-frame", "1:3"),
        ("episode,frame,reward\nx,0,1\n", "wrong-type", "1:1"),
        ("episode,frame,reward\n,0,1\n", "missing-number", "1:1"),
        ("episode,frame,reward\n-1,0,1\n", "negative-number", "1:1"),
        ("episode,frame,reward\n0,-1,1\n", "negative-number", "1:3"),
        ("episode,frame,reward\n0,0\n", "wrong-cells", "1:1"),
        ("episode,frame,reward\n0,0,1,9\n", "wrong-cells", "1:1"),
        ('episode,frame,reward\n0,0,"1\n', "not-csv", "1:1"),
        (",episode,frame,reward\n0,0,0,1\n", "csv-columns", "1:1"),
        ("episode,start,end\n0,nan,5\n", "missing-ranges", "1:3"),
        ("episode,start,end\n0,9,5\n", "reversed-range", "1:3"),
        ("episode,start,end\n0,5,9\n0,7,\n", "overlapping-ranges", "2:3"),
        ("episode,start,end\n0,5,9\n0,,\n", "conflicting-rows", "2:3"),
        ("episode,start,end\n0,3.4,\n", "time-not-frame", "1:3"),
        ("episode,start,end\n0,0:03,\n", "time-not-frame", "1:3"),
        ("episode,start,end\n0,\uff13\uff14,\n", "foreign-digits", "1:3"),
        ("episode,start,end,reset\n0,5,9,1\n", "reset-doubtful", "1:3"),
        ("episode,start,end,dataset\n0,5,9,\n", "missing-dataset", "1:7"),
        ("episode,start,end\n0,5,9\n# success_value: 1\n", "bad-label-values", "2:1"),
        ("episode,start,end\n0,5,9\n# 1-indexed\n", "index-base-doubtful", "2:1"),
        ("episode,start,end,note\n0,5,9,1-indexed\n", "index-base-doubtful", "1:7"),
    ],
)
def test_faults_of_rows(rows: str, code: str, where: str) -> None:
    (problem,) = [found for found in errors(rows, 0) if found.code != "no-episodes"]
    line, column = where.split(":")
    assert (problem.code, str(problem.place)) == (code, f"labels.csv:{int(line) + 1}:{column}")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("ep,frm,reward", "'ep', 'frm' are unknown"),
        ("episode,fram,reward", "did you mean frame?"),
        ("episode_index,frame_index,next.reward,timestamp", "'timestamp' is unknown"),
        ("episode,start,stop", "'stop' is unknown"),
        ("episode,frame,frame_index,reward", "mean the same"),
        ("episode,frame,reward,success", "both 'reward' and 'success'"),
        ("episode,frame", "are not enough"),
        ("episode,start", "are not enough"),
        ("frame,reward", "are not enough"),
        ("episode,frame,reward,start,end", "columns of frames and columns of ranges"),
        ("0,34,48", "does not name the columns"),
        ("Labels of Monday, by me", "are unknown"),
    ],
)
def test_columns_that_are_no_annotations_are_one_error(columns: str, said: str) -> None:
    """Not one error a line."""
    cells = ",".join("1" for _ in columns.split(","))
    (problem,) = errors(f"{columns}\n" + f"{cells}\n" * 345)
    assert problem.code == "csv-columns"
    assert str(problem.place).startswith("labels.csv:1:")
    assert said in problem.message


def test_the_index_base_must_be_known() -> None:
    text = "episode,start,end\n0,34,\n"
    assert [problem.code for problem in errors(text)] == ["index-base-missing"]
    assert [ranges(read(text, base)) for base in (0, 1)] == [{0: [(34, None)]}, {0: [(33, None)]}]
    text = "# index_base: 1\n" + text
    assert [problem.code for problem in errors(text, 0)] == ["index-base-contradiction"]
    assert [problem.code for problem in errors(text.replace("34", "0"))] == ["frame-zero"]


def test_a_dataset_is_named_once() -> None:
    text = "# dataset path: me/a\ndataset,episode,start,end\nme/a,0,3,\n"
    assert [problem.code for problem in errors(text, 0)] == ["conflicting-keys"]


@pytest.mark.parametrize(
    "text",
    [
        "07: 45-, 50\n",
        "0, 3-5\n",
        "0: 3-\nhello, world\n",
        "# a, b\n0: 3-\n",
        "labels of Monday, by me\n0: 3-\n1: 4-\n",
    ],
)
def test_text_is_no_csv(text: str) -> None:
    assert form_of(text).name == "text"


def test_listed_frames_must_be_those_of_the_episode() -> None:
    (section,) = read(FRAMES).sections
    assert check_section(section, [5, 2], name="x", index_base=0) == []
    problems = check_section(section, [6, 1], name="x", index_base=0)
    assert [(problem.code, str(problem.place)) for problem in problems] == [
        ("frames-missing", "x:3"),
        ("frames-missing", "x:8"),
    ]
    assert problems[0].message == "episode 0 has 6 frames, but the file lists 5"


cells = st.sampled_from(
    ["", "0", "1", "2", "3.0", "nan", "1.5", "true", "x", '"', "-1", "me/a", "3-", "#", "\uff13"]
)
names = st.sampled_from(
    ["episode", "frame", "reward", "success", "start", "end", "reset", "dataset", "note", "", "x", "0"]
)


def outcome(text: str, index_base: int | None) -> Annotations | AnnotationError:
    try:
        return parse(text, name="x", index_base=index_base).annotations
    except AnnotationError as error:
        return error


@settings(deadline=None)
@given(
    st.lists(names, max_size=5),
    st.lists(st.lists(cells, max_size=5), max_size=6),
    st.sampled_from(",;\t"),
    st.sampled_from([None, 0, 1]),
)
def test_any_table_is_read_or_is_an_annotation_error(
    columns: list[str], rows: list[list[str]], delimiter: str, index_base: int | None
) -> None:
    found = outcome("\n".join(delimiter.join(row) for row in [columns, *rows]), index_base)
    if isinstance(found, AnnotationError):
        assert found.problems
    else:
        assert parse(format_text(found), name="x").annotations == found


@settings(deadline=None)
@given(
    st.lists(st.lists(st.booleans(), min_size=1, max_size=12), min_size=1, max_size=4),
    st.sampled_from([0, 1]),
    st.randoms(use_true_random=False),
)
def test_frames_in_any_order_give_their_own_labels(episodes: list[list[bool]], base: int, random) -> None:
    rows = [
        (index, frame + base, int(success))
        for index, frames in enumerate(episodes)
        for frame, success in enumerate(frames)
    ]
    random.shuffle(rows)
    file = io.StringIO()
    csv.writer(file).writerows([("episode", "frame", "reward"), *rows])
    (section,) = parse(file.getvalue(), name="x", index_base=base).annotations.sections
    found: dict[int, EpisodeAnnotation] = {item.episode_index: item for item in section.episodes}
    assert [found[i].success.mask(len(frames)).tolist() for i, frames in enumerate(episodes)] == episodes


def test_frames_from_zero_in_a_file_that_counts_from_one_are_an_error() -> None:
    rows = "".join(f"0,{frame},{int(frame > 2)}\n" for frame in range(6))
    text = "# index_base: 1\n# dataset path: me/a\nepisode,frame,reward\n" + rows
    with pytest.raises(AnnotationError, match="frame-zero"):
        parse(text, name="labels.csv")
