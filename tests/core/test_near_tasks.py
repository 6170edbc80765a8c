"""Tasks in two spellings are found, whatever the spellings differ in; others are not."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.core.near_tasks import near_tasks


@pytest.mark.parametrize(
    "other",
    [
        "Pick the cube",
        "pick the cube.",
        "pick  the cube",
        " pick the cube ",
        "PICK THE CUBE ! ",
        "pick the\u00a0cube",
    ],
)
def test_spellings(other: str) -> None:
    assert near_tasks(["push", "pick the cube", other]) == [["pick the cube", other]]


def test_unicode_forms() -> None:
    assert near_tasks(["greife den W\u00fcrfel", "greife den Wu\u0308rfel"]) != []
    assert near_tasks(["pick the cube\uff01", "pick the cube"]) != []  # full-width punctuation


def test_other_tasks() -> None:
    assert near_tasks(["pick the cube", "pick the cubes", "pick-the cube", "pick the cube", "", "pick"]) == []
