"""Every command, option, public name and JSON field is in docs/reference; the README names every command."""

from __future__ import annotations

import re
import tomllib

import pytest

import lerobot_grasp_plugin
from lerobot_grasp_plugin.commands import reference
from tests.support.project import PROJECT

DOCS = PROJECT / "docs"
SCRIPTS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.mark.parametrize("name", reference.pages(DOCS / "reference"))
def test_a_page_is_what_the_code_says(name: str) -> None:
    lines = reference.pages(DOCS / "reference")[name]
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert written == "\n".join(lines) + "\n", f"run: {reference.WRITE}"


def test_every_command_has_its_help_on_the_page() -> None:
    assert set(reference.programs()) == set(SCRIPTS)
    page = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (lerobot-\S+)", page, re.MULTILINE) == list(reference.programs())


def test_every_option_has_a_text() -> None:
    """An option whose field has no comment above it would be listed with its name alone."""
    page = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    bare = re.findall(r"^  (--\S+(?: \S+)?)\n(?! {10})", page, re.MULTILINE)
    bare += re.findall(r"^  (--\S+ \S+) +\(default", page, re.MULTILINE)
    assert bare == []


def test_every_public_name_is_on_the_page() -> None:
    page = (DOCS / "reference/python.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\w+)", page, re.MULTILINE) == lerobot_grasp_plugin.__all__


def test_the_readme_names_every_command_once_in_its_table() -> None:
    table = re.findall(r"^\| `(lerobot-grasp-[\w-]+)` \|", (PROJECT / "README.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(SCRIPTS)
