"""The pages of docs/: ``mkdocs.yml`` lists each, ``docs/index.md`` links each, every link leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT

ROOT = PROJECT
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINKING = [
    *sorted(ROOT.glob("*.md")),
    *PAGES,
    *sorted(ROOT.glob("examples/*/*.md")),
    *sorted(ROOT.glob(".github/*.md")),
]
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def pages(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    for inner in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
        yield from pages(inner)


def test_every_page_is_in_the_navigation_once() -> None:
    listed = list(pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files that a page links, and the part of each after ``#``."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        yield (page.parent / path).resolve() if path else page, anchor


def anchors(page: Path) -> set[str]:
    """The places of a page, by the names that GitHub and MkDocs give its headings."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_first_page_links_every_other_one() -> None:
    linked = {path for path, _ in links(DOCS / "index.md")}
    assert sorted(set(PAGES) - linked - {DOCS / "index.md"}) == []


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for path, anchor in links(page):
        assert path.exists(), path
        assert not anchor or anchor in anchors(path), f"{path.name}#{anchor}"
