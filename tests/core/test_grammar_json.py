from __future__ import annotations

import json

import pytest

from lerobot_grasp_plugin.core.annotations import Annotations
from lerobot_grasp_plugin.core.grammar import format_text, parse
from lerobot_grasp_plugin.core.intervals import FrameInterval
from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem


def read(text: str, index_base: int | None = None) -> Annotations:
    parsed = parse(text, name="labels.json", index_base=index_base)
    assert parsed.warnings == ()
    return parsed.annotations


def ranges(entry: object, base: int = 1) -> list[tuple[int, int | None]]:
    (section,) = read(json.dumps({"index_base": base, "3": entry})).sections
    (episode,) = section.episodes
    return [(item.start, item.stop) for item in episode.ranges]


def errors(text: str, index_base: int | None = None) -> tuple[Problem, ...]:
    with pytest.raises(AnnotationError) as caught:
        parse(text, name="labels.json", index_base=index_base)
    return caught.value.problems


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"success_start": 34}, [(33, None)]),
        ({"success_start": 34, "success_end": None}, [(33, None)]),
        ({"success_start": 40, "success_end": 48}, [(39, 48)]),
        ({"ranges": [[40, 48], [60, None]]}, [(39, 48), (59, None)]),
        ({"success_ranges": [[40, 48], [60, None]]}, [(39, 48), (59, None)]),
        ({"ranges": []}, []),
        (None, []),
    ],
)
def test_episode_forms(entry: object, expected: list[tuple[int, int | None]]) -> None:
    assert ranges(entry) == expected


def test_index_base_0() -> None:
    assert ranges({"ranges": [[0, 0], [40, 48]]}, base=0) == [(0, 1), (40, 49)]


@pytest.mark.parametrize(
    "text",
    [
        '{"dataset_path": "a_1", "index_base": 1, "0": {"success_start": 3}, "01": null}',
        '{"dataset": "a_1", "index_base": 1, "episodes": {"0": {"success_start": 3}, "1": null}}',
        '[{"repo_id": "a_1", "index_base": 1, "0": {"success_start": 3}, "1": null}]',
        '{"datasets": [{"dataset": "a_1", "0": {"success_start": 3}, "1": null}], "index_base": 1}',
        '\ufeff \n {"dataset_path": "a_1", "index_base": 1, "0": {"success_start": 3}, "1": null}',
    ],
)
def test_every_arrangement_says_the_same_as_the_text(text: str) -> None:
    assert read(text) == read("# dataset: a_1\n0: 3-\n1: all fail\n")


def test_several_datasets_in_order() -> None:
    annotations = read(
        '[{"dataset": "b_1", "index_base": 0, "0": null}, {"dataset": "a_1", "index_base": 0, "0": null}]'
    )
    assert [section.dataset for section in annotations.sections] == ["b_1", "a_1"]
    assert annotations.index_base == 0


def test_the_index_base_must_be_known() -> None:
    text = '{"0": {"success_start": 34}}'
    assert [problem.code for problem in errors(text)] == ["index-base-missing"]
    for base in (0, 1):
        (episode,) = read(text, base).sections[0].episodes
        assert episode.ranges == (FrameInterval(34 - base, None),)


def test_exclude_takes_frames_out_and_says_so() -> None:
    text = """{"index_base": 1, "3": {"ranges": [[1, 9], [20, null]], "exclude": [1, [4, 5], [30, null]]}}"""
    parsed = parse(text, name="labels.json")
    assert [(w.code, str(w.place)) for w in parsed.warnings] == [
        ("exclude-counts-as-failure", "labels.json:1:57")
    ]
    (episode,) = parsed.annotations.sections[0].episodes
    assert episode.ranges == (FrameInterval(1, 3), FrameInterval(5, 9), FrameInterval(19, 29))
    assert [place.text for place in episode.places] == ["[1, 9]", "[1, 9]", "[20, null]"]


def test_comments_are_kept_and_written() -> None:
    text = """{"index_base": 1, "datasets": [
        {"dataset": "a_1", "note": "at night", "0": {"success_start": 3, "comment": "slow\\n grasp"}},
        {"dataset": "b_1", "description": "so101_v9", "0": null}
    ], "comment": "by hand"}"""
    annotations = read(text)
    assert format_text(annotations) == (
        "# comment: by hand\n# note: at night\n# dataset path: a_1\n00: 3-  # slow grasp\n"
        "\n# description: so101_v9\n# dataset path: b_1\n00: all fail\n"
    )


def test_a_comment_without_dataset_goes_to_the_first_episode() -> None:
    assert format_text(read('{"index_base": 0, "note": "x", "2": {"success_start": 0}}')) == (
        "# index_base: 0\n# note: x\n02: all success\n"
    )


@pytest.mark.parametrize(
    ("entry", "code", "underlined"),
    [
        ("{}", "missing-ranges", "{"),
        ('{"success_end": 4}', "missing-ranges", '"success_end"'),
        ('{"success_start": null}', "wrong-type", "null"),
        ('{"success_start": true}', "wrong-type", "true"),
        ('{"success_start": 3.0}', "wrong-type", "3.0"),
        ('{"success_start": "3"}', "wrong-type", '"3"'),
        ('{"success_start": 5, "success_end": "x"}', "wrong-type", '"x"'),
        ('{"success_start": 5, "success_end": 4}', "reversed-range", "5"),
        ('{"success_start": 0}', "frame-zero", "0"),
        ('{"success_start": -2}', "negative-number", "-2"),
        ('{"success_start": 1000000001}', "number-too-large", "1000000001"),
        ('{"success_start": 5, "ranges": [[5, 6]]}', "conflicting-keys", '"ranges"'),
        ('{"ranges": [[5, 6]], "success_ranges": [[5, 6]]}', "conflicting-keys", '"success_ranges"'),
        ('{"ranges": [[5, 6], [6, 7]]}', "overlapping-ranges", "[6, 7]"),
        ('{"ranges": [[5, null], [9, null]]}', "overlapping-ranges", "[9, null]"),
        ('{"ranges": [[5, 6, 7]]}', "wrong-type", "["),
        ("true", "wrong-type", "true"),
        ("[]", "wrong-type", "["),
        ('{"ranges": [[]]}', "wrong-type", "["),
        ('{"ranges": [[10]]}', "wrong-type", "10"),
        ('{"success_ranges": [[5, 6], [10]]}', "wrong-type", "10"),
        ('{"ranges": [10, 20]}', "wrong-type", "10"),
        ('{"ranges": null}', "wrong-type", "null"),
        ('{"ranges": [[3.5, null]]}', "wrong-type", "3.5"),
        ('{"ranges": [[true, null]]}', "wrong-type", "true"),
        ('{"ranges": [[[3, 4]]]}', "wrong-type", "["),
        ('{"ranges": {"3": 4}}', "wrong-type", "{"),
        ('{"ranges": "3-"}', "wrong-type", '"3-"'),
        ('{"success_start": [3]}', "wrong-type", "["),
        ('{"success_start": 3, "success_end": []}', "wrong-type", "["),
        ('{"success_start": 3, "exclude": [[5]]}', "wrong-type", "5"),
        ('{"success_start": 3, "exclude": [5, 9]}', "wrong-type", "5"),
        ('{"success_start": 3, "exclude": null}', "wrong-type", "null"),
        ('{"ranges": [7]}', "wrong-type", "7"),
        ('{"ranges": [[null, 3]]}', "wrong-type", "null"),
        ('{"ranges": 7}', "wrong-type", "7"),
        ('{"success_start": 5, "exclude": ["x"]}', "wrong-type", '"x"'),
        ('{"success_start": 5, "exclude": [0]}', "frame-zero", "0"),
        ('{"success_start": 5, "start": 5}', "unknown-key", '"start"'),
        ('{"success_start": 5, "success_start": 6}', "duplicate-key", '"success_start"'),
        ('{"success_start": 5, "note": 6}', "wrong-type", "6"),
        ('{"success_start": 5, "note": "\\u0000"}', "control-character", '"\\u0000"'),
        ('"34-"', "wrong-type", '"34-"'),
        ("[[5, 6]]", "wrong-type", "["),
        ("3", "wrong-type", "3"),
        ("null, " + '"03": null', "episode-listed-twice", '"03"'),
        ("null, " + '"-1": null', "negative-number", '"-1"'),
        ("null, " + '"4x": null', "unknown-key", '"4x"'),
        ("null, " + '"exclude": [7]', "exclude-misplaced", '"exclude"'),
        ("null, " + '"index_base": 0', "duplicate-key", '"index_base"'),
        ("null, " + '"episodes": []', "wrong-structure", "["),
        ("null, " + '"dataset": "a", "repo_id": "b"', "duplicate-key", '"repo_id"'),
        ("null, " + '"dataset": ""', "missing-dataset", '""'),
        ("null, " + '"dataset": 5', "missing-dataset", "5"),
        ("null, " + '"episodes": {"3": null}', "episode-listed-twice", '"3"'),
        ("null, " + '"episodes": {"dataset": null}', "unknown-key", '"dataset"'),
    ],
)
def test_every_error_has_its_code_and_place(entry: str, code: str, underlined: str) -> None:
    (problem,) = errors(f'{{"index_base": 1,\n  "3": {entry}}}')
    assert problem.code == code
    _, line, column = str(problem.place).rsplit(":", 2)
    assert line == "2"
    shown, carets = problem.excerpt.split("\n")
    assert carets == " " * (int(column) - 1) + "^" * len(underlined)
    assert shown[int(column) - 1 :].startswith(underlined)


def test_a_message_gives_the_path() -> None:
    (problem,) = errors('[{"index_base": 1, "episodes": {"4": {"ranges": [[1, 2], 7]}}}]')
    assert '[0].episodes."4".ranges[1]' in problem.message


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ('{"index_base": 2, "0": null}', "index-base-unknown", "1:16"),
        ('{"index_base": true, "0": null}', "index-base-unknown", "1:16"),
        (
            '[{"dataset": "a", "index_base": 0, "0": null},\n{"dataset": "b", "index_base": 1, "0": null}]',
            "index-base-contradiction",
            "2:32",
        ),
        ('{"index_base": 1, "datasets": 3}', "wrong-structure", "1:31"),
        ('{"index_base": 1, "datasets": [3]}', "wrong-structure", "1:32"),
        ('{"index_base": 1, "datasets": [], "0": null}', "unknown-key", "1:35"),
        ('{"index_base": 1, "datasets": []}', "no-episodes", "1:1"),
        ('{"index_base": 1}', "no-episodes", "1:1"),
        ("[]", "index-base-missing", "1:1"),
        ('[{"index_base": 1, "dataset": "a", "0": null}, {"1": null}]', "missing-dataset", "1:48"),
        (
            '{"index_base": 1, "0": {"success_start": 1, "note": "index_base: 0"}}',
            "index-base-misplaced",
            "1:19",
        ),
        ('{"0": null,}', "not-json", "1:12"),
        ('{"0" null}', "not-json", "1:6"),
        ('{"0": nul}', "not-json", "1:7"),
        ('{"0": 01}', "not-json", "1:7"),
        ('{"0": NaN}', "not-json", "1:7"),
        ('{"0": "\\q"}', "not-json", "1:7"),
        ('{"0": null}\n}', "not-json", "2:1"),
        ('{\n"0": {"success_start": 3 "success_end": 4}}', "not-json", "2:26"),
        ("[" * 100_000, "not-json", "1:18"),
        ('{"0": ' * 100_000, "not-json", "1:103"),
        ("[1,", "not-json", "1:4"),
    ],
)
def test_faults_of_the_file(text: str, code: str, where: str) -> None:
    (problem,) = errors(text)
    assert (problem.code, str(problem.place)) == (code, f"labels.json:{where}")


def test_the_argument_may_not_contradict_the_file() -> None:
    (problem,) = errors('{"index_base": 1, "0": null}', 0)
    assert (problem.code, str(problem.place)) == ("index-base-contradiction", "labels.json:1:16")


def test_a_number_of_many_digits_costs_nothing() -> None:
    (problem,) = errors('{"index_base": 1, "0": {"success_start": ' + "9" * 1_000_000 + "}}")
    assert problem.code == "number-too-large"


def test_an_empty_section_is_a_warning() -> None:
    parsed = parse('[{"index_base": 1, "dataset": "a", "0": null}, {"dataset": "b"}]', name="x")
    assert [(w.code, str(w.place)) for w in parsed.warnings] == [("empty-section", "x:1:48")]
