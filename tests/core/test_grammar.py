from __future__ import annotations

import pytest

from lerobot_grasp_plugin.core.annotations import Annotations
from lerobot_grasp_plugin.core.grammar import format_text, parse
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem

SEED = """\
# dataset path: ~/.cache/huggingface/lerobot/gtgando/so101_grasp_only_v1
00: 34-
01: 46-
02: 28-
03: 44-
04: 38-
05: 46-
06: 23-
07: 26-
08: 56-
09: 49-
10: 40-
11: 29-
12: 31-
13: 46-
14: 40-48, 60-  # frames 40-48 success, then frames 60+ success

# ~/.cache/huggingface/lerobot/gtgando/so101_grasp_only_negative_v1
00: all fail
01: all fail
02: 81-
03: all fail
04: all fail
05: all fail
06: all fail
07: 45-
08: 52-
09: 56-58,61-63,66-  # intermittent success ranges
"""
POSITIVE = (64, 76, 58, 70, 66, 72, 55, 57, 78, 74, 68, 60, 61, 70, 62)
NEGATIVE = (100, 100, 95, 100, 100, 99, 99, 76, 77, 90)


def read(text: str | bytes, index_base: int | None = None) -> Annotations:
    parsed = parse(text, name="labels.txt", index_base=index_base)
    assert parsed.warnings == ()
    return parsed.annotations


def ranges(text: str, index_base: int | None = None) -> list[tuple[int, int | None]]:
    (section,) = read(text, index_base).sections
    (episode,) = section.episodes
    return [(item.start, item.stop) for item in episode.ranges]


def errors(text: str | bytes, index_base: int | None = None) -> tuple[Problem, ...]:
    with pytest.raises(AnnotationError) as caught:
        parse(text, name="labels.txt", index_base=index_base)
    return caught.value.problems


def counts(annotations: Annotations) -> list[int]:
    return [
        sum(episode.success.count(lengths[episode.episode_index]) for episode in section.episodes)
        for section, lengths in zip(annotations.sections, (POSITIVE, NEGATIVE), strict=True)
    ]


def test_the_seed_has_523_success_frames() -> None:
    annotations = read(SEED)
    assert [section.dataset for section in annotations.sections] == [
        "~/.cache/huggingface/lerobot/gtgando/so101_grasp_only_v1",
        "~/.cache/huggingface/lerobot/gtgando/so101_grasp_only_negative_v1",
    ]
    assert counts(annotations) == [419, 104]
    assert annotations.sections[0].episodes[14].comment == "frames 40-48 success, then frames 60+ success"
    assert annotations.sections[1].line == 18


@pytest.mark.parametrize("declared", ["in the file", "by argument"])
def test_the_same_numbers_read_0_indexed_have_504(declared: str) -> None:
    in_file = declared == "in the file"
    annotations = read("# index_base: 0\n" + SEED if in_file else SEED, None if in_file else 0)
    assert sum(counts(annotations)) == 504


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("34-", [(33, None)]),
        ("40-48", [(39, 48)]),
        ("57", [(56, 57)]),
        ("40-48, 60-", [(39, 48), (59, None)]),
        ("56-58,61-63,66-", [(55, 58), (60, 63), (65, None)]),
        ("1-1", [(0, 1)]),
        (" 40 - 48 ,60 -", [(39, 48), (59, None)]),
        ("1-2,3-4", [(0, 2), (2, 4)]),
        ("all fail", []),
        ("ALL  Fail", []),
        ("All Success", [(0, None)]),
        ("007-0010", [(6, 10)]),
        ("34-# note", [(33, None)]),
    ],
)
def test_ranges(written: str, expected: list[tuple[int, int | None]]) -> None:
    assert ranges(f"03: {written}") == expected


def test_the_index_base_shifts_frames_and_not_episodes() -> None:
    annotations = read("# index_base: 0\n5: 0-3, 7\n")
    (episode,) = annotations.sections[0].episodes
    assert annotations.index_base == 0
    assert episode.episode_index == 5
    assert episode.ranges == (FrameInterval(0, 4), FrameInterval(7, 8))


@pytest.mark.parametrize(
    ("line", "dataset"),
    [
        ("# dataset path: /data/my set", "/data/my set"),
        ("# Dataset_Path: plain", "plain"),
        ("# DATASET: two words", "two words"),
        ("#repo_id:me/set", "me/set"),
        ("# dataset path: a_1  # the good one", "a_1"),
        ("# /data/so101", "/data/so101"),
        ("# /data/my set  # the good one", "/data/my set"),
        ("# ~/so101", "~/so101"),
        ("# ./so101", "./so101"),
        ("# ../so101", "../so101"),
        ("# gtgando/so101", "gtgando/so101"),
        ("## gtgando/so101  # the good one", "gtgando/so101"),
        ("# data/gtgando/so101", "data/gtgando/so101"),
        ("# C:\\data\\my set", "C:\\data\\my set"),
        ("# data\\so101", "data\\so101"),
        ("# repo id: me/set", "me/set"),
        ("# dataset path = me/set", "me/set"),
    ],
)
def test_headers(line: str, dataset: str) -> None:
    (section,) = read(f"{line}\n0: 3-\n").sections
    assert section.dataset == dataset
    assert section.comment == ("the good one" if "good" in line else None)


@pytest.mark.parametrize(
    "line",
    [
        "# done",
        "# 05: 46-",
        "# Success: the banana lies on the plate",
        "# 40-48",
        "# 2024-11-05",
        "# ~30 frames are doubtful",
        "# / is nothing",
        "# dataset recorded at night",
        "# so101_v1 at night",
        "# so101_v1",
        "# 1-indexed",
        "# re-check",
        "# left_arm",
        "# day2",
        "# 12/11",
        "# https://example.com/notes",
        "#",
        "# # so101_v1",
    ],
)
def test_other_comments_are_no_headers(line: str) -> None:
    (section,) = read(f"{line}\n0: 3-\n").sections
    assert section.dataset is None
    assert section.episodes[0].before == (line,)


@pytest.mark.parametrize(
    ("line", "code", "column", "underlined"),
    [
        ("00 34-", "missing-colon", 3, " "),
        ("hello", "missing-colon", 1, "hello"),
        ("x: 34-", "unknown-token", 1, "x"),
        ("-1: 34-", "negative-number", 1, "-1"),
        ("00:", "missing-ranges", 4, ""),
        ("00:  # later", "missing-ranges", 4, " "),
        ("00: 3,,5", "missing-ranges", 7, ","),
        ("00: 3,", "missing-ranges", 7, ""),
        ("00: ,3", "missing-ranges", 5, ","),
        ("00: 3-5, end", "unknown-token", 10, "end"),
        ("00: fail", "unknown-token", 5, "fail"),
        ("00: 40\u201348", "unknown-token", 5, "40\u201348"),
        ("00: 3-5, -7", "negative-number", 10, "-7"),
        ("00: 3--5", "negative-number", 5, "3--5"),
        ("00: 3-5 7-", "trailing-junk", 9, "7-"),
        ("00: 3-4-5", "trailing-junk", 8, "-5"),
        ("00: 34- ok", "trailing-junk", 9, "ok"),
        ("00: 1.5", "time-not-frame", 5, "1.5"),
        ("00: all fail 3", "trailing-junk", 14, "3"),
        ("00: all fail, 3", "trailing-junk", 5, "all fail"),
        ("00: 0-3", "frame-zero", 5, "0-3"),
        ("00: 48-40", "reversed-range", 5, "48-40"),
        ("00: 40-48, 48-50", "overlapping-ranges", 12, "48-50"),
        ("00: 60-, 70", "overlapping-ranges", 10, "70"),
        ("00: 70, 60-", "overlapping-ranges", 5, "70"),
        ("1000000001: 3-", "number-too-large", 1, "1000000001"),
        ("00: 5-1000000001", "number-too-large", 5, "5-1000000001"),
        ("00: " + "9" * 5000, "number-too-large", 5, "9" * 96),
        ("00: 3- # index_base: 0", "index-base-misplaced", 8, "# index_base: 0"),
        ("# index_base: 0", "index-base-misplaced", 1, "# index_base: 0"),
        ("# index base = 2", "index-base-unknown", 1, "# index base = 2"),
        ("# dataset path:", "missing-dataset", 1, "# dataset path:"),
        ("07: 3-", "episode-listed-twice", 1, "07"),
        ("00: 3- \x00", "control-character", 8, "\ufffd"),
    ],
)
def test_every_error_has_its_code_and_place(line: str, code: str, column: int, underlined: str) -> None:
    problems = errors(f"# a remark\n7: 3-\n{line}\n")
    assert [problem.code for problem in problems] == [code]
    (problem,) = problems
    assert str(problem.place) == f"labels.txt:3:{column}"
    shown, carets = problem.excerpt.split("\n")
    assert carets.strip(" ") == "^" * max(1, len(underlined))
    at = carets.index("^")
    assert shown[at : at + len(underlined)] == underlined


def test_a_number_of_the_bound_is_read() -> None:
    assert ranges("1000000000: 1000000000") == [(10**9 - 1, 10**9)]


def test_all_errors_come_at_once_in_the_order_of_the_file() -> None:
    problems = errors("0: x, 5-4, -1\n1 3\n2: 0\n0: 3-\n# index_base: 1\n")
    assert [(problem.code, str(problem.place)) for problem in problems] == [
        ("unknown-token", "labels.txt:1:4"),
        ("reversed-range", "labels.txt:1:7"),
        ("negative-number", "labels.txt:1:12"),
        ("missing-colon", "labels.txt:2:2"),
        ("frame-zero", "labels.txt:3:4"),
        ("episode-listed-twice", "labels.txt:4:1"),
        ("index-base-misplaced", "labels.txt:5:1"),
    ]


def test_a_duplicate_names_the_first_line_also_across_sections() -> None:
    (problem,) = errors("# ./a_1\n0: 3-\n# ./b_1\n0: 3-\n# ./a_1\n1: 3-\n0: 5-\n")
    assert str(problem.place) == "labels.txt:7:1"
    assert "line 2" in problem.message


def test_a_header_may_come_back_with_other_episodes() -> None:
    annotations = read("# ./a_1\n0: 3-\n# ./b_1\n0: 3-\n# ./a_1\n1: 3-\n")
    assert [episode.episode_index for episode in annotations.listed("./a_1")] == [0, 1]


@pytest.mark.parametrize("text", ["", "\n\n", "# a_1\n", "# only a remark", b"\xef\xbb\xbf"])
def test_a_file_without_episodes_is_an_error(text: str | bytes) -> None:
    assert [problem.code for problem in errors(text)] == ["no-episodes"]


def test_the_argument_may_not_contradict_the_file() -> None:
    assert [p.code for p in errors("# index_base: 1\n0: 3-\n", 0)] == ["index-base-contradiction"]
    assert ranges("# index_base: 0\n0: 3-\n", 0) == [(3, None)]


def test_the_index_base_is_stated_once() -> None:
    assert [p.code for p in errors("# index_base: 0\n# index_base: 0\n0: 3-\n")] == ["index-base-twice"]


@pytest.mark.parametrize("wrong", [2, -1])
def test_another_index_base_is_a_mistake_of_the_caller(wrong: int) -> None:
    with pytest.raises(ValueError, match="index_base"):
        parse("0: 3-", name="labels.txt", index_base=wrong)


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("0: 60-, 40-48\n", "ranges-out-of-order", "labels.txt:1:9"),
        ("# me/so101_v1\n# me/so101_v2\n0: 3-\n", "empty-section", "labels.txt:1:1"),
        (
            "# index_base: 1\n# made from 0-indexed labels\n0: 3-\n",
            "index-base-doubtful",
            "labels.txt:2:1",
        ),
        ("# index_base: 0\n0: 3-  # 34+ (1-indexed)\n", "index-base-doubtful", "labels.txt:2:8"),
    ],
)
def test_what_is_harmless_is_a_warning(text: str, code: str, where: str) -> None:
    (warning,) = parse(text, name="labels.txt").warnings
    assert (warning.code, str(warning.place), warning.severity) == (code, where, "warning")


def test_ranges_out_of_order_are_kept_as_written() -> None:
    (episode,) = parse("0: 60-, 40-48\n", name="x").annotations.sections[0].episodes
    assert episode.ranges == (FrameInterval(59, None), FrameInterval(39, 48))


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_change_nothing(end: str, mark: bytes) -> None:
    assert read(mark + SEED.replace("\n", end).encode()) == read(SEED)


def test_bad_utf8_names_every_line_that_has_it() -> None:
    problems = errors(b"0: 3-\n1: 4- # caf\xe9\n2: 5-\n3: \xff\xff\n")
    assert [(p.code, str(p.place)) for p in problems] == [
        ("not-utf-8", "labels.txt:2:12"),
        ("not-utf-8", "labels.txt:4:4"),
    ]
    assert "0xe9" in problems[0].message
    str(problems[0]).encode()  # can be printed


def test_utf16_is_named() -> None:
    found = [(p.code, p.message) for p in errors("0: 3-".encode("utf-16"))]
    assert found == [("not-utf-8", "the file is UTF-16")]


def test_a_huge_file_is_refused_and_a_wrong_one_given_up() -> None:
    assert errors("#" * 5_000_000)[0].code == "file-too-large"
    assert [problem.code for problem in errors("x\n" * 100_000)] == ["not-annotations"]
    problems = errors("0 x\n" * 100_000)
    assert len(problems) == 1001
    assert problems[-1].code == "too-many-errors"


def test_a_long_line_is_shown_around_the_caret() -> None:
    (problem,) = errors("0: " + ", ".join(str(i) for i in range(1, 2000, 2)) + ", oops, 5000-")
    shown, carets = problem.excerpt.split("\n")
    assert len(shown) <= 100
    assert shown[carets.index("^") :].startswith("oops")


MESSY = """\
# Success: the cube is lifted.
   # index_base: 0   # as in LeRobot

# me/so101_v1 # first evening
 0 : 3 -,1
01:all  success# perfect

# doubtful:
# 02: 4-
2: 5,  7-9   #   twice
#

#  the end
"""


def test_an_untouched_file_is_written_as_it_was() -> None:
    for text in (SEED, MESSY):
        assert format_text(parse(text, name="x").annotations) == text


def test_a_changed_range_is_never_written_in_its_old_spelling() -> None:
    from dataclasses import replace

    annotations = read("0: 34-  # note\n")
    (section,) = annotations.sections
    episode = replace(section.episodes[0], ranges=(FrameInterval(4, 9),))
    changed = replace(annotations, sections=(replace(section, episodes=(episode,)),))
    assert format_text(changed) == "00: 5-9  # note\n"


def test_another_index_base_rewrites_the_numbers() -> None:
    from dataclasses import replace

    text = "# a remark\n# index_base: 1\n0: 34-, 3\n1: all fail\n"
    annotations = parse(text, name="x").annotations
    assert format_text(replace(annotations, index_base=0)) == (
        "# a remark\n# index_base: 0\n00: 33-, 2\n1: all fail\n"
    )


def test_a_base_given_by_argument_is_written_down() -> None:
    text = format_text(read("0: 34-\n", 0))
    assert text == "# index_base: 0\n0: 34-\n"


def test_what_would_be_read_otherwise_is_not_written() -> None:
    from dataclasses import replace

    annotations = read("0: 34-\n")
    for remark in ("# me/so101_v1", "# index_base: 0"):
        with pytest.raises(ValueError, match="the text form cannot express this"):
            format_text(replace(annotations, after=(remark,)))
    with pytest.raises(ValueError, match="no episode"):
        format_text(replace(annotations, sections=()))
