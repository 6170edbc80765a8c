"""The pages of docs/ as a site: ``mkdocs.yml`` lists each of them once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tests.support.project import PROJECT


def pages(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    for inner in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
        yield from pages(inner)


def test_every_page_is_in_the_navigation_once() -> None:
    listed = list(pages(yaml.safe_load((PROJECT / "mkdocs.yml").read_text())["nav"]))
    docs = PROJECT / "docs"
    assert sorted(listed) == sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))
