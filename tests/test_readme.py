"""The README's commands run, and print what it says they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
PROGRAMS = Path(sys.executable).parent
BLOCK = re.compile(r"```(bash|python|text)\n(.*?)```", re.DOTALL)
SET_UP = "pip install uv && uv run "


def blocks() -> list[tuple[str, str]]:
    return [(match[1], match[2]) for match in BLOCK.finditer(README.read_text(encoding="utf-8"))]


def examples() -> list[tuple[str, str, str]]:
    """Language, code and printed text of every example that goes on from the demo's folder."""
    found = blocks()
    return [
        (language, code, text)
        for (language, code), (after, text) in pairwise(found)
        if language != "text" and after == "text" and not code.startswith("pip ")
    ]


@pytest.fixture(scope="module")
def folder(demo: Callable[[], tuple[Path, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("readme")
    (here / "grasp_demo").symlink_to(demo()[0] / "grasp_demo")
    (here / "configs").symlink_to(README.parent / "configs")
    return here


def run(language: str, code: str, folder: Path) -> str:
    command = [sys.executable, "-c", code] if language == "python" else ["bash", "-c", code]
    environment = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=False,
        text=True,
        capture_output=True,
    )
    return done.stdout or done.stderr  # besides its report, LeRobot warns of what a machine lacks


def test_there_are_two_set_up_commands() -> None:
    commands = [code.strip() for language, code in blocks() if language == "bash" and code.startswith("pip ")]
    assert commands == [f"{SET_UP}lerobot-grasp-demo", f"{SET_UP}pytest"]


def test_every_example_prints_what_the_readme_shows(folder: Path) -> None:
    shown = examples()
    assert len(shown) >= 5
    for language, code, text in shown:  # in order: later ones use what earlier ones made
        printed = run(language, code, folder)
        expected = re.sub(r"\d+ by (copy|reflink)", "1 by ...", text)
        assert re.sub(r"\d+ by (copy|reflink)", "1 by ...", printed) == expected


def test_the_demo_prints_the_first_table(demo: Callable[[], tuple[Path, str]]) -> None:
    first = next(text for language, text in blocks() if language == "text")
    assert first in demo()[1]


def test_linked_files_exist() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
