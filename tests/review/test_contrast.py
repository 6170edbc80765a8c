"""Colours of the page against what they stand on, by WCAG 2: 4.5 for text, 3 for marks and curves."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

STATIC = files("lerobot_grasp_plugin.review").joinpath("static")
STYLE = STATIC.joinpath("style.css").read_text()
SCRIPTS = "".join(STATIC.joinpath(name).read_text() for name in ("curves.js", "overview.js", "strip.js"))
NAMED = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", STYLE))
CURVES = dict(re.findall(r"(gripper|state|action): \"(#[0-9a-f]{6})\"", SCRIPTS))


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_the_measure() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("ground", ["card", "ground", "warn", "good-soft", "#dde9fa", "#fbe3df", "#eef2f8"])
def test_text_can_be_read(ground: str) -> None:
    assert contrast(NAMED["ink"], NAMED.get(ground, ground)) >= 7
    if ground in ("card", "ground", "#dde9fa", "#eef2f8"):
        assert contrast(NAMED["soft"], NAMED.get(ground, ground)) >= 4.5


@pytest.mark.parametrize("name", ["accent", "good", "bad"])
def test_coloured_text_can_be_read(name: str) -> None:
    assert contrast(NAMED[name], NAMED["card"]) >= 4.5  # and white on such a button


def test_marks_and_curves_can_be_seen() -> None:
    assert set(CURVES) == {"gripper", "state", "action"}
    marks = ["#0b7a4b", "#b5685c", "#b07d00", "#1f5fbf"]  # success, failure, suggestion, cursor
    assert all(mark in SCRIPTS for mark in marks)
    for colour in [*CURVES.values(), *marks]:
        assert contrast(colour, NAMED["ground"]) >= 3
