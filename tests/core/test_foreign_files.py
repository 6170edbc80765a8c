"""What is not an annotation file is one error that says what it is."""

from __future__ import annotations

import json

import pytest

from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem


def errors(data: bytes | str) -> tuple[Problem, ...]:
    with pytest.raises(AnnotationError) as caught:
        parse(data, name="labels")
    return caught.value.problems


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PAR1" + bytes(range(256)) * 9, "the file is a parquet file"),
        (b"PK\x03\x04" + bytes(range(256)), "the file is a zip or Excel file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "the file is a PNG image"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(500), "the file is a video file"),
        (b"SQLite format 3\x00" + bytes(500), "the file is an SQLite database"),
        (bytes(100), "the file is a binary file"),
        (bytes(range(256)) * 30, "the file is a binary file"),
        ("00: 34-\n01: 40-48\n".encode("utf-16-le"), "the file is UTF-16 without a byte order mark"),
        ("<!DOCTYPE html>\n<html>\n" + "<p>0: 3-</p>\n" * 300, "looks like an HTML or XML file"),
        ("<html>", "looks like an HTML or XML file"),
        ("---\n0:\n  success_start: 34\n", "looks like a YAML file"),
        ("episodes:\n  0: [34, null]\n  1: [3, 4]\n", "looks like a YAML file"),
        ("- episode: 0\n  start: 34\n", "looks like a YAML file"),
        ("import numpy as np\n\nx = 3\nprint(x)\n", "is not an annotation file: none of its 3 lines"),
        ("Dear all,\nthe labels follow.\nBest\n", "is not an annotation file: none of its 3 lines"),
        ("episode frame reward\n" + "0 0 1\n" * 345, "looks like a table without commas"),
        ("| episode | start | end |\n|---|---|---|\n| 0 | 3 | 4 |\n", "looks like a table without commas"),
    ],
)
def test_it_is_named_once(data: bytes | str, said: str) -> None:
    (problem,) = errors(data)
    assert problem.code == "not-annotations"
    assert said in problem.message
    assert str(problem.place).startswith("labels")
    assert "07: 45-" in problem.hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{'0': null}", "single quotes"),
        ('{"index_base": 1}\n{"0": null}\n', "list of objects"),
        (json.dumps({"0": None})[:-1], ""),
    ],
)
def test_broken_json_is_one_error(text: str, hint: str) -> None:
    (problem,) = errors(text)
    assert problem.code == "not-json"
    assert hint in problem.hint


@pytest.mark.parametrize(
    "text", ["hello\n0: 3-\n", "x: 3-\ny: 4-\nz: 5-\n3: 4-\n", "00 34-\n01 46-\n02 28-\n"]
)
def test_a_file_with_faulty_lines_keeps_its_own_errors(text: str) -> None:
    assert "not-annotations" not in {problem.code for problem in errors(text)}


@pytest.mark.parametrize(
    ("ranges", "code", "hint"),
    [
        ("3.4-", "time-not-frame", "seconds * fps + 1"),
        ("3.4s-", "time-not-frame", "seconds * fps + 1"),
        ("3s-5s", "time-not-frame", "seconds * fps + 1"),
        ("0:03-", "time-not-frame", "seconds * fps + 1"),
        ("1:02.5-1:04", "time-not-frame", "seconds * fps + 1"),
        ("200ms", "time-not-frame", "seconds * fps + 1"),
        ("\uff13\uff14-", "foreign-digits", "write 34-"),
        ("\uff13\uff14\uff0d\uff14\uff10", "foreign-digits", "write 34-40"),
        ("3-4\uff0c7-", "foreign-digits", "write 3-4,7-"),
        ("\u0663\u0664-", "foreign-digits", "write 34-"),
        ("3\u00b2-", "foreign-digits", "digits 0 to 9"),
        ("40\u201348", "unknown-token", "write 40-48"),
        ("40~48", "unknown-token", "write 40-48"),
        ("3\u200b4-", "invisible-character", "delete it"),
    ],
)
def test_other_numbers_are_refused_with_what_to_write(ranges: str, code: str, hint: str) -> None:
    (problem,) = errors(f"0: {ranges}\n")
    assert problem.code == code
    assert hint in problem.hint
