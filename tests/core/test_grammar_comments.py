"""Which comment lines are headers or state the index base, and which are remarks."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.annotations import Annotations
from lerobot_grasp_plugin.core.grammar import format_text, parse
from lerobot_grasp_plugin.core.grammar_comments import is_one_path, says_dataset
from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem

REMARKS = """\
dataset recorded on Monday
dataset is incomplete
dataset incomplete
the dataset: see the lab book
datasets: this one and the one of Tuesday
dataset size: 15 episodes
dataset date: 2024-11-05
dataset rate: 10
data: recorded at night
dates: Monday, Tuesday
database: none
report: slow
source: teleop
name: left
repo cleaned on Monday
path of the gripper is odd
path: a straight line
root cause: the light
folder was renamed later
labelled by: me
TODO: look again
task: pick up the cube
camera: wrist_1
note: 3-5 are blurred
fps: 10
frames are dark from 0 on
frames 0 to 5 are dark
frame 0 is black
frame 1 is blurred in each episode
frames 1 to 3 are dark
frame count: 64
frame rate: 10
first frame is dark
first frame is 1 s late
first frames: 0 to 3
starts at 0 degrees
success starts at 0.5 s
the gripper starts at 0
the arm begins at 1
labels start at 1 s before the grasp
count of slips: 1
one based on the video of camera 2
1 of 3 attempts
the end of the table
episode 3 is half open drawer
the drawer is half open
the drawer stands half open at the end
end of the range of motion
the gripper opens at the end
both ends are inclusive
ends are inclusive
ranges include both ends
exclusive use of camera 2
last frame is inclusive
frames are numbers of image files
numbers are frame numbers
numbers are frames
every third frame is dark
every other frame is blurred
labels are seconds late
2 seconds are missing
seconds matter here
the first 3 seconds are dark
time is short
in a hurry
crop [0, 80, 480, 480]
[3, 5]
rows of the table are dusty
episodes are 0-indexed
the first episode is 0
frames count from 1 in every episode
in this episode counting starts at 1
1 is the first frame
frame 1 is the first one
like frame 3 of episode 2
starts with 0 slips
base 0 of the arm moved
index 0 of the camera list
start 0 of the day
seconds are precious
first attempt failed
excluded from training
without the end
stride of the robot is odd
long strides
0 slips, 1 drop
based on 0 evidence
re-indexed by hand
index finger in view
index: see the lab book
base of the arm in view
base moved by 1 cm
episodes are numbered from 0
episodes count from 0, as LeRobot does
episode numbers start at 0
counted 15 successes
numbers are exact
1-indexed
1-based
frames count from 1
Frames are 1-indexed, as the file names are
labelled on Monday, 1-indexed
first frame is 1
first frame is number 1
frames 1 to n
frames from 0 to 12 are dark
starts at 0.5 rad
frame 30: from 0 to 1 in one step
flag
flagged by the review
flags of LeRobot are kept
note 3 is the long one
the flag 3
index-base 1
index base is 1
indexing: 1
base: 1
re-check
left_arm
day2
v2
so101_v1
done
2024-11-05
12/11
05: 46-
40-48
~30 frames are doubtful
/ is nothing
a / b
left / right
https://example.com/notes
good ones:
= = =
----
""".splitlines()


WORDS = """\
the a dark blurred frames frame episode 3 4-5 0 1 is are from at gripper slipped again of cube
dataset path base number look good night lamp camera and to 12, twice.
"""


def outcome(text: str) -> Annotations | AnnotationError:
    try:
        return parse(text, name="x").annotations
    except AnnotationError as error:
        return error


def read(text: str, *datasets: str) -> Annotations:
    parsed = parse(text, name="labels.txt", is_dataset=datasets.__contains__)
    assert parsed.warnings == ()
    return parsed.annotations


def errors(text: str, index_base: int | None = None) -> tuple[Problem, ...]:
    with pytest.raises(AnnotationError) as caught:
        parse(text, name="labels.txt", index_base=index_base)
    return caught.value.problems


@pytest.mark.parametrize("remark", REMARKS)
def test_a_plausible_remark_changes_nothing(remark: str) -> None:
    text = f"0: 3-\n# {remark}\n1: all fail\n"
    annotations = read(text)
    (section,) = annotations.sections
    first, second = section.episodes
    assert (first.before, second.before) == ((), (f"# {remark}",))
    assert first.ranges[0].start == 2
    assert format_text(annotations) == text


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), min_size=2, max_size=7))
@example(["number", "dataset", "number"])
def test_sentences_are_never_headers(words: list[str]) -> None:
    """Neither read as a header nor refused as one."""
    found = outcome(f"0: 3-\n# {' '.join(words)}\n1: all fail\n")
    if isinstance(found, AnnotationError):
        assert {problem.code for problem in found.problems} <= {"index-base-doubtful", "counting-doubtful"}
    else:
        assert [len(section.episodes) for section in found.sections] == [2]


@pytest.mark.parametrize("word", ["day2", "left_arm", "plain", "re-check", "me:set"])
def test_a_word_is_a_header_where_it_names_a_dataset(word: str) -> None:
    text = f"0: 3-\n# {word}  # at night\n0: 4-\n"
    annotations = read(text, word)
    assert [(section.dataset, section.comment) for section in annotations.sections] == [
        (None, None),
        (word, "at night"),
    ]
    assert format_text(annotations) == text
    assert [problem.code for problem in errors(text)] == ["episode-listed-twice"]


def test_a_remark_stays_a_remark_where_a_header_says_the_same() -> None:
    text = "# dataset path: day2\n0: 3-\n# day2\n1: 4-\n"
    annotations = read(text)
    assert len(annotations.sections) == 1
    assert format_text(annotations) == text


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("# datset path: other/x", "other/x"),
        ("# dataset_pth: x", "x"),
        ("# dataset paht: /data/my set", "/data/my set"),
        ("# Datset: so101_v1", "so101_v1"),
        ("# dtaset: so101", "so101"),
        ("# data set: x", "x"),
        ("# data path: ./x", "./x"),
        ("# rep_id: me/x", "me/x"),
        ("# repo: me/x", "me/x"),
        ("# path: ~/x", "~/x"),
        ("# root: /data/x", "/data/x"),
        ("# dataset_root: x", "x"),
        ("# dataset name: x", "x"),
        ("# dataset path other/x", "other/x"),
        ("# dataset other/x", "other/x"),
        ("# dataset so101_v1", "so101_v1"),
        ("# repo_id me/x", "me/x"),
        ("# datset path me/x", "me/x"),
        ("# === dataset path: me/x ===", "me/x"),
    ],
)
def test_what_is_almost_a_header_is_an_error(line: str, meant: str) -> None:
    (problem,) = errors(f"0: 3-\n{line}\n0: 4-\n")
    assert (problem.code, str(problem.place)) == ("header-doubtful", "labels.txt:2:1")
    assert f"`# dataset path: {meant}`" in problem.message


@pytest.mark.parametrize("line", ["# day2:", "# == day2 ==", "# [day2]", "# day2 (at night)", '# "day2"'])
def test_a_decorated_name_of_a_dataset_is_almost_a_header(line: str) -> None:
    text = f"0: 3-\n{line}\n1: 4-\n"
    with pytest.raises(AnnotationError, match=r"did you mean `# dataset path: day2`\?"):
        parse(text, name="x", is_dataset=["day2"].__contains__)
    assert len(read(text).sections) == 1


@pytest.mark.parametrize("remark", ["day2 was dark", "- day2", "day2: 15 episodes", "as on day2"])
def test_a_sentence_with_the_name_of_a_dataset_is_a_remark(remark: str) -> None:
    assert len(read(f"0: 3-\n# {remark}\n1: 4-\n", "day2").sections) == 1


@pytest.mark.parametrize(
    "line",
    [
        "# 0-indexed",
        "# zero-indexed",
        "# Zero indexed",
        "# 0 indexed",
        "# 0-based",
        "# zero_based",
        "# 0-index",
        "# frames count from 0",
        "# frames are counted from zero",
        "# counting from 0",
        "# numbered from 0.",
        "# indexed from 0",
        "# indices start at 0",
        "# frame numbers start at 0",
        "# numbering starts with 0",
        "# ranges start at 0",
        "# first frame is 0",
        "# the first frame has number 0",
        "# first frame: 0",
        "# first frame = 0",
        "# index-base 0",
        "# index_base is 0",
        "# indx_base: 0",
        "# idx base: 0",
        "# index bas: 0",
        "# base: 0",
        "# offset 0",
        "# frame offset: 0",
        "# base = zero",
        "# index: 0",
        "# frame base: 0",
        "# start_index: 0",
        "# note: index_base: 0",
        "# frames count from 0; episodes, too",
        "# frames of this episode count from 0",
    ],
)
def test_another_index_base_than_the_numbers_are_read_with_is_an_error(line: str) -> None:
    (problem,) = errors(f"{line}\n0: 3-\n")
    assert (problem.code, str(problem.place)) == ("index-base-doubtful", "labels.txt:1:1")
    assert "`# index_base: 0`" in problem.hint
    for said, index_base in ((f"# index_base: 0\n{line}\n0: 3-\n", None), (f"{line}\n0: 3-\n", 0)):
        parsed = parse(said, name="x", index_base=index_base)
        assert parsed.warnings == ()
        assert parsed.annotations.sections[0].episodes[0].ranges[0].start == 3


@pytest.mark.parametrize("line", ["# indx_base: 2", "# index-base 7", "# index_base is 10"])
def test_an_index_base_that_there_is_not(line: str) -> None:
    assert [problem.code for problem in errors(f"{line}\n0: 3-\n")] == ["index-base-unknown"]


def test_a_line_that_contradicts_the_stated_base_is_an_error() -> None:
    for base, line in ((0, "# 1-indexed"), (0, "# frames count from 1"), (1, "# 0-based")):
        text = f"# index_base: {base}\n{line}\n0: 3-\n"
        assert [problem.code for problem in errors(text)] == ["index-base-doubtful"]
    (problem,) = errors("0: 3-  # 33 in the 0-indexed notebook\n")
    assert (problem.code, str(problem.place)) == ("index-base-doubtful", "labels.txt:1:8")


@pytest.mark.parametrize(
    ("line", "says", "path"),
    [
        ("# dataset path: a b", True, False),
        ("# /data/x  # at night", False, True),
        ("# ./run the script", False, False),
        ("# left/right", False, False),
    ],
)
def test_how_sure_a_header_is(line: str, says: bool, path: bool) -> None:
    assert (says_dataset(line), is_one_path(line)) == (says, path)


CONTRADICTIONS = """\
end exclusive
ends are exclusive
the end is exclusive
end (exclusive)
exclusive end
stop is not included
last frame excluded
last frame not included
excluding the last frame
start exclusive
ranges are half-open
ranges: half open
half-open
half-open ranges
half-open intervals, as in the old tool
all intervals are half open
exclusive
exclusive.
[start, end)
ranges are [a, b)
(40, 48]
python slices
episodes count from 1
episodes are counted from 1
episodes are 1-indexed
1-based episodes
episode numbers start at 1
first episode is 1
frames and episodes count from 1
episodes and frames count from 1
numbers are seconds
numbers are in seconds
ranges are in ms
unit: s
in seconds
times are in seconds.
labels: timestamps
numbers are timestamps
numbers are rows
numbers are row numbers of the table
numbers are the index column
numbers are global indices
start, length
second number is the length
every 3rd frame
numbers count every third frame
extracted every 3rd frame
images extracted at every 2nd frame
stride 3
stride: 3
frames of the stride-3 extraction
seconds
timestamps
""".splitlines()
ZERO = """\
numbers are frame_index
numbers are the frame index
ranges are in frame_index
these are frame indices
frame_index
ranges are LeRobot's frame_index
python indices
frames are numbered starting at 0
frames are counted starting with zero
0 indexing
zero indexing
frame 0 is the first
number 0 is the first frame
zero based
0-idx
base 0
index 0
start index 0
start=0
numbering: 0
0 = first frame
like LeRobot's frame_index
frame_index of LeRobot
we start at zero
frames from 0
all frames from zero
starts at 0
starting at frame 0
from zero
index starts 0
count starts with 0
frame indices (0..n-1)
frames 0 to length - 1
LeRobot frame_index numbers
C-style indices
""".splitlines()


@pytest.mark.parametrize("comment", [*CONTRADICTIONS, *ZERO])
@pytest.mark.parametrize("place", ["# {}\n0: 3-5\n", "0: 3-5\n# {}\n", "0: 3-5  # {}\n"])
def test_a_comment_about_another_counting_is_an_error(comment: str, place: str) -> None:
    found = errors(place.format(comment))
    assert {problem.code for problem in found} <= {"counting-doubtful", "index-base-doubtful"}
    assert all(problem.hint for problem in found)


@pytest.mark.parametrize("comment", CONTRADICTIONS)
def test_another_counting_is_an_error_in_every_form(comment: str) -> None:
    text = json.dumps({"index_base": 1, "0": {"ranges": [[3, 5]], "comment": comment}})
    assert "counting-doubtful" in {problem.code for problem in errors(text)}
    quoted = f'"{comment}"'
    found = errors(f"episode,start,end,note\n0,3,5,{quoted}\n", index_base=1)
    assert "counting-doubtful" in {problem.code for problem in found}


@pytest.mark.parametrize("comment", ZERO)
def test_a_comment_that_counts_from_zero_agrees_with_index_base_0(comment: str) -> None:
    assert read(f"# index_base: 0\n# {comment}\n0: 3-\n").sections[0].episodes[0].ranges[0].start == 3


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("# flg 8: bad", "# flag 08: bad"),
        ("# flag: 6", "# flag 06"),
        ("# Flag = 6", "# flag 06"),
        ("# flagged 9: bad", "# flag 09: bad"),
        ("# flags 3, 4", "# flag 03: 4"),
        ("# flag 7 look again", "# flag 07: look again"),
        ("# flag episode 7: bad", "# flag 07: bad"),
        ("# flag 7-9", "# flag 07: 9"),
        ("#flag7 bad", "# flag 07: bad"),
    ],
)
@pytest.mark.parametrize("text", ["{}\n0: 3-5\n", "0: 3-5\n{}\n", "{}\nepisode,start,end\n0,3,5\n"])
def test_what_is_almost_a_flag_is_an_error(line: str, meant: str, text: str) -> None:
    (problem,) = errors(text.format(line), index_base=1)
    assert problem.code == "flag-doubtful"
    assert problem.message == f"this looks like a misspelt flag: did you mean `{meant}`?"


def test_another_counting_says_what_was_probably_meant() -> None:
    (problem,) = errors("# ranges are half-open\n0: 3-5\n")
    assert problem.message == "the comment says `ranges are half-open`, but both ends of a range are included"
    assert problem.hint.startswith("write the last success frame of each range")
    (problem,) = errors("0: 3-5\n# episodes count from 1\n")
    assert problem.message == "the comment says `count from 1`, but episodes count from 0 in every file"
