"""Colours of the page against what they stand on, by WCAG 2: 4.5 for text, 3 for marks and curves."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

STATIC = files("lerobot_grasp_plugin.review").joinpath("static")
STYLE = STATIC.joinpath("style.css").read_text()
COLOURS = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
SCHEMES = [
    {name: light for name, light, _ in COLOURS.findall(STYLE)},
    {name: dark for name, _, dark in COLOURS.findall(STYLE)},
]

pytestmark = pytest.mark.parametrize("named", SCHEMES, ids=["light", "dark"])


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


def test_the_measure(named: dict[str, str]) -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)
    assert len(named) == len(set(re.findall(r"--([a-z-]+): light-dark", STYLE))) > 20


def test_text_can_be_read(named: dict[str, str]) -> None:
    for ground in ("card", "ground", "warn", "good-soft", "bad-soft", "chosen", "hover", "suggest-soft"):
        assert contrast(named["ink"], named[ground]) >= 7, ground
    for ground in ("card", "ground", "chosen", "hover"):
        assert contrast(named["soft"], named[ground]) >= 4.5, ground


def test_coloured_text_can_be_read(named: dict[str, str]) -> None:
    for name in ("accent", "good", "bad"):
        assert contrast(named[name], named["card"]) >= 4.5, name
    for name in ("accent", "accent-hover"):
        assert contrast(named["on-accent"], named[name]) >= 4.5, name


def test_marks_and_curves_can_be_seen(named: dict[str, str]) -> None:
    for name in ("good", "fail", "suggest", "accent", "gripper", "state", "action"):
        for ground in ("ground", "card"):
            assert contrast(named[name], named[ground]) >= 3, (name, ground)


def test_scripts_name_no_colours(named: dict[str, str]) -> None:
    scripts = [file.read_text() for file in STATIC.iterdir() if file.name.endswith(".js")]
    assert not [found for script in scripts for found in re.findall(r"#[0-9a-f]{3,6}\b", script)]
    (names,) = re.findall(r"const NAMES = \[(.*)\];", STATIC.joinpath("colours.js").read_text())
    assert set(re.findall(r"[a-z-]+", names)) <= set(named)
