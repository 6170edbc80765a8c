"""The commands of the README and of docs/ run, and print what the pages say they print.

A block below ``<!-- not run: REASON -->`` needs hours or hardware: only its options are looked up.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from lerobot_grasp_plugin.commands import reference
from lerobot_grasp_plugin.commands.options import DISCOVER
from tests.support.project import PROJECT

README = PROJECT / "README.md"
PAGES = [README, *sorted(PROJECT.glob("docs/*.md"))]
TEXTS = [*PAGES, PROJECT / "CONTRIBUTING.md", PROJECT / "SECURITY.md"]
PROGRAMS = Path(sys.executable).parent
BLOCK = re.compile(r"(?:<!-- not run: (.+?) -->\n)?```(bash|python|text)\n(.*?)```", re.DOTALL)
SET_UP = "pip install uv && uv run "
OTHERS = {"--check", "--group", "--no-deps", "--site-dir", "--strict", "--target"}
"""Options of other programs in the text of a page."""


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Attributes:
        page: The page's name.
        language: bash, python or text.
        code: What stands in it.
        reason: Why it is not run; empty where it is.
        printed: What it prints as the page has it; None where the page does not say.
    """

    page: str
    language: str
    code: str
    reason: str
    printed: str | None = None


def blocks(page: Path) -> list[Block]:
    found = [
        Block(page.name, match[2], match[3], match[1] or "")
        for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]
    end = Block(page.name, "end", "", "")
    return [
        Block(one.page, one.language, one.code, one.reason, after.code if after.language == "text" else None)
        for one, after in pairwise([*found, end])
        if one.language != "text"
    ]


def examples(page: Path) -> list[Block]:
    """The blocks that are run, in order: later ones use what earlier ones made."""
    return [block for block in blocks(page) if not block.reason and not block.code.startswith("pip ")]


NOT_RUN = [block for page in PAGES for block in blocks(page) if block.reason]


@pytest.fixture
def folder(demo: Callable[[], tuple[Path, str]], tmp_path: Path) -> Path:
    (tmp_path / "grasp_demo").symlink_to(demo()[0] / "grasp_demo")
    (tmp_path / "configs").symlink_to(PROJECT / "configs")
    return tmp_path


def run(block: Block, folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-c"] if block.language == "python" else ["bash", "-c"]
    environment = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*command, block.code],
        cwd=folder,
        env=environment,
        check=False,
        text=True,
        capture_output=True,
    )
    return done.returncode, done.stdout or done.stderr  # besides its report, LeRobot warns of what is missing


def test_there_are_two_set_up_commands() -> None:
    commands = [block.code.strip() for block in blocks(README) if block.code.startswith("pip ")]
    assert commands == [f"{SET_UP}lerobot-grasp-demo", f"{SET_UP}pytest"]


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=lambda page: page.stem)
def test_every_example_prints_what_the_page_shows(page: Path, folder: Path) -> None:
    for block in examples(page):
        code, printed = run(block, folder)
        if block.printed is None:
            assert code == 0, printed
        else:
            expected = re.sub(r"\d+ by (copy|reflink)", "1 by ...", block.printed)
            assert re.sub(r"\d+ by (copy|reflink)", "1 by ...", printed) == expected


def test_the_demo_prints_the_first_table(demo: Callable[[], tuple[Path, str]]) -> None:
    (first,) = [block.printed for block in blocks(README) if block.code == f"{SET_UP}lerobot-grasp-demo\n"]
    assert first is not None
    assert first in demo()[1]


@cache
def known_options(module: str) -> frozenset[str]:
    """All that a command takes, LeRobot's options included."""
    return frozenset(
        re.findall(r"^ +(?:-h, )?(--[\w.]+)", reference.help_of(module, "--help_all"), re.MULTILINE)
    )


def calls(code: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of this package in a block, with their options."""
    for line in re.split(r"\n|\|", code.replace("\\\n", " ")):
        if found := re.match(r"\s*(?:\w+=\S+ )*(lerobot-grasp-[\w-]+)", line):
            yield found[1], re.findall(r"(?<=\s)(--[\w.]+)(?![\w-])", line)


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: f"{block.page}: {block.reason}")
def test_a_block_that_is_not_run_names_options_that_exist(block: Block) -> None:
    modules = reference.programs()
    for program, options in calls(block.code):
        named = {name for name in options if not name.endswith(DISCOVER)}
        assert sorted(named - known_options(modules[program])) == []


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.stem)
def test_the_text_of_a_page_names_options_that_exist(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    named = {
        option
        for code in re.findall(r"`([^`]+)`", text)
        for option in re.findall(r"(?<![\w-])--[\w.]+(?!-)\b", code)
    }
    known = set().union(*map(known_options, reference.programs().values()))
    known |= {name.rpartition(".")[0] for name in known}  # a block of options
    assert [
        one for one in sorted(named - known - OTHERS) if not one.endswith(".discover_packages_path")
    ] == []
